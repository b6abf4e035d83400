"""Data sets on the Hugging Face hub, by their name (extra `hub`)."""

import importlib
import re
from dataclasses import replace
from pathlib import Path

from facewright.data.sources.parquet import parquet, parquet_files
from facewright.data.sources.source import Source
from facewright.errors import DataError, MissingExtraError

PREFIX = "hub:"
"""Before a name, it asks the hub."""

_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_CONVERTED = "refs/convert/parquet"  # where the hub keeps data sets of other formats as parquet


def is_hub_name(text: str) -> bool:
    """Could this be OWNER/NAME of a data set?"""
    return _NAME.fullmatch(text) is not None


def hub(name: str) -> Source:
    """A data set's parquet files, downloaded to the hub's own cache and then read locally.

    Args:
        name: OWNER/NAME.

    Raises:
        MissingExtraError: without the extra `hub`.
        DataError: no such name, no network, no such data set, or one without images in parquet.
    """
    if not is_hub_name(name):
        raise DataError(
            f"{PREFIX}{name} names no data set",
            expected=f"{PREFIX}OWNER/NAME",
            fix="look its name up at https://huggingface.co/datasets",
        )
    try:
        client = importlib.import_module("huggingface_hub")
    except ImportError:
        raise MissingExtraError.of("hub", f"fetching {name} from the Hugging Face hub") from None
    files: list[Path] = []
    folder = Path()
    for revision in ("main", _CONVERTED):
        try:
            folder = Path(
                client.snapshot_download(
                    name, repo_type="dataset", revision=revision, allow_patterns="*.parquet"
                )
            )
        except Exception as error:  # the hub's client passes on errors of several libraries
            raise DataError(
                f"{name} cannot be fetched, the Hugging Face hub said: {_first_line(error)}",
                expected="a public data set, and a network",
                fix=f"look it up at https://huggingface.co/datasets/{name}",
            ) from None
        if files := parquet_files(folder):
            break
    else:
        raise DataError(
            f"{name} has no parquet files",
            expected="a data set of images in parquet",
            fix="download it by hand and name its folder",
        )
    source = parquet(folder, files)
    return replace(
        source,
        kind="hub",
        place=name,
        licence=f"as stated at https://huggingface.co/datasets/{name}",
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

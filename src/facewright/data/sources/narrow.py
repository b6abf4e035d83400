"""Which photos of a source are meant: some by their paths, not two versions of one."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np

from facewright.data.photo_names import likely_photos, split_of
from facewright.data.sources.folder_roles import is_shard
from facewright.data.sources.source import Source
from facewright.errors import DataError

_PARQUET = re.compile(r"(?P<stem>.*?)(-\d+-of-\d+)?\.(parquet|arrow):\d+")
_SIZED = re.compile(r"\d{2,4}(x\d{2,4}|px)$", re.IGNORECASE)


def narrowed(source: Source, only: Sequence[str]) -> Source:
    """The photos whose paths fit one of the patterns, with a word on the splits among them.

    Args:
        source: of the photos.
        only: patterns such as train/*; all photos if there are none.

    Raises:
        DataError: no photo fits; or no pattern is given, and photos come in several
            configurations or sizes.
    """
    if only:
        names = source.names
        fitting = [i for i, name in enumerate(names) if _fits(name, only)]
        if not fitting and len(names):
            raise DataError(
                f"--only {' --only '.join(only)}: none of {len(names):,} photos",
                expected=f"a pattern for paths such as {names[0]}",
                fix="--only 'FOLDER/*'",
            )
        source = source.rows(np.array(fitting, np.int64))
        note = f"{len(fitting):,} of {len(names):,} photos, by --only {' '.join(only)}"
        source = replace(source, notes=(*source.notes, note))
    elif source.kind in ("parquet", "hub"):
        _ask_for_one(source)
    elif source.kind == "photos":
        _ask_for_one_size(source)
    likely = [source.names[row] for row in likely_photos(source.names)]
    splits = Counter(_parts(name)[0] for name in likely)
    if len(splits) > 1:
        listed = ", ".join(f"{n:,} of {split or 'none'}" for split, n in sorted(splits.items()))
        pattern = next(filter(None, map(_pattern, likely)))
        note = (
            f"splits put together, to draw held-out photos anew: {listed}; one alone is taken by "
            f"a pattern such as --only '{pattern}'"
        )
        source = replace(source, notes=(*source.notes, note))
    return source


def _fits(name: str, only: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in only)


def _parts(name: str) -> tuple[str, str]:
    """The split that a path names, and its folders without that and without shards."""
    match = _PARQUET.fullmatch(name)
    parts = (match["stem"] if match else name).split("/")
    folders = parts if match else parts[:-1]
    split = next((found for part in folders if (found := split_of(part))), "")
    others = [part for part in parts[:-1] if not split_of(part) and not is_shard(part)]
    return split, "/".join(others)


def _pattern(name: str) -> str:
    """What fits all paths of the same split; empty if this one is of none."""
    word = _parts(name)[0]
    place = re.search(rf"(^|.*/)(partial[-_])?{word}", name, re.IGNORECASE) if word else None
    return f"{place[0]}*" if place else ""


def _ask_for_one(source: Source) -> None:
    """Configurations of a data set are likely the same photos in several versions."""
    by_split: dict[str, Counter[str]] = {}
    for name in source.names:
        split, configuration = _parts(name)
        by_split.setdefault(split, Counter())[configuration] += 1
    for split, found in by_split.items():
        if len(found) > 1:
            named = next(filter(None, found))
            of = f" of {split}" if split else ""
            raise _question(f"{source.place} has several configurations{of}", found, named)


def _ask_for_one_size(source: Source) -> None:
    """As FFHQ's images1024x1024 and thumbnails128x128: the same names in folders of sizes."""
    inside: dict[str, set[str]] = {}
    for row in likely_photos(source.names):
        parts = PurePosixPath(source.names[row]).with_suffix("").parts
        place = next((i for i, part in enumerate(parts[:-1]) if _SIZED.search(part)), None)
        if place is not None:
            inside.setdefault(parts[place], set()).add("/".join(parts[place + 1 :]))
    for (one, mine), (_, theirs) in pairwise(inside.items()):
        if 2 * len(mine & theirs) >= min(len(mine), len(theirs)):
            found = {folder: len(names) for folder, names in inside.items()}
            raise _question(f"{source.place} has photos in several sizes", found, f"*{one}")


def _question(what: str, found: Mapping[str, int], named: str) -> DataError:
    listed = ", ".join(f"{name or '(none)'} ({count:,})" for name, count in found.items())
    return DataError(
        f"{what}: {listed}",
        expected="one of them, as they may hold the same photos",
        fix=f"--only '{named}/*' for one, --only '*' for all",
    )

"""CelebA: aligned faces of celebrities, with up to five tables of labels.

Source: Liu et al. 2015, arXiv:1411.7766.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from facewright.data.labels import LabelColumn, Labels, class_column
from facewright.data.photo import Unusable
from facewright.data.sources.folder import FolderReader
from facewright.data.sources.source import Files, Source
from facewright.errors import DataError

LICENCE = "CelebA: non-commercial research only, no redistribution"

_FOLDER = re.compile(r"(^|/)img_align_celeba(_png)?/", re.IGNORECASE)
_ARCHIVE = re.compile(r"(^|/)img_align_celeba(_png)?\.zip$", re.IGNORECASE)
_TABLE = re.compile(
    r"(list_attr_celeba|list_eval_partition|list_landmarks_align_celeba|list_bbox_celeba"
    r"|identity_celeba)\.(txt|csv)$",
    re.IGNORECASE,
)
_PARTS = ("train", "val", "test")
_WITHOUT_HEADER = ("list_eval_partition", "identity_celeba")
_MEANING = {
    "list_landmarks_align_celeba": "pixels of the 178x218 frame",
    "list_bbox_celeba": "pixels of the photo before alignment",
}


def is_celeba(files: Files) -> bool:
    """Does this look like CelebA in one of its usual shapes?"""
    return "img_align_celeba" in files.root.name.lower() or any(
        _FOLDER.search(name) or _TABLE.search(name) for name in files.names
    )


def celeba_archive(files: Files) -> str | None:
    """The archive of the aligned photos, where a folder holds it as it was downloaded."""
    if any(_FOLDER.search(name) for name in files.names):
        return None
    return next((name for name in files.names if _ARCHIVE.search(name)), None)


def celeba(files: Files, around: Files | None = None) -> Source:
    """CelebA with the tables that lie inside the folder or archive, or beside it.

    Photos and rows are joined by the name without its suffix, because the PNG edition is
    described by the same tables. A photo without a row has unknown labels.

    Args:
        files: with the photos.
        around: a folder around them that may hold tables as well.
    """
    in_folder = any(_FOLDER.search(name) for name in files.names)
    photos = files.where(
        lambda name: not _TABLE.search(name) and (not in_folder or bool(_FOLDER.search(name)))
    )
    rows = {PurePosixPath(name).stem: i for i, name in enumerate(photos.names)}
    labels, notes = Labels.none(len(photos.names)), []
    others = sum(not _TABLE.search(name) for name in files.names) - len(photos.names)
    if others:
        notes.append(f"{others} files outside img_align_celeba were not looked at")
    for name, content in sorted(_tables(files, around).items()):
        table, malformed = _read_table(name, content, rows, len(photos.names))
        labels = labels.beside(table)
        if malformed:
            notes.append(f"{name}: {malformed} malformed rows, their labels are unknown")
    return Source(
        kind="celeba",
        place=files.root.name,
        licence=LICENCE,
        names=photos.names,
        addresses=photos.addresses,
        read=photos.read,
        labels=labels,
        hidden=photos.hidden,
        set_aside=photos.set_aside,
        notes=tuple(notes),
    )


def _tables(files: Files, around: Files | None) -> dict[str, bytes]:
    """Content of each known table by its lower-case name; those nearest to the photos win."""
    tables = {}
    beside = _tables_beside(files.root)
    for place in filter(None, (beside, around, files)):
        for name, address in zip(place.names, place.addresses, strict=True):
            if _TABLE.search(name):
                tables[PurePosixPath(name).stem.lower()] = _read(place, name, address)
    return tables


def _tables_beside(path: Path) -> Files:
    """The tables in the folder that the photos' folder or archive lies in."""
    folder = path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir() if _TABLE.search(entry.name))
    except OSError:  # a folder that may be passed through but not listed
        names = []
    return Files(folder, names, names, FolderReader(str(folder)), 0, ())


def _read(files: Files, name: str, address: object) -> bytes:
    try:
        return files.read(address)
    except Unusable as fault:
        raise DataError(
            f"{name} in {files.root.name} is {fault.reason}",
            expected="a whole table of labels",
            fix="download it again, or remove it to go on without these labels",
        ) from None


def _read_table(name: str, content: bytes, rows: dict[str, int], count: int) -> tuple[Labels, int]:
    """The table's columns for all photos, and how many of its rows could not be read."""
    header: list[str] = []
    values, malformed = None, 0
    for tokens in _lines(content):
        if len(tokens) == 1 and tokens[0].isdigit():
            continue  # the number of photos, which opens the tables in their original form
        if "." not in tokens[0]:
            header = tokens[1:] if tokens[0] == "image_id" else tokens
            continue
        if values is None:
            values = np.full((count, len(header) or len(tokens) - 1), np.nan, np.float32)
        row = rows.get(PurePosixPath(tokens[0]).stem)
        if row is not None:
            numbers = _numbers(tokens[1:], values.shape[1])
            if numbers is None:
                malformed += 1
            else:
                values[row] = numbers
    if values is None:
        return Labels.none(count), malformed
    return _described(name, header, values), malformed


def _numbers(tokens: list[str], count: int) -> np.ndarray | None:
    """The row's numbers; None if it has another count of them, or something else."""
    try:
        return np.array(tokens, np.float32) if len(tokens) == count else None
    except ValueError:
        return None


def _lines(content: bytes) -> Iterator[list[str]]:
    for line in io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", errors="replace"):
        tokens = line.strip().split(",") if "," in line else line.split()
        if tokens:
            yield tokens


def _described(name: str, header: list[str], values: np.ndarray) -> Labels:
    if not header and name not in _WITHOUT_HEADER:
        raise DataError(f"{name} has no line of column names", expected="the table as published")
    if name == "list_attr_celeba":
        columns = tuple(LabelColumn(title, "binary") for title in header)
        return Labels(columns, (values + 1) / 2)
    if name == "list_eval_partition":
        return Labels((LabelColumn("partition", "class", _PARTS, "the authors' split"),), values)
    if name == "identity_celeba":
        people = [None if np.isnan(v) else f"{int(v):05d}" for v in values[:, 0]]
        return class_column("identity", people, "person, as numbered by the authors")
    columns = tuple(LabelColumn(title, "number", meaning=_MEANING[name]) for title in header)
    return Labels(columns, values)

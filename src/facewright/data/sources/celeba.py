"""CelebA and CelebAMask-HQ: faces of celebrities, with up to five tables of labels.

Sources: Liu et al. 2015, arXiv:1411.7766; Lee et al. 2020, arXiv:1907.11922.
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

LICENCE = "{}: non-commercial research only, no redistribution"

_FOLDER = re.compile(r"(^|/)(img_align_celeba(_png)?|celeba-hq-img)/", re.IGNORECASE)
_ARCHIVE = re.compile(r"(^|/)img_align_celeba(_png)?\.zip$", re.IGNORECASE)
_TABLE = re.compile(
    r"(list_attr_celeba|list_eval_partition|list_landmarks_align_celeba|list_bbox_celeba"
    r"|identity_celeba|celebamask-hq-attribute-anno|celebamask-hq-pose-anno)\.(txt|csv)$",
    re.IGNORECASE,
)
_ATTRIBUTES = ("list_attr_celeba", "celebamask-hq-attribute-anno")
_PARTS = ("train", "val", "test")
_WITHOUT_HEADER = ("list_eval_partition", "identity_celeba")
_MEANING = {
    "list_landmarks_align_celeba": "pixels of the 178x218 frame",
    "list_bbox_celeba": "pixels of the photo before alignment",
    "celebamask-hq-pose-anno": "degrees, estimated by the authors' model",
}


def is_celeba(files: Files) -> bool:
    """Does this look like CelebA in one of its usual shapes?"""
    root = files.root.name.lower()
    return any(folder in root for folder in ("img_align_celeba", "celeba-hq-img")) or any(
        _FOLDER.search(name) or _TABLE.search(name) for name in files.names
    )


def tables_above(root: Path) -> list[Path]:
    """CelebA's tables in the folders around one that need not hold its photos."""
    return [place.root / name for place in _tables_above(root) for name in place.names]


def celeba_archive(files: Files) -> str | None:
    """The archive of the aligned photos, where a folder holds it as it was downloaded."""
    if any(_FOLDER.search(name) for name in files.names):
        return None
    return next((name for name in files.names if _ARCHIVE.search(name)), None)


def celeba(files: Files, around: Files | None = None) -> Source:
    """CelebA with the tables that lie inside the folder or archive, or above it.

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
    high = any("hq" in name.lower() for name in (files.root.name, *photos.names[:1]))
    folder = "CelebA-HQ-img" if high else "img_align_celeba"
    if others:
        notes.append(f"{others} files outside {folder} were not looked at")
    tables, above = _tables(files, around)
    notes += _on_tables(tables, above, folder)
    for name, content in sorted(tables.items()):
        table, malformed = _read_table(name, content, rows, len(photos.names))
        labels = labels.beside(table)
        if malformed:
            notes.append(f"{name}: {malformed} malformed rows, their labels are unknown")
    return Source(
        kind="celebamask-hq" if high else "celeba",
        place=files.root.name,
        licence=LICENCE.format("CelebAMask-HQ" if high else "CelebA"),
        names=photos.names,
        addresses=photos.addresses,
        read=photos.read,
        labels=labels,
        hidden=photos.hidden,
        set_aside=photos.set_aside,
        notes=tuple(notes),
    )


def _tables(files: Files, around: Files | None) -> tuple[dict[str, bytes], dict[str, str]]:
    """Content of each known table by its lower-case name, and the folders of those from above.

    Those nearest to the photos win.
    """
    tables, above = {}, {}
    for place in filter(None, (*_tables_above(files.root), around, files)):
        for name, address in zip(place.names, place.addresses, strict=True):
            if _TABLE.search(name):
                key = PurePosixPath(name).stem.lower()
                tables[key] = _read(place, name, address)
                above[key] = "" if place in (around, files) else place.root.name
    return tables, {key: name for key, name in above.items() if name}


def _tables_above(path: Path) -> Iterator[Files]:
    """Tables in the two folders above the photos, and in Anno and Eval there, far ones first."""
    for folder in (path.parent.parent, path.parent):
        inside = [place for place in _listed(folder) if place.name.lower() in ("anno", "eval")]
        for place in (*inside, folder):
            names = [file.name for file in _listed(place) if _TABLE.search(file.name)]
            yield Files(place, names, names, FolderReader(str(place)), 0, ())


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder that may be passed through but not listed
        return []


def _on_tables(tables: dict[str, bytes], above: dict[str, str], folder: str) -> list[str]:
    """Where labels come from, where the user may not expect it."""
    if not tables:
        table = "list_attr_celeba.txt" if folder == "img_align_celeba" else "its -anno.txt tables"
        return [f"no labels: {table} lies neither here nor in the two folders above"]
    found: dict[str, list[str]] = {}
    for name, place in sorted(above.items()):
        found.setdefault(place, []).append(name)
    return [f"labels from the folder {place}: {', '.join(names)}" for place, names in found.items()]


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
        raise DataError(
            f"{name} has no line of column names",
            expected="the table as published",
            fix=f"get {name} again, or move it elsewhere to go on without it",
        )
    if name in _ATTRIBUTES:
        columns = tuple(LabelColumn(title, "binary") for title in header)
        return Labels(columns, (values + 1) / 2)
    if name == "list_eval_partition":
        return Labels((LabelColumn("partition", "class", _PARTS, "the authors' split"),), values)
    if name == "identity_celeba":
        people = [None if np.isnan(v) else f"{int(v):05d}" for v in values[:, 0]]
        return class_column("identity", people, "person, as numbered by the authors")
    columns = tuple(LabelColumn(title, "number", meaning=_MEANING[name]) for title in header)
    return Labels(columns, values)

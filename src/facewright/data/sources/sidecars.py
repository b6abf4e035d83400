"""Labels that lie among the photos: StyleGAN's dataset.json, WebDataset's members of one name.

Both are known by what a container holds, be it a folder, a zip or a tar.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from facewright.data.labels import LabelColumn, Labels, numbered_classes
from facewright.data.photo import Unusable
from facewright.data.sources.joined import BETWEEN
from facewright.data.sources.parquet import column_of_cells
from facewright.data.sources.source import OWN_PHOTOS, Files, Source
from facewright.errors import DataError
from facewright.schema import Wording, parsed

_INDEX = "dataset.json"
_PHOTOS = ("jpg", "jpeg", "png", "webp", "ppm", "pgm", "bmp", "tif", "tiff", "avif", "heic")
_SIDECARS = ("json", "cls", "txt")
_MOST = 256  # labels of a photo
_LONGEST = 200  # letters in the name of a class
_HUGE = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _Index:
    """`dataset.json`: a name and its label for each image."""

    labels: tuple[tuple[str, Any], ...] | None


def stylegan(files: Files) -> Source | None:
    """Photos with the index that StyleGAN's and EDM's tools write; None without one.

    Their folders only divide the photos evenly, and are no labels.

    Source: Karras et al. 2020, arXiv:2006.06676, `dataset_tool.py`.

    Raises:
        DataError: the index is damaged.
    """
    row = next((i for i, n in enumerate(files.names) if PurePosixPath(n).name == _INDEX), None)
    found = {} if row is None else _json(files, row)
    if row is None or not isinstance(found, dict) or "labels" not in found:
        return None
    index = files.names[row]
    place = f"{index} in {files.root.name}"
    wording = Wording(DataError, fix=f"remove {_INDEX} to go on without its labels")
    entries = parsed(_Index, {"labels": found["labels"]}, place, wording).labels or ()
    photos = files.where(lambda name: name != index)
    rows = {name: i for i, name in enumerate(photos.names)}
    values: list[Any] = [None] * len(rows)
    notes = []
    above = PurePosixPath(index).parent
    for name, label in entries:
        photo = rows.pop(str(above / name), None)
        if photo is not None:
            values[photo] = label
    if entries and rows:
        notes.append(f"{len(rows):,} photos are not in {_INDEX}, their labels are unknown")
    if (left := len(entries) - len(values) + len(rows)) > 0:
        notes.append(f"{left:,} lines of {_INDEX} name no photo, or one that an earlier line names")
    return Source(
        kind="stylegan",
        place=files.root.name,
        licence=OWN_PHOTOS,
        names=photos.names,
        addresses=photos.addresses,
        read=photos.read,
        labels=_stylegan_labels(values, place, wording),
        hidden=files.hidden,
        set_aside=files.set_aside,
        notes=tuple(notes),
    )


def _stylegan_labels(values: list[Any], place: str, wording: Wording) -> Labels:
    """Whole numbers are classes; lists are conditions of as many numbers, such as a camera's."""
    known = [value for value in values if value is not None]
    if not known:
        return Labels.none(len(values))
    if all(type(value) is int and abs(value) < 1 << 53 for value in known):
        return numbered_classes("class", np.array([_or_nan(value) for value in values]))
    width = len(known[0]) if isinstance(known[0], list) else 0
    for value in known:
        if not isinstance(value, list) or len(value) != width or not 0 < width <= _MOST:
            expected = f"a whole number, or a list of {width or _MOST} numbers, for each image"
            raise wording.refusal(f"the label {repr(value)[:60]} in {place}", expected)
    cells = [[_or_nan(_plain(one)) for one in value or [None] * width] for value in values]
    columns = tuple(LabelColumn(f"label_{i}", "number") for i in range(width))
    return Labels(columns, np.array(cells, np.float32))


def sidecars(files: Files) -> tuple[Files, Labels, tuple[str, ...]]:
    """The photos among the files, and their labels from members of the same name.

    As in WebDataset, a name goes up to its first dot, and what follows says what the member
    holds: `.json` an object with labels, `.cls` the number of a class.

    Returns:
        The files without what belongs to a photo and is none, the labels, and what a reader of
        the manifest should know. Where most photos stand alone, the files as they are.
    """
    members = [_divided(name) for name in files.names]
    photos = {key for key, suffix in members if suffix in _PHOTOS}
    described = {key for key, suffix in members if suffix in _SIDECARS} & photos
    if len(described) <= len(photos) / 2:
        return files, Labels.none(len(files.names)), ()
    beside = {
        (key, suffix): row
        for row, (key, suffix) in enumerate(members)
        if key in photos and suffix not in _PHOTOS
    }
    kept = files.where(lambda name: _divided(name) not in beside)
    keys = [key for key, _ in map(_divided, kept.names)]
    labels, notes = _json_labels(files, [beside.get((key, "json")) for key in keys])
    classes = [_class_number(files, beside.get((key, "cls"))) for key in keys]
    if any(number is not None for number in classes):
        labels = labels.beside(numbered_classes("class", np.array([*map(_or_nan, classes)])))
    others = Counter(suffix for _, suffix in beside if suffix not in ("json", "cls"))
    notes += [
        f"{count:,} .{suffix} beside photos are no labels" for suffix, count in others.most_common()
    ]
    return kept, labels, tuple(notes)


def _json_labels(files: Files, rows: list[int | None]) -> tuple[Labels, list[str]]:
    """A column for each key of the objects in these files; None where a photo has no file."""
    cells: dict[str, dict[int, Any]] = {}
    damaged, skipped = 0, []
    for photo, row in enumerate(rows):
        found = {} if row is None else _json(files, row)
        if not isinstance(found, dict):
            damaged += 1
            continue
        for key, value in found.items():
            cells.setdefault(key, {})[photo] = _plain(value)
    labels = Labels.none(len(rows))
    by_use = sorted(cells, key=lambda key: (-len(cells[key]), key))
    for key in sorted(by_use[:_MOST]):
        column, more = column_of_cells(key, [cells[key].get(row) for row in range(len(rows))])
        skipped += more
        labels = labels.beside(column) if column else labels
    notes = [f"{damaged:,} .json are damaged, their labels are unknown"] if damaged else []
    if by_use[_MOST:]:
        notes.append(f"{len(by_use) - _MOST:,} columns beyond {_MOST} are left out")
    return labels, notes + skipped


def _class_number(files: Files, row: int | None) -> int | None:
    try:
        return None if row is None else int(_read(files, row)[:16])
    except ValueError:
        return None


def _json(files: Files, row: int) -> Any:
    """What a file says; None where it is no JSON."""
    try:
        return json.loads(_read(files, row))
    except (ValueError, RecursionError):
        return None


def _read(files: Files, row: int) -> bytes:
    try:
        return files.read(files.addresses[row])
    except Unusable:
        return b""


def _divided(name: str) -> tuple[str, str]:
    """A name up to its first dot, behind that of an archive, and what follows."""
    path = PurePosixPath(name)
    archive, between, member = path.name.rpartition(BETWEEN)
    stem, _, suffix = member.partition(".")
    return str(path.with_name(archive + between + stem or path.name)), suffix.lower()


def _plain(value: Any) -> Any:
    """The value if a label can hold it."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else None
    if isinstance(value, bool):
        return value
    return value if isinstance(value, int | float) and abs(value) <= _HUGE else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)

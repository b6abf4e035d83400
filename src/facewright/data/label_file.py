"""A user's own labels, from a CSV file with one row for each photo."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from facewright.data.labels import LabelColumn, Labels, class_column
from facewright.errors import DataError

_NAME_COLUMNS = ("file", "filename", "file_name", "image", "image_id", "path", "photo", "name")

# Ways of naming a photo; where they differ, the later ones mean more.
_SHORTENED: tuple[Callable[[PurePosixPath], str], ...] = (
    lambda path: path.stem,
    lambda path: path.name,
    lambda path: str(path.with_suffix("")),
    str,
)


def read_label_file(path: Path, names: Sequence[str]) -> tuple[Labels, tuple[str, ...]]:
    """The labels in a CSV file, one row for each photo.

    The first line names the columns. One of them names the photo: by its path inside the
    source or by its file name, each with or without the suffix, as long as this fits
    one photo only. Columns of 0 and 1 (or -1 and 1) are binary, of numbers are numbers, of
    anything else classes; an empty cell is unknown.

    Args:
        path: of the file; comma, semicolon or tab between the cells.
        names: of the photos.

    Returns:
        The labels, and what does not fit, in words.

    Raises:
        DataError: it cannot be read, or describes none of the photos.
    """
    header, rows = _read(path)
    lowered = [title.strip().lower() for title in header]
    key = next((lowered.index(name) for name in _NAME_COLUMNS if name in lowered), 0)
    places = _places(names)
    cells: list[list[str | None]] = [[None] * len(names) for _ in header]
    described: set[int] = set()
    for row in rows:
        place = places.get(row[key].strip().removeprefix("./")) if len(row) == len(header) else None
        if place is None:
            continue
        described.add(place)
        for column, cell in zip(cells, row, strict=True):
            column[place] = cell.strip() or None
    if not described:
        raise DataError(
            f"{path} describes none of the {len(names)} photos",
            expected=f"names such as {names[0]} in the column {header[key]}",
            fix=f"name the column of file names {_NAME_COLUMNS[0]}",
        )
    labels = Labels.none(len(names))
    for i, title in enumerate(header):
        if i != key:
            labels = labels.beside(_column(title.strip(), cells[i]))
    return labels, _misfits(path.name, len(rows), len(described), len(names))


def _misfits(name: str, rows: int, described: int, photos: int) -> tuple[str, ...]:
    notes = []
    if described < photos:
        few = f"{described:,} of {photos:,} photos"
        notes.append(f"{name} describes {few}, the others' labels are unknown")
    if described < rows:
        notes.append(
            f"{rows - described:,} of {name}'s {rows:,} lines are left out: each names no photo, "
            "several, or one that a later line names, or has too few or too many cells"
        )
    return tuple(notes)


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", expected="a CSV file in UTF-8") from None
    first, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise DataError(
            f"{path} is no table",
            expected="a first line such as file,age and one line for each photo",
        )
    return rows[0], rows[1:]


def _places(names: Sequence[str]) -> dict[str, int | None]:
    """Index of the photo that each way of naming it means; None where several would fit."""
    places: dict[str, int | None] = {}
    for shorten in _SHORTENED:
        level: dict[str, int | None] = {}
        for i, name in enumerate(names):
            key = shorten(PurePosixPath(name))
            level[key] = None if key in level else i
        places |= level
    return places


def _column(title: str, cells: list[str | None]) -> Labels:
    try:
        values = np.array([np.nan if cell is None else float(cell) for cell in cells], np.float32)
    except ValueError:
        return class_column(title, cells)
    known = set(values[~np.isnan(values)].tolist())
    if known <= {0.0, 1.0} or known == {-1.0, 1.0}:
        return Labels(
            (LabelColumn(title, "binary"),), np.where(values == -1, 0, values).reshape(-1, 1)
        )
    return Labels((LabelColumn(title, "number"),), values.reshape(-1, 1))

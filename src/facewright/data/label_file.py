"""Tables of labels as people keep them: CSV of any make, the txt of CelebA, JSON lines."""

import codecs
import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from facewright.errors import DataError
from facewright.schema import Wording, parsed

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")
"""Suffixes of files that are likely tables of labels."""

_LINES = (".jsonl", ".ndjson")
_DELIMITERS = "\t;|,"
_SAMPLE = 50
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_EXPECTED = "a CSV file: a first line such as file,age and one line for each photo"
_AS_CSV = "save it as CSV in UTF-8"


@dataclass(frozen=True)
class Table:
    """The cells of a file.

    Args:
        name: of the file.
        rows: of the same length each, the first of them likely the titles of the columns.
        titled: the first row is known to be the titles.
        delimiter: between cells.
        left_out: how many lines have too few or too many cells.
        notes: what else a reader should know.
    """

    name: str
    rows: list[list[str]]
    titled: bool = False
    delimiter: str = ","
    left_out: int = 0
    notes: tuple[str, ...] = ()


def read_label_table(name: str, content: bytes) -> Table:
    """The table in a file, whatever the delimiter and the encoding.

    Args:
        name: of the file; its suffix tells JSON lines from the others.
        content: of the file.

    Raises:
        DataError: it holds no table.
    """
    text, notes = _decoded(name, content)
    if PurePosixPath(name).suffix.lower() in _LINES:
        return _of_objects(name, text, notes)
    delimiter = _delimiter(name, text)
    rows = _without_preamble(list(_cells(name, text, delimiter)))
    width = _usual_width(rows[:1000])
    if len(rows) < 2 or width < 2:
        raise _no_table(name, "is no table")
    rows = _of_one_width(rows, width)
    kept = [row for row in rows if len(row) == len(rows[0])]
    return Table(name, kept, False, delimiter, len(rows) - len(kept), notes)


def _decoded(name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what had to be guessed about it."""
    if content.startswith(_ARCHIVES):
        raise _no_table(name, "is no text, but an archive or a table of Excel")
    codec = next((codec for bom, codec in _BOMS.items() if content.startswith(bom)), "")
    if not codec and content[:200].count(0) > len(content[:200]) / 4:
        codec = "utf-16-be" if content[0] == 0 else "utf-16-le"
    try:
        text = content.decode(codec or "utf-8")
    except UnicodeDecodeError as error:
        if codec:
            raise _no_table(name, f"cannot be read: {error.reason} as {codec}") from None
        guess = "cp1252" if not set(content) & set(b"\x81\x8d\x8f\x90\x9d") else "latin-1"
        text = content.decode(guess)
        codec = f"no UTF-8, read as {'Windows-1252' if guess == 'cp1252' else 'Latin-1'}"
    if "\0" in text:
        raise _no_table(name, "is no text")
    return text, (f"{name} is {codec}",) if codec.startswith("no") else ()


def _delimiter(name: str, text: str) -> str:
    """What most of the first lines agree on; blanks where no other is there."""

    def agreement(delimiter: str) -> tuple[int, int, int]:
        rows = _without_preamble(list(itertools.islice(_cells(name, text, delimiter), _SAMPLE)))
        width = _usual_width(rows)
        first = text.find(delimiter)
        return sum(len(row) == width for row in rows) if width > 1 else 0, width, -first

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best)[0] else " "


def _cells(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    """Every line that is not empty, as cells without blanks around them."""
    lines: Iterable[str] = io.StringIO(text, newline="")
    if delimiter == " ":
        lines = (line.replace("\t", " ").strip() for line in lines)
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for row in rows:
            if any(cells := [cell.strip() for cell in row]):
                yield cells
    except csv.Error as error:
        raise _no_table(name, f"cannot be read: {error}") from None


def _without_preamble(rows: list[list[str]]) -> list[list[str]]:
    """Comments, what Excel notes for itself, and the count that opens CelebA's tables."""
    for start, row in enumerate(rows[:-1]):
        alone = not any(row[1:])
        counted = alone and row[0].isdecimal() and len(rows[start + 1]) > 1
        comment = row[0].startswith("#") and len(row) != len(rows[start + 1])
        if not (comment or counted or (alone and row[0].startswith("sep="))):
            return rows[start:]
    return rows[-1:]


def _usual_width(rows: Sequence[list[str]]) -> int:
    return Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0


def _of_one_width(rows: list[list[str]], width: int) -> list[list[str]]:
    """The rows, where titles lack one: of the column of names, or of an empty last column."""
    titles = rows[0]
    if len(titles) != width - 1:
        return rows
    if all(row[-1] == "" for row in rows if len(row) == width):
        return [titles, *(row[:-1] if len(row) == width else row for row in rows[1:])]
    return [["", *titles], *rows[1:]]


def _of_objects(name: str, text: str, notes: tuple[str, ...]) -> Table:
    """One JSON object in each line, with the titles as keys."""
    wording = Wording(DataError, origin=name, fix="write one JSON object for each photo")
    objects: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _no_table(name, f"cannot be read: line {number}: {error}") from None
        objects.append(parsed(dict[str, Any], value, f"line {number}", wording))
    return table_of_objects(name, objects, notes)


def table_of_objects(
    name: str, objects: Sequence[dict[str, Any]], notes: tuple[str, ...] = ()
) -> Table:
    """A table of objects with the titles as keys; lists and objects in them are left out."""
    titles = list(dict.fromkeys(key for one in objects for key in one))
    nested = {
        key for one in objects for key, value in one.items()
        if not isinstance(value, str | int | float | bool | None)
    }  # fmt: skip
    kept = [title for title in titles if title not in nested]
    if not kept:
        raise _no_table(name, "is no table")
    left_out = tuple(f"column {_as_cell(key)} is no label" for key in sorted(nested))
    rows = [[_as_cell(one.get(title)) for title in kept] for one in objects]
    return Table(name, [list(map(_as_cell, kept)), *rows], titled=True, notes=(*notes, *left_out))


def _as_cell(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return str(int(value))
    text = "" if value is None else str(value).strip()
    return text.encode("utf-8", "backslashreplace").decode()  # JSON may hold half a character


def _no_table(name: str, found: str) -> DataError:
    return DataError(f"{name} {found}", expected=_EXPECTED, fix=_AS_CSV)

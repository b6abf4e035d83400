"""The numbers of every step as columns: a million lines in seconds."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from facewright import outside
from facewright.records import record

BLOCK_BYTES = 1 << 22
"""Of text that is held at once."""

Cell = float | None | Literal["nan", "inf", "-inf"]
"""A number as a row has it; see `json_form`."""
LACKING = float("nan")
"""Stands, itself and no other, where a row lacks a field."""


def read(path: Path, fields: Iterable[str]) -> tuple[dict[str, np.ndarray], frozenset[str]]:
    """The columns of a log of numbers; all empty if it is missing.

    msgspec reads the lines without making anything of what is not wanted. Where it refuses one,
    they are read as those of all other logs, which names what is wrong.

    Args:
        path: of the log.
        fields: the columns that are wanted.

    Returns:
        A float array for each field, all equally long, NaN where a row has no number; and the
        fields that every row has, be it as NaN.

    Raises:
        RunError: a line is damaged.
    """
    fields = tuple(fields)
    columns = [(field, Cell, LACKING) for field in fields]
    decoder = msgspec.json.Decoder(msgspec.defstruct("Row", columns, gc=False))
    parts, recorded = [np.empty((0, len(fields)))], frozenset(fields)
    for number, lines in _blocks(path):
        try:
            # One line at a time: all at once, blank lines and rows over two lines would pass.
            table = [msgspec.structs.astuple(decoder.decode(line)) for line in lines]
        except (msgspec.DecodeError, UnicodeDecodeError):
            rows = record.parsed_lines(path, lines, record.StepRow, number)
            table = [tuple(row.get(field, LACKING) for field in fields) for row in rows]
        part = np.array(table, dtype=np.float64)  # also of None and words: NaN, infinity
        parts.append(part)
        recorded -= {
            fields[place]
            for place in np.flatnonzero(np.isnan(part).any(axis=0))
            if any(cells[place] is LACKING for cells in table)
        }
    whole = np.concatenate(parts)
    return {field: whole[:, place].copy() for place, field in enumerate(fields)}, recorded


def _blocks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Whole lines, some at once, with the number of the first of them."""
    try:
        file = outside.opened(path, record.DAMAGED)
    except FileNotFoundError:
        return
    number = 1
    with file:
        while lines := file.readlines(BLOCK_BYTES):
            whole = lines if lines[-1].endswith(b"\n") else lines[:-1]
            if whole:
                yield number, whole
            number += len(lines)

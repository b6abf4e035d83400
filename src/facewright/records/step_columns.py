"""The numbers of every step as columns: a million lines in seconds."""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from facewright import outside
from facewright.records import record

BLOCK_BYTES = 1 << 22
"""Of text that is held at once."""

AS_NUMBERS = (
    (b"e-", b"E-"),
    (b"e+", b"E+"),
    (b'"nan"', b"NAN"),
    (b'"inf"', b"INF"),
    (b'"-inf"', b"-INF"),
    (b"null", b"NAN"),
)
"""What of a number is written in the letters of keys, and what it becomes."""
OF_NUMBERS = b"0123456789.+-EINFA"
OF_KEYS = b'abcdefghijklmnopqrstuvwxyz_":{},'


def read(path: Path, fields: Iterable[str]) -> tuple[dict[str, np.ndarray], frozenset[str]]:
    """The columns of a log of numbers; all empty if it is missing.

    Lines with the same keys in the same order, as a training writes them, are read without making
    an object of each; others one by one.

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
    recorded = frozenset(fields)
    parts: dict[str, list[np.ndarray]] = {field: [np.empty(0)] for field in fields}
    for number, lines in _blocks(path):
        found = _alike(lines)
        if found is None:
            rows = list(record.parsed_lines(path, lines, record.StepRow, number))
            # numpy turns None into NaN here, which is what a missing number should be.
            found = {
                field: np.array([row.get(field) for row in rows], dtype=np.float64)
                for field in fields
            }
            recorded &= frozenset(field for field in fields if all(field in row for row in rows))
        recorded &= found.keys()
        for field in fields:
            parts[field].append(found.get(field, np.full(len(lines), np.nan)))
    return {field: np.concatenate(parts.pop(field)) for field in fields}, recorded


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


def _alike(lines: Sequence[bytes]) -> dict[str, np.ndarray] | None:
    """Their columns, if all lines differ in nothing but numbers; else `None`."""
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict) or not all(re.fullmatch("[a-z_]+", key) for key in first):
        return None
    text = b"".join(lines)
    for word, number in AS_NUMBERS:
        if word in text:
            text = text.replace(word, number)
    between = text.translate(None, OF_NUMBERS)
    if between != between[: between.index(b"\n") + 1] * len(lines):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # a text that is no number to its end
        try:
            numbers = np.fromstring(text.translate(None, OF_KEYS), sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    if numbers.size != len(lines) * len(first):
        return None
    table = numbers.reshape(len(lines), len(first))
    return {key: table[:, place].copy() for place, key in enumerate(first)}

"""What the cells of a column say: 0 or 1, numbers, or names of classes."""

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from facewright.data.labels import LabelColumn, Labels, class_column

FEW_NUMBERS = 10
"""With more different numbers than this, the other cells are slips, and no classes."""

_LARGEST = float(np.finfo(np.float32).max)
_FEW_CLASSES, _MOST_CLASSES = 5, 20_000
_UNKNOWN = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "?", "-", "--", ".", "/"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)


def label_of_cells(
    title: str, cells: Sequence[str | None], *, delimiter: str = ""
) -> tuple[Labels | None, tuple[str, ...]]:
    """A column of text as a label.

    Numbers are numbers, and "binary" where all are 0 or 1, or -1 or 1. Cells that are none are
    unknown where numbers are many and most; else all cells are names of classes.

    Args:
        title: of the column.
        cells: one for each photo; None, and words such as NA, are unknown.
        delimiter: between cells, which tells what a comma inside of one is.

    Returns:
        The label, or None where nothing is known, or nearly each photo has a word of its own;
        and what a reader should know of it.
    """
    counts = Counter(cells)  # of 200,000 cells hardly any is the first of its kind
    words = [word for word in counts if word is not None and word.casefold() not in _UNKNOWN]
    if not words:
        return None, (f"column {title} is left out: it holds no values",)
    comma, notes = _comma(title, words, delimiter)
    numbers = {word: _number(word, comma) for word in words}
    slips = [word for word in words if numbers[word] is None]
    slipped, filled = (sum(counts[word] for word in some) for some in (slips, words))
    many = len({*numbers.values()} - {None}) > FEW_NUMBERS
    if slips and not (many and 2 * slipped < filled):
        label = label_of_words(title, [cell if cell in numbers else None for cell in cells])
        left_out = f"column {title} is left out: it has a word of its own for nearly each photo"
        return label, () if label else (left_out,)
    if slips:
        notes += (f"{title}: {slipped:,} cells are no numbers, such as '{slips[0][:40]}'",)
    return label_of_numbers(title, [numbers.get(cell or "") for cell in cells]), notes


def label_of_words(title: str, words: Sequence[str | None]) -> Labels | None:
    """Classes, unless nearly each photo has one of its own."""
    most = min(_MOST_CLASSES, max(_FEW_CLASSES, len(words) / 2))
    return class_column(title, words) if len(set(words) - {None}) <= most else None


def label_of_numbers(title: str, numbers: Sequence[float | None]) -> Labels:
    """Numbers; "binary" where all are 0 or 1, or -1 or 1."""
    values = np.array([np.nan if n is None else n for n in numbers], np.float32)
    known = set(values[~np.isnan(values)].tolist())
    if known <= {0.0, 1.0} or known <= {-1.0, 1.0}:
        binary = np.where(values == -1, 0, values).reshape(-1, 1)
        return Labels((LabelColumn(title, "binary"),), binary)
    return Labels((LabelColumn(title, "number"),), values.reshape(-1, 1))


def same_cell(one: str, other: str) -> bool:
    """Do two cells say the same, as 1 and 1.0 do?"""
    number = _number(one)
    return one == other or (number is not None and number == _number(other))


def _comma(title: str, words: Sequence[str], delimiter: str) -> tuple[str, tuple[str, ...]]:
    """What stands in place of a comma in this column's numbers."""
    with_comma = [word for word in words if "," in word and word.strip("+-0123456789.,") == ""]
    if not with_comma:
        return ",", ()
    grouped = all(_THOUSANDS.fullmatch(word) for word in with_comma)
    several = any(word.count(",") > 1 for word in with_comma)
    if grouped and (several or delimiter == ","):
        return "", (f"{title}: commas are read as separators of thousands",)
    if all(_DECIMAL_COMMA.fullmatch(word) for word in with_comma):
        return ".", (f"{title}: commas are read as decimal points",)
    return ",", ()


def _number(cell: str, comma: str = ",") -> float | None:
    """The number in a cell; None where there is none that a store can hold."""
    text = cell.replace(",", comma)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if abs(number) <= _LARGEST else None

"""Logs of other programs: CSV, JSON, TensorBoard events and printed lines, as rows of numbers."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facewright import outside
from facewright.errors import MissingExtraError, RunError
from facewright.json_form import restored
from facewright.records.run_folder import RunFolder
from facewright.schema import Wording

WORDING = Wording(RunError, fix="a log as CSV, JSON lines, TensorBoard events or printed lines")

Row = dict[str, float]

_EVENTS = "tfevents"
_DELIMITERS = (",", ";", "\t")
_LONGEST_LINE = 4_000
_ABOUT_A_COLUMN = ("__MIN", "__MAX")
"""W&B exports beside each column its least and greatest value of the plotted points."""

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)\b"
_PRINTED = re.compile(
    rf"(?P<name>[a-z][\w()./ -]{{0,40}}?)\s*[:=]\s*(?P<value>{_NUMBER})"
    rf"|\b(?P<count>epoch|batch|iter|iteration|step)\s*#?\s*(?P<number>\d+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ForeignLog:
    """Numbers that another program wrote down while it trained.

    Args:
        kind: `CSV`, `JSON`, `TensorBoard events` or `printed lines`.
        rows: oldest first; a row has the columns of which it has a number.
    """

    kind: str
    rows: list[Row]

    @property
    def names(self) -> list[str]:
        """Of all columns, in the order in which they first occur."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


def is_foreign_log(path: Path) -> bool:
    """Is this a file, or a folder with TensorBoard's events that is no run of ours?"""
    return path.is_file() or (bool(_events(path)) and not RunFolder(path).config.exists())


def read_log(path: Path) -> ForeignLog:
    """Read anybody's log.

    Args:
        path: a file, of whose content its kind is seen; or a folder of TensorBoard's events.

    Raises:
        RunError: it cannot be read, or holds no numbers.
        MissingExtraError: TensorBoard's events without the extra `tensorboard`.
    """
    events = _events(path) if path.is_dir() else [path] if _EVENTS in path.name else []
    if events:
        log = ForeignLog("TensorBoard events", _event_rows(events))
    else:
        log = _text_log(path, outside.text_of(path, WORDING, encoding="utf-8-sig"))
    if not log.names:
        raise WORDING.refusal(f"{path}: no numbers found", "a log of a training")
    return log


def _text_log(path: Path, text: str) -> ForeignLog:
    begin = text.lstrip()[:1]
    first = next((line for line in text.splitlines() if line.strip()), "")
    if begin == "{" and first.rstrip().endswith("}"):
        return ForeignLog("JSON", _flat_rows(_lines_of_json(path, text)))
    if begin == "{" or (begin == "[" and text.lstrip()[1:].lstrip()[:1] == "{"):
        return ForeignLog("JSON", _flat_rows(_rows_of_json(path, text)))
    rows = _csv_rows(path, text, first)
    if rows:
        return ForeignLog("CSV", rows)
    return ForeignLog("printed lines", [row for row in map(_printed, text.splitlines()) if row])


def _lines_of_json(path: Path, text: str) -> Iterator[Any]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield outside.json_in(line, f"{path}, line {number}", WORDING)
        except RunError:
            if number < len(lines):  # the last one may have been cut short
                raise


def _rows_of_json(path: Path, text: str) -> Iterable[Any]:
    """A list of objects, or an object of lists, of which each is a column."""
    found = outside.json_in(text, str(path), WORDING)
    if isinstance(found, list):
        return found
    found = found.get("log_history", found)  # Hugging Face's trainer
    if isinstance(found, list):
        return found
    columns = {name: cells for name, cells in found.items() if isinstance(cells, list)}
    length = max(map(len, columns.values()), default=0)
    return [
        {name: cells[i] for name, cells in columns.items() if i < len(cells)} for i in range(length)
    ]


def _flat_rows(values: Iterable[Any]) -> list[Row]:
    return [dict(_flat(restored(value))) for value in values if isinstance(value, Mapping)]


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """Names and numbers, of inner objects as "outer/inner".

    StyleGAN's `stats.jsonl` has for each of its numbers an object with their mean.
    """
    for name, one in value.items():
        full = f"{above}/{name}" if above else name
        number = _number(one.get("mean") if isinstance(one, Mapping) else one)
        if number is not None:
            yield full, number
        elif isinstance(one, Mapping):
            yield from _flat(one, full)


def _csv_rows(path: Path, text: str, titles: str) -> list[Row]:
    """Rows of numbers under a line of titles; none if this is no such table."""
    delimiter = max(_DELIMITERS, key=titles.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = (line for line in lines if any(cell.strip() for cell in line))
        names = [name.strip() for name in next(cells, [])]
        if len(names) < 2 or any(map(_is_written_number, names)):
            return []
        first = next(cells, [])
        if len(first) != len(names) or not any(map(_is_written_number, first)):
            return []
        table = [first, *cells]
    except csv.Error as error:
        raise WORDING.refusal(f"{path} cannot be read: {error}", "a table") from None
    kept = [i for i, name in enumerate(names) if name and not name.endswith(_ABOUT_A_COLUMN)]
    return [
        {names[i]: float(row[i]) for i in kept if i < len(row) and _is_written_number(row[i])}
        for row in table
    ]


def _printed(line: str) -> Row:
    """The numbers of a line such as "[Epoch 3/200] [D loss: 0.69] [G loss: 0.71]"."""
    found = islice(_PRINTED.finditer(line[:_LONGEST_LINE]), 100)
    pairs = ((m["name"] or m["count"], m["value"] or m["number"]) for m in found)
    return {name.strip(): float(number) for name, number in pairs}


def _events(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{_EVENTS}*") if path.is_file())


def _event_rows(paths: Iterable[Path]) -> list[Row]:
    """One row for each step, with the scalars written in it.

    Raises:
        MissingExtraError: the extra `tensorboard` is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError:
        raise MissingExtraError.of("tensorboard", "reading TensorBoard events") from None
    rows: dict[int, Row] = {}
    for path in paths:
        outside.opened(path, WORDING).close()
        accumulator = EventAccumulator(str(path), size_guidance={SCALARS: 0, "tensors": 0})
        try:
            accumulator.Reload()
        except Exception as error:  # its readers raise what their parsers do
            found = f"{path} cannot be read: {type(error).__name__}"
            raise WORDING.refusal(found, "TensorBoard events") from None
        for tag in accumulator.Tags()["scalars"]:
            for event in accumulator.Scalars(tag):
                rows.setdefault(event.step, {"step": event.step})[tag] = event.value
        for tag in accumulator.Tags()["tensors"]:  # as TensorFlow 2 writes scalars
            for event in accumulator.Tensors(tag):
                value = make_ndarray(event.tensor_proto)
                if value.size == 1 and np.issubdtype(value.dtype, np.number):
                    rows.setdefault(event.step, {"step": event.step})[tag] = float(value.item())
    return [rows[step] for step in sorted(rows)]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf


def _is_written_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

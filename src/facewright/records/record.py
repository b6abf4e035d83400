"""Lines of JSON: written so that a crash loses at most the last one.

A number that is not finite is written as in `json_form`. Earlier versions wrote null in
`steps.jsonl` and for the open end of an interval; readers take a null there for such a number.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

from facewright import outside
from facewright.atomic import naming, write_atomically
from facewright.errors import RunError
from facewright.json_form import dumps, restored
from facewright.records.rows import Moment
from facewright.records.run_folder import STEPS
from facewright.schema import Number, Wording, parsed

STEP_FIELDS = {
    "step": "Steps so far: the discriminator moves, then the generator.",
    "images_seen": "Real images shown to the discriminator so far.",
    "d_loss": "Discriminator's loss, penalties not included.",
    "g_loss": "Generator's loss, penalties not included.",
    "d_real": "D(x): mean of the sigmoid of the logits on real images.",
    "d_fake": "D(G(z)): mean of the sigmoid of the logits on generated images.",
    "real_logit": "Mean logit on real images.",
    "fake_logit": "Mean logit on generated images.",
    "real_logit_std": "Standard deviation of the real logits inside the batch.",
    "fake_logit_std": "Standard deviation of the fake logits inside the batch.",
    "paired_accuracy": "Share of (real, fake) pairs in which the real image has the higher logit.",
    "d_penalty": "Penalties added to the discriminator's loss, weighted. With "
    "`loss.penalty_every` = k, the slope's are k times as large in every k-th update and missing "
    "from the others, so that the mean over k updates compares; of the last update of a step, "
    "where `train.d_steps` makes several.",
    "d_grad_norm": "Length of the discriminator's gradient.",
    "g_grad_norm": "Length of the generator's gradient.",
    "lr_factor": "Learning rates in this step over those set in `[optimiser]` (only with "
    "`schedule.lr_to`).",
    "augment_probability": "How likely each kind of distortion was to meet each image in this "
    "step (only with `augment.adaptive`).",
    "overfitting": "The signal that this probability follows (`augment.signal`), smoothed, as "
    "known at this step; none in the first ones (only with `augment.adaptive`).",
    "seconds": "Training time so far, over all sessions.",
    "images_per_second": "Speed over the last second or so.",
}
"""Each number that a step records, with its one definition."""

StepRow = TypedDict("StepRow", dict.fromkeys(STEP_FIELDS, Number | None), total=False)  # pyright: ignore
"""A row of `steps.jsonl`: a number, or null, for each field that the run records."""

ALWAYS_FINITE = (
    *("d_loss", "g_loss", "real_logit", "fake_logit"),
    *("d_penalty", "d_grad_norm", "g_grad_norm"),
)
"""Numbers of a step of which none may be infinite or NaN: with one that is, training is over."""

_BLOCK_BYTES = 1 << 16

TIMING_FIELDS = ("seconds", "images_per_second")
"""The only fields in which a resumed run differs from an uninterrupted one."""


def append(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to a JSON-lines file; they are on the disk when this returns.

    A last line that a crash cut short goes: rows after it would stand on the same line.

    Raises:
        OSError: they cannot be written; the file is as it was then.
    """
    text = "".join(dumps(row) + "\n" for row in rows)
    with naming(path), path.open("ab+", buffering=0) as file:
        end = _end_of_lines(file)
        file.truncate(end)
        try:
            _write(file, text.encode())
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(end)
            raise


def _end_of_lines(file: BinaryIO, end: int | None = None) -> int:
    """Where the last whole line before a place ends, or before the end of the file."""
    end = file.seek(0, os.SEEK_END) if end is None else end
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _write(file: BinaryIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:  # a disk that gets full takes a part first, and says so at the next one
        rest = rest[file.write(rest) :]


DAMAGED = Wording(RunError, fix="remove that line, or take the file from a copy of the run")


def read(path: Path, kind: type) -> Iterator[dict[str, Any]]:
    """The rows of a JSON-lines file, infinite numbers and NaN among them; none if it is missing.

    A last line that a crash cut short is left out.

    Args:
        path: of the file.
        kind: of its rows, one of `rows.py`.

    Raises:
        RunError: a line elsewhere is damaged, or is no such row.
    """
    try:
        file = outside.opened(path, DAMAGED)
    except FileNotFoundError:
        return
    with file:
        yield from parsed_lines(path, file, kind)


def parsed_lines(
    path: Path, lines: Iterable[bytes], kind: type, first: int = 1
) -> Iterator[dict[str, Any]]:
    """The rows of some lines of a file, of which the first has this number; see `read`."""
    for number, line in enumerate(lines, start=first):
        if line.endswith(b"\n"):
            place = f"{path}, line {number}"
            text = line.decode("utf-8", errors="replace")
            yield parsed(kind, restored(outside.json_in(text, place, DAMAGED)), place, DAMAGED)


def last(path: Path, kind: type) -> dict[str, Any] | None:
    """The last whole row, without reading those before it; `None` if there is none.

    Raises:
        RunError: it is damaged.
    """
    return next((row for _, row in _backwards(path, kind)), None)


def count(path: Path) -> int:
    """How many lines a file has; 0 if it is missing."""
    try:
        file = outside.opened(path, DAMAGED)
    except FileNotFoundError:
        return 0
    with file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _backwards(path: Path, kind: type) -> Iterator[tuple[int, dict[str, Any]]]:
    """Where each row begins in the file, and the row, the last one first."""
    try:
        file = outside.opened(path, DAMAGED)
    except FileNotFoundError:
        return
    with file:
        end = _end_of_lines(file)
        while end > 0:
            begin = _end_of_lines(file, end - 1)
            file.seek(begin)
            (row,) = parsed_lines(path, [file.read(end - begin)], kind)
            yield begin, row
            end = begin


def cut(path: Path, images_seen: int, *, ended: bool = False) -> None:
    """Forget every row after so many images, as a resumed run will write them again.

    Args:
        path: the log.
        images_seen: where the run goes on.
        ended: it is at its end and stays there. If not, rows marked `final` go too: they belong
            to the end of a run, which is now elsewhere.
    """
    if not path.exists():
        return
    if path.name == STEPS:
        _cut_end(path, images_seen)
        return
    kept = [
        row
        for row in read(path, Moment)
        if row["images_seen"] <= images_seen and (ended or not row.get("final"))
    ]
    write_atomically(path, "".join(dumps(row) + "\n" for row in kept))


def _cut_end(path: Path, images_seen: int) -> None:
    """The same for the log whose rows stand in the order of the images seen: it may be long."""
    with path.open("rb+", buffering=0) as file:
        end = _end_of_lines(file)
        for begin, row in _backwards(path, Moment):
            if row["images_seen"] <= images_seen:
                break
            end = begin
        file.truncate(end)

"""Lines of JSON: written so that a crash loses at most the last one.

A number that is not finite is written as in `json_form`. Earlier versions wrote null in
`steps.jsonl` and for the open end of an interval; readers take a null there for such a number.
"""

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from facewright import outside
from facewright.errors import RunError
from facewright.json_form import dumps, restored
from facewright.records.rows import Moment
from facewright.schema import Wording, parsed

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

ALWAYS_FINITE = (
    *("d_loss", "g_loss", "real_logit", "fake_logit"),
    *("d_penalty", "d_grad_norm", "g_grad_norm"),
)
"""Numbers of a step of which none may be infinite or NaN: with one that is, training is over."""

TIMING_FIELDS = ("seconds", "images_per_second")
"""The only fields in which a resumed run differs from an uninterrupted one."""


def append(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to a JSON-lines file; they are on the disk when this returns."""
    text = "".join(dumps(row) + "\n" for row in rows)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


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
    with io.TextIOWrapper(file, encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith("\n"):
                place = f"{path}, line {number}"
                row = restored(outside.json_in(line, place, DAMAGED))
                yield parsed(kind, row, place, DAMAGED)


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
    kept = [
        row
        for row in read(path, Moment)
        if row["images_seen"] <= images_seen and (ended or not row.get("final"))
    ]
    write_atomically(path, "".join(dumps(row) + "\n" for row in kept))


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file's content: readers see the old or the new, never a part."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)

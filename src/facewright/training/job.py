"""What a session of training is given, and what it gives back."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facewright.config import Config
from facewright.data.store import Store
from facewright.errors import RunError, is_out_of_memory, of_the_system, quoted
from facewright.records.run_folder import RunFolder
from facewright.training.loop import Callback
from facewright.training.recorder import Recorder

Status = Literal["finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Extras:
    """What the caller adds to a run; all of it must be picklable for several processes.

    Args:
        score: held-out and generated images, (N, H, W, C) uint8 each -> rows of
            `metrics.jsonl`. The first one ranks the checkpoints: lower is better.
        after_sample: called with the run folder after each sample sheet.
        callbacks: called with config and recorder in the first process; make more
            callbacks, which are entered as context managers for the length of the session.
            One that raises a `ProblemError` stops the run, in all processes.
        sinks: called with the run folder; make receivers of the recorded rows, which never
            raise: only callbacks may stop a run.
    """

    score: Callable[[np.ndarray, np.ndarray], Sequence[dict[str, Any]]] | None = None
    after_sample: Callable[[RunFolder], None] | None = None
    callbacks: Sequence[Callable[[Config, Recorder], AbstractContextManager[Callback]]] = ()
    sinks: Sequence[Callable[[RunFolder], Callable[[list[dict[str, Any]]], None]]] = ()


@dataclass(frozen=True)
class Job:
    """One session of training.

    Args:
        config: all settings.
        store: the photos; other processes open the same folder again.
        run: folder, made by `begin` or by an earlier session.
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: processes that share each batch.
        extras: what the caller adds.
        recipe: what the settings started from, for the record.
    """

    config: Config
    store: Store
    run: Path
    accelerator: str = "auto"
    devices: int = 1
    extras: Extras = dataclasses.field(default_factory=Extras)
    recipe: str = ""

    def photos(self) -> dict[str, Any]:
        """What identifies the photos, in the form of `environment.json`."""
        store = self.store
        return {
            "path": str(store.path.resolve()),
            "content_hash": store.content_hash,
            "train": len(store.train),
            "val": len(store.val),
        }


@dataclass(frozen=True)
class Outcome:
    """How a session ended.

    Args:
        status: a run that a problem has stopped failed.
        step: steps so far, over all sessions.
        images_seen: the same for images.
        seconds: the same for training time.
        message: what went wrong.
        finding: the problem, as in `findings.jsonl`; `None` if there was none, or nobody who
            could name it.
    """

    status: Status
    step: int
    images_seen: int
    seconds: float
    message: str = ""
    finding: dict[str, Any] | None = None


@contextlib.contextmanager
def disk_errors(run: Path) -> Iterator[None]:
    """Inside, trouble with the disk becomes a `RunError` that says what to do."""
    try:
        yield
    except OSError as error:
        if is_out_of_memory(error):
            raise
        if not run.exists() and isinstance(error, FileNotFoundError):
            raise RunError(
                f"{run} is not there any more",
                expected="a run folder that stays where it is while it is trained",
                fix="facewright resume RUN, where it is now",
            ) from error
        found, again = of_the_system(error), f"facewright resume {quoted(run)}"
        what = found.what if error.filename else f"{run}: {found.what}"
        raise RunError(
            f"cannot write {what}",
            expected=found.expected,
            fix=f"{found.fix}; then: {again}"
            if RunFolder(run).config.exists()
            else f"{found.fix}; or another --out",
        ) from error

"""The callback that records every step, and the errors by which callbacks stop a run."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from facewright.config import Config, ScheduleConfig
from facewright.errors import FacewrightError
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.training.schedule import lr_factor
from facewright.training.state import TrainState
from facewright.training.step import Stats

FLUSH_STEPS = 50
"""Steps between two readings of the numbers: on a GPU each one waits for the device."""


def due(images_seen: int, shown: int, every: int) -> bool:
    """Did the last step, which showed so many images, reach a multiple of `every`?"""
    return every > 0 and images_seen // every > (images_seen - shown) // every


class ProblemError(FacewrightError):
    """Something went wrong with the training, and the run must stop.

    A callback that raises it after a step stops all processes of the run; the state is saved. One
    may also raise it when it is closed, in place of a `DivergedError` of which it knows more.

    Args:
        finding: as in `findings.jsonl`.
        expected: what was expected instead.
    """

    def __init__(
        self, finding: Mapping[str, Any], expected: str = "a training that gets better"
    ) -> None:
        self.finding = dict(finding)
        what = f"{finding['verdict']}: {finding['message']}"
        super().__init__(what, expected=expected, fix=finding["remedy"])

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.finding, self.expected)


class DivergedError(FacewrightError):
    """A number of a step is not finite: training is over, and its state is not worth saving.

    Args:
        row: the first such step, as in `steps.jsonl`.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = dict(row)
        names = " and ".join(name for name in record.ALWAYS_FINITE if not math.isfinite(row[name]))
        super().__init__(
            f"{names} not finite at step {row['step']}, after {row['images_seen']:,} images",
            expected="finite numbers; the last good checkpoint is intact",
            fix="lower learning rates, or --on-problem mend",
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.row,)


class Recorder:
    """Writes `steps.jsonl`, and stops the run at the first number that is not finite.

    Present in every process, so that all of them stop together; one of them writes.

    Args:
        folder: of the run.
        config: all settings. The numbers are read before each checkpoint and each sheet, so
            that none of them ever holds the consequences of a bad step.
        shown: images in a step.
        seconds: training time before this session.
        sinks: get the same rows (for example TensorBoard).
        writes: is this the process that writes?
    """

    def __init__(
        self,
        folder: RunFolder,
        config: Config,
        shown: int,
        *,
        seconds: float,
        sinks: Sequence[Callable[[list[dict[str, Any]]], None]],
        writes: bool,
    ) -> None:
        self.folder, self.shown, self.sinks, self.writes = folder, shown, sinks, writes
        self.moments = (config.record.checkpoint_images, config.record.sample_images)
        self.schedule = config.schedule
        self.speed = 0.0
        self.latest: dict[str, Any] = {}
        self._waiting: list[tuple[dict[str, Any], Stats]] = []
        self._seconds = seconds

    def __call__(self, state: TrainState, stats: Stats) -> None:
        """Note one step; now and then write the notes down."""
        self._measure_speed(state)
        head = {"step": state.step, "images_seen": state.images_seen}
        head |= _scheduled(self.schedule, state.images_seen - self.shown) | _adapted(state)
        tail = {"seconds": round(state.seconds, 3), "images_per_second": round(self.speed, 1)}
        self._waiting.append((head | tail, stats))
        if state.step % FLUSH_STEPS == 0 or any(
            due(state.images_seen, self.shown, every) for every in self.moments
        ):
            self.flush()

    def flush(self) -> None:
        """Write what is waiting.

        Raises:
            DivergedError: one of the numbers is not finite; it is written down all the same.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        names = list(waiting[0][1])
        table = torch.stack([torch.stack([s[n].float() for n in names]) for _, s in waiting])
        rows = [
            head | dict(zip(names, values, strict=True))
            for (head, _), values in zip(waiting, table.tolist(), strict=True)
        ]
        if self.writes:
            record.append(self.folder.steps, rows)
            for sink in self.sinks:
                sink(rows)
        self.latest = rows[-1]
        for row in rows:
            if not all(math.isfinite(row[name]) for name in record.ALWAYS_FINITE):
                raise DivergedError(row)

    def _measure_speed(self, state: TrainState) -> None:
        lasted = state.seconds - self._seconds
        self._seconds = state.seconds
        if lasted > 0:
            now = self.shown / lasted
            # An exponential average over about one second; a long pause, as for a checkpoint,
            # is no news about the speed of steps.
            weight = 1 - math.exp(-min(lasted, 0.2)) if self.speed else 1
            self.speed += (now - self.speed) * weight


def _scheduled(schedule: ScheduleConfig, images_seen: int) -> dict[str, float]:
    if schedule.lr_to == 1:
        return {}
    return {"lr_factor": lr_factor(schedule, images_seen)}


def _adapted(state: TrainState) -> dict[str, float]:
    if state.adaptation is None:
        return {}
    adaptation = state.adaptation
    return {"augment_probability": adaptation.probability, "overfitting": adaptation.signal}

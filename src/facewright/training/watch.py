"""Those who look on while the players play, and write down what they see."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from facewright.config import Config, ScheduleConfig
from facewright.errors import FacewrightError
from facewright.records import record
from facewright.records.folder import RunFolder
from facewright.training.schedule import lr_factor
from facewright.training.state import TrainState
from facewright.training.step import Stats

FLUSH_STEPS = 50
"""Steps between two looks at the numbers: on a GPU each look waits for the device."""


def due(images_seen: int, shown: int, every: int) -> bool:
    """Did the last step, which showed so many images, reach a multiple of `every`?"""
    return every > 0 and images_seen // every > (images_seen - shown) // every


class ProblemError(FacewrightError):
    """Something went wrong with the training, and the run shall stop.

    A watcher that raises it stops all processes of the run; the state is saved.

    Args:
        finding: as in `findings.jsonl`.
        expected: what was expected instead.
    """

    def __init__(self, finding: Mapping[str, Any], expected: str = "") -> None:
        self.finding = dict(finding)
        what = f"{finding['verdict']}: {finding['message']}"
        super().__init__(what, expected=expected, fix=finding["remedy"])

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.finding, self.expected)


class DivergedError(ProblemError):
    """A loss or a gradient is no finite number any more: there is nothing worth saving."""


class Recorder:
    """Writes `steps.jsonl`, and stops the run at the first number that is not finite.

    Present in every process, so that all of them stop together; one of them writes.

    Args:
        folder: of the run.
        config: all settings. The numbers are looked at before each checkpoint and each sheet,
            so that none of them ever holds the consequences of a bad step.
        shown: images in a step.
        seconds: training time before this session.
        sinks: get the same rows (for example TensorBoard).
        writes: is this the process that writes?
    """

    WATCHED = ("d_loss", "g_loss", "d_penalty", "d_grad_norm", "g_grad_norm")

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
            record.append(self.folder.steps, map(_as_json, rows))
            for sink in self.sinks:
                sink(rows)
        self.latest = rows[-1]
        for row in rows:
            bad = [name for name in self.WATCHED if not math.isfinite(row[name])]
            if bad:
                self._report(row, bad)

    def _measure_speed(self, state: TrainState) -> None:
        lasted = state.seconds - self._seconds
        self._seconds = state.seconds
        if lasted > 0:
            now = self.shown / lasted
            # An exponential average over about one second; a long pause, as for a checkpoint,
            # is no news about the speed of steps.
            weight = 1 - math.exp(-min(lasted, 0.2)) if self.speed else 1
            self.speed += (now - self.speed) * weight

    def _report(self, row: dict[str, Any], bad: list[str]) -> None:
        finding = {
            "code": "NC01",
            "verdict": "divergence",
            "message": f"{' and '.join(bad)} became {row[bad[0]]} at step {row['step']}",
            "evidence": {name: str(row[name]) for name in self.WATCHED},
            "first_seen_images": row["images_seen"],
            "images_seen": row["images_seen"],
            "remedy": "lower both learning rates (--set optimiser.lr_g=... optimiser.lr_d=...), "
            "or penalise the discriminator's slope (--set loss.r1=1)",
            "source": "Mescheder et al. 2018, arXiv:1801.04406",
            "grade": "problem",
        }
        if self.writes:
            record.append(self.folder.findings, [finding])
        raise DivergedError(finding, "finite numbers; the last good checkpoint is intact")


def _scheduled(schedule: ScheduleConfig, images_seen: int) -> dict[str, float]:
    if schedule.lr_to == 1:
        return {}
    return {"lr_factor": lr_factor(schedule, images_seen)}


def _adapted(state: TrainState) -> dict[str, float]:
    if state.adaptation is None:
        return {}
    adaptation = state.adaptation
    return {"augment_probability": adaptation.probability, "overfitting": adaptation.signal}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN: it is written as null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }

"""Those who look on while the players play, and write down what they see."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from facewright.conditions import Conditioning
from facewright.config import Config, RecordConfig, ScheduleConfig
from facewright.errors import FacewrightError
from facewright.images import grid, save_png, to_pixels
from facewright.models.conditional import informed
from facewright.records import checkpoints, record
from facewright.records.folder import RunFolder
from facewright.rng import rng_for
from facewright.training.schedule import lr_factor
from facewright.training.state import TrainState
from facewright.training.step import Stats

FLUSH_STEPS = 50
"""Steps between two looks at the numbers: on a GPU each look waits for the device."""

SHEET = 64
"""Images on a sample sheet."""


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
        super().__init__(finding["message"], expected=expected, fix=finding["remedy"])

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


@dataclass(frozen=True)
class Sampler:
    """Draws the same latents again and again, so that one can watch faces appear.

    Args:
        folder: of the run.
        settings: how often.
        shown: images in a step.
        seed: of the run.
        z_dim: length of a latent vector.
        conditioning: which labels are asked for, as often as photos have them.
        then: called with the run folder after each sheet.
    """

    folder: RunFolder
    settings: RecordConfig
    shown: int
    seed: int
    z_dim: int
    conditioning: Conditioning
    then: Callable[[RunFolder], None] | None

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Draw a sheet when one is due."""
        if due(state.images_seen, self.shown, self.settings.sample_images):
            self.draw(state)

    def draw_end(self, state: TrainState) -> None:
        """Draw the last sheet of a finished run, if it was not due anyway."""
        if not due(state.images_seen, self.shown, self.settings.sample_images):
            self.draw(state, self.folder.last_sample(state.images_seen))

    def forget_end(self) -> None:
        """The run goes on from its former end: a sheet drawn there was not due."""
        for sheet in self.folder.samples.glob("*-end.png"):
            sheet.unlink()

    def draw(self, state: TrainState, path: Path | None = None) -> None:
        """Draw a sheet now."""
        rng = rng_for(self.seed, 0, "samples")
        z = torch.randn(SHEET, self.z_dim, generator=rng)
        sheet = grid(generated(state.ema.network, z, self.conditioning.draw(SHEET, rng)))
        target = path or self.folder.sample(state.images_seen)
        save_png(sheet, target, scale=2 if len(sheet) < 400 else 1)
        if self.then is not None:
            self.then(self.folder)


class Scorer:
    """Scores the moments that are due to be saved, before anybody goes by the scores.

    Only those have a score, so that the moments at which a run was interrupted leave no trace
    in its records.

    Args:
        folder: of the run.
        settings: how often.
        shown: images in a step.
        score: rows of `metrics.jsonl`, of which the first ranks the checkpoints (lower is
            better); none when there is nothing to score with.
    """

    def __init__(
        self,
        folder: RunFolder,
        settings: RecordConfig,
        shown: int,
        score: Callable[[TrainState], list[dict[str, Any]]],
    ) -> None:
        self.folder, self.settings, self.shown, self.score = folder, settings, shown, score
        self._latest: tuple[int, Mapping[str, Any] | None] = (-1, None)

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Score when it is due."""
        if due(state.images_seen, self.shown, self.settings.checkpoint_images):
            rows = self.score(state)
            self._latest = state.step, next(iter(rows), None)
            self._write(rows, {"images_seen": state.images_seen})

    def score_end(self, state: TrainState) -> None:
        """Score the end of a finished run, if it was not due anyway and nobody has."""
        if due(state.images_seen, self.shown, self.settings.checkpoint_images):
            return
        noted = {row["name"] for row in record.read(self.folder.metrics) if row.get("final")}
        rows = [row for row in self.score(state) if row["name"] not in noted]
        self._write(rows, {"images_seen": state.images_seen, "final": True})

    def of(self, state: TrainState) -> Mapping[str, Any] | None:
        """What ranks this very moment; `None` if it was not scored."""
        step, row = self._latest
        return row if step == state.step else None

    def _write(self, rows: list[dict[str, Any]], place: dict[str, Any]) -> None:
        if rows:
            record.append(self.folder.metrics, [row | place for row in rows])


@dataclass(frozen=True)
class Checkpointer:
    """Saves the state, and forgets the checkpoints that nobody needs.

    Args:
        folder: of the run.
        settings: how often, and how many are kept.
        shown: images in a step.
        about: JSON that every checkpoint carries (shape, settings).
        scorer: has looked at the moments that are due before they are saved.
    """

    folder: RunFolder
    settings: RecordConfig
    shown: int
    about: dict[str, Any]
    scorer: Scorer

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Save when it is due."""
        if due(state.images_seen, self.shown, self.settings.checkpoint_images):
            self.save(state)

    def save(self, state: TrainState, *, forget: bool = True) -> None:
        """Save now, unless this very moment is saved already.

        Args:
            state: to be saved.
            forget: the checkpoints that nobody needs; not when something went wrong, as the
                last good one may be among them.
        """
        name = self._name(state)
        if name is None:
            return
        score = self.scorer.of(state)
        described = {**state.counters(), **self.about, "score": None}
        if score is not None:
            measure = f"{score['name']} {score['features']}"
            described |= {"score": score["value"], "score_of": measure}
        checkpoints.write(self.folder.checkpoints, name, state.tensor_groups(), described)
        if forget:
            checkpoints.prune(self.folder.checkpoints, self.settings.keep_last)

    def _name(self, state: TrainState) -> str | None:
        """Thousands of images; with the step added where that name is taken."""
        saved = checkpoints.readable(self.folder.checkpoints)
        if any(checkpoint.state["step"] == state.step for checkpoint in saved):
            return None
        short = f"{state.images_seen // 1000:06d}k"
        taken = {checkpoint.path.name for checkpoint in saved}
        return f"{short}-{state.step}" if short in taken else short


@torch.no_grad()
def generated(
    generator: nn.Module, z: torch.Tensor, conditions: torch.Tensor, chunk: int = 256
) -> np.ndarray:
    """Images for latents, and what is asked for, on the CPU: (N, z_dim), (N, C) to pixels."""
    device = next(generator.parameters()).device
    parts = zip(z.to(device).split(chunk), conditions.to(device).split(chunk), strict=True)
    return np.concatenate([to_pixels(informed(generator, asked)(part)) for part, asked in parts])

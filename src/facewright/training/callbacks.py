"""The callbacks that keep something: Sampler, Scorer and Checkpointer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from facewright.conditions import Conditioning
from facewright.config import RecordConfig
from facewright.images import grid, save_png
from facewright.records import checkpoints, record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder
from facewright.rng import rng_for
from facewright.training.ema_statistics import generated
from facewright.training.recorder import due
from facewright.training.state import TrainState
from facewright.training.step import Stats

SHEET = 64
"""Images on a sample sheet."""


@dataclass(frozen=True)
class Sampler:
    """Generates a sheet from the same latents now and then, to show how faces develop.

    Args:
        folder: of the run.
        settings: how often.
        shown: images in a step.
        seed: of the run.
        z_dim: length of a latent vector.
        conditioning: the conditions are drawn from it, as often as photos have them.
        shape: (C, H, W) of an image.
        then: called with the run folder after each sheet.
    """

    folder: RunFolder
    settings: RecordConfig
    shown: int
    seed: int
    z_dim: int
    conditioning: Conditioning
    shape: tuple[int, int, int]
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
        sheet = grid(generated(state, z, self.conditioning.draw(SHEET, rng), self.shape))
        target = path or self.folder.sample(state.images_seen)
        save_png(sheet, target, scale=2 if len(sheet) < 400 else 1)
        if self.then is not None:
            self.then(self.folder)


class Scorer:
    """Scores the states that are due to be saved, before any other callback uses the scores.

    Only those have a score, so that an interruption leaves no trace in the records of a run.

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
        """Score the end of a finished run, if it was not due anyway and has no score yet."""
        if due(state.images_seen, self.shown, self.settings.checkpoint_images):
            return
        metrics = record.read(self.folder.metrics, MetricRow)
        noted = {row["name"] for row in metrics if row.get("final")}
        rows = self.score(state)
        self._latest = state.step, next(iter(rows), None)
        new = [row for row in rows if row["name"] not in noted]
        self._write(new, {"images_seen": state.images_seen, "final": True})

    def of(self, state: TrainState) -> Mapping[str, Any] | None:
        """What ranks this state; `None` if it was not scored."""
        step, row = self._latest
        return row if step == state.step else None

    def _write(self, rows: list[dict[str, Any]], place: dict[str, Any]) -> None:
        if rows:
            record.append(self.folder.metrics, [row | place for row in rows])


@dataclass(frozen=True)
class Checkpointer:
    """Saves the state, and deletes the checkpoints that are no longer needed.

    Args:
        folder: of the run.
        settings: how often, and how many are kept.
        shown: images in a step.
        about: JSON that every checkpoint carries (shape, settings).
        scorer: has scored the states that are due before they are saved.
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
        """Save now, unless this step is saved already.

        Args:
            state: to be saved.
            forget: delete the checkpoints that are no longer needed; not when something went
                wrong, as the last good one may be among them.
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

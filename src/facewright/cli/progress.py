"""What a person sees while a run goes on; all of it on standard error."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from facewright.config import Config
from facewright.data.store import Store
from facewright.training.job import Job
from facewright.training.memory import estimate
from facewright.training.state import TrainState
from facewright.training.step import Stats
from facewright.training.watch import Recorder

QUIET_SECONDS = 30.0
"""Seconds between two lines when nobody is watching (output goes to a file)."""


def announce(job: Job) -> None:
    """Say what is about to happen, and how much memory it takes."""
    store = Store.open(job.store)
    config, (channels, height, width) = job.config, store.shape
    need = estimate(config, store.shape)
    _stderr().print(
        f"{len(store.train):,} photos of {height}x{width}x{channels}, "
        f"{config.model.name} against {config.loss.game} loss, "
        f"{config.train.images:,} images in batches of {config.train.batch}\n"
        f"memory: about {need.total / 2**20:,.0f} MiB "
        f"({need.parameters:,} parameters); run folder: {job.run}"
    )


class Progress:
    """A bar with images/s, ETA and both losses; plain lines when output is no terminal.

    Args:
        config: of the run.
        recorder: knows the speed and the latest numbers.
    """

    def __init__(self, config: Config, recorder: Recorder) -> None:
        self.total, self.recorder = config.train.images, recorder
        self.console = _stderr()
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]:,.0f} images/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=self.console,
            speed_estimate_period=60,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("training", total=self.total, speed=0.0, losses="")
        self.last = time.monotonic()

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()  # also gives the cursor back to the terminal

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Show one step."""
        if self.bar.disable:
            self._write_line_now_and_then(state)
            return
        self.bar.update(
            self.task,
            completed=state.images_seen,
            speed=self.recorder.speed,
            losses=_losses(self.recorder.latest),
        )

    def _write_line_now_and_then(self, state: TrainState) -> None:
        now = time.monotonic()
        if now - self.last < QUIET_SECONDS:
            return
        self.last = now
        left = (self.total - state.images_seen) / max(self.recorder.speed, 1e-9)
        self.console.print(
            f"{state.images_seen:,} of {self.total:,} images, "
            f"{self.recorder.speed:,.0f} images/s, {left / 60:.0f} min left, "
            f"{_losses(self.recorder.latest)}"
        )


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _losses(latest: dict[str, Any]) -> str:
    if not latest:
        return ""
    return f"D loss {latest['d_loss']:.3f}  G loss {latest['g_loss']:.3f}"

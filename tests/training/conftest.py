"""A store of blobs, and runs small enough to train in a second."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewright import settings
from facewright.actions.announcement import announcement
from facewright.config import Config
from facewright.data.store import Store
from facewright.metrics.sliced import sliced_wasserstein
from facewright.training import ema_statistics, interrupt
from facewright.training.job import Extras, Job, Outcome
from facewright.training.run import begin, execute
from tests.stores import write_store

ema_statistics.LATENTS = 64
"""Here, and in the processes that are forked with this file in them, a quarter of a run's time."""
interrupt.PATIENCE = 0.0
"""There too, processes vote after every step: when they stop does not depend on the machine."""

SMALL = {
    "model": {"width": 4, "z_dim": 8},
    "train": {"images": 96, "batch": 8, "precision": "fp32", "ema_images": 32.0},
    "record": {"checkpoint_images": 32, "sample_images": 32, "score_samples": 8},
}


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "blobs")


def pixel_scores(real: np.ndarray, fake: np.ndarray) -> list[dict[str, Any]]:
    """A score that needs no network."""
    return [{"name": "swd", "value": sliced_wasserstein(real, fake), "features": "pixels"}]


def small(*changes: str) -> Config:
    """12 steps of 8 images; single settings changed as by --set."""
    return settings.override(settings.from_tables(SMALL, origin="test"), changes)


def announced(job: Job) -> str:
    """What is said before a run begins or goes on."""
    return "\n".join(announcement(job))


@pytest.fixture
def train(store: Path, tmp_path: Path) -> Callable[..., tuple[Path, Outcome]]:
    """Train in this process: train("name", config, extras) -> run folder, outcome."""

    def run(name: str, config: Config, extras: Extras | None = None) -> tuple[Path, Outcome]:
        job = Job(config, Store.open(store), tmp_path / name, "cpu", extras=extras or Extras())
        if not job.run.exists():
            begin(job)
        return job.run, execute(job)

    return run


@pytest.fixture(scope="session")
def finished(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Config], Path]:
    """A finished run with these settings, trained once for all tests: to be copied, not changed."""

    @cache
    def run(config: Config) -> Path:
        job = begin(
            Job(config, Store.open(store), tmp_path_factory.mktemp("finished") / "run", "cpu")
        )
        execute(job)
        return job.run

    return run

"""Trainings made up of numbers, healthy unless told otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from facewright.doctor.history import FIELDS, History
from facewright.doctor.snapshot import Snapshot
from facewright.objective.adversarial import GAMES

BATCH, EVERY = 64, 50

Column = float | Callable[[np.ndarray], np.ndarray]


def snapshot(step: int = 600, **changes: Any) -> Snapshot:
    """A look at two healthy players."""
    healthy = Snapshot(
        step=step,
        images_seen=step * BATCH,
        drift=0.2,
        drift_steps=EVERY,
        nearest_ratio=1.0,
        support=np.inf,
        diversity=1.0,
        coverage=0.4,
        distance=0.01,
        steepness=1.0,
        real_logit=1.0,
        real_logit_std=0.7,
        held_out_logit=1.0,
        fake_logit=-1.0,
        fake_logit_std=0.6,
        seen_above_held_out=0.5,
        anchors="",
    )
    return replace(healthy, **changes)


def history(
    n_steps: int = 600,
    *,
    seed: int = 0,
    game: str = "non-saturating",
    looks: Sequence[Snapshot] | None = None,
    n_train: int = 9000,
    scores: Sequence[tuple[int, float]] = (),
    **columns: Column,
) -> History:
    """A training of so many steps.

    Args:
        n_steps: all of them recorded.
        seed: of the noise that every number has.
        game: by name.
        looks: snapshots; if not given, a healthy one every `EVERY` steps.
        n_train: photos.
        scores: of checkpoints.
        columns: other values of single fields: a number, or a function of the step.
    """
    rng = np.random.default_rng(seed)
    step = np.arange(1, n_steps + 1, dtype=float)
    usual: dict[str, Column] = {
        "d_loss": 0.8,
        "g_loss": 1.2,
        "real_logit": 1.0,
        "fake_logit": -1.0,
        "real_logit_std": 0.7,
        "fake_logit_std": 0.6,
        "paired_accuracy": 0.9,
        "d_penalty": 0.5,
        "d_grad_norm": 5.0,
        "g_grad_norm": 3.0,
        "lr_factor": np.nan,
        "d_loss_told": np.nan,
    }
    steps = {"step": step, "images_seen": step * BATCH}
    for name, value in {**usual, **columns}.items():
        mean = value(step) if callable(value) else np.full(n_steps, value)
        steps[name] = mean * (1 + 0.05 * rng.standard_normal(n_steps))
    assert set(steps) == set(FIELDS)
    if looks is None:
        looks = [snapshot(at) for at in range(EVERY, n_steps + 1, EVERY)]
    return History(GAMES[game], steps, list(looks), n_train, None, scores)


def looks(n_steps: int = 600, **changes: Any) -> list[Snapshot]:
    """The same look every `EVERY` steps."""
    return [snapshot(step, **changes) for step in range(EVERY, n_steps + 1, EVERY)]

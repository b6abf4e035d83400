"""What the doctor saw of a training, kept so that it can be diagnosed again with other rules."""

import json
import math
from pathlib import Path

import numpy as np

from benchmarks.failures.recipe import Recipe
from facewright.doctor.history import FIELDS, History
from facewright.doctor.snapshot import Snapshot
from facewright.json_form import dumps
from facewright.objective.adversarial import GAMES, smoothed


def save(history: History, path: Path) -> None:
    """Write a history, whole or not at all."""
    steps = {field: history.steps[field].tolist() for field in FIELDS}
    snapshots = [snapshot.as_json() for snapshot in history.snapshots]
    about = {"steps": steps, "snapshots": snapshots, "n_train": history.n_train}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(dumps(about), encoding="utf-8")
    temporary.rename(path)


def load(recipe: Recipe, path: Path) -> History:
    """The history of a training by this recipe."""
    about = json.loads(path.read_text(encoding="utf-8"))
    # Those that were recorded earlier say nothing of penalties.
    unknown = [math.nan] * len(about["steps"]["step"])
    return History(
        smoothed(GAMES[recipe.game], recipe.real_target),
        {field: np.array(about["steps"].get(field, unknown), dtype=float) for field in FIELDS},
        [Snapshot.from_json(row) for row in about["snapshots"]],
        about["n_train"],
        recipe.batch * recipe.steps,
        is_ours=False,
    )

"""What the doctor can know of a run afterwards, from what it recorded."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from facewright.doctor.history import FIELDS, History
from facewright.doctor.snapshot import Snapshot
from facewright.objective.adversarial import game_named
from facewright.records import record
from facewright.records.rows import Moment
from facewright.records.run_history import RunHistory


def history_of(run: RunHistory) -> History:
    """A run as the doctor saw it while it trained.

    It ends with the first step that has a number that is not finite. Training stops there, but
    looks at its numbers only every few steps: what was recorded after it is a consequence.

    Args:
        run: finished or not. One that trained without a doctor has no snapshots: then only
            what follows from the losses can be told.
    """
    loss = run.config.loss
    store = run.environment.get("store") or {}
    unknown = np.full(len(run.steps["step"]), np.nan)
    history = History(
        game=game_named(loss.game, loss.real_target),
        steps={field: run.steps.get(field, unknown) for field in FIELDS},
        snapshots=[Snapshot.from_json(row) for row in record.read(run.folder.snapshots, Moment)],
        n_train=store.get("train", 0),
        planned_images=run.config.train.images,
        scores=scores_of(run.metrics),
        n_held_out=store.get("val"),
        held_images=run.config.train.hold_generator,
        watched=[name for name in record.ALWAYS_FINITE if name in run.recorded],
    )
    breaks = history.breaks()
    return history.until(breaks[0]) if breaks else history


def scores_of(metrics: Iterable[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """Fréchet distances to held-out photos among the rows of `metrics.jsonl`, oldest first."""
    return [
        (row["images_seen"], row["value"])
        for row in metrics
        if row["name"].startswith("fd@") and row.get("against") == "val"
    ]

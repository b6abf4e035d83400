"""Trains a recipe, or goes on with it, and measures every checkpoint by FID."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import facewright
from facewright.records import checkpoints
from facewright.records.folder import RunFolder

FAKES = 10_000


@dataclass(frozen=True)
class Point:
    """How good a run was at one moment.

    Args:
        images: shown to the discriminator.
        seconds: of training up to there, without measuring.
        fid: against all training photos.
        low: end of its 95 % interval.
        high: the other end.
    """

    images: int
    seconds: float
    fid: float
    low: float
    high: float


def train(
    run: Path,
    recipe: str,
    data: Path,
    seed: int,
    *,
    images: int | None = None,
    every: int | None = None,
    changes: Sequence[str] = (),
) -> None:
    """Train, or go on with, one run that keeps all its checkpoints.

    Args:
        run: its folder.
        recipe: of Facewright.
        data: store.
        seed: of the run.
        images: to show; the recipe's number if not given.
        every: images between two checkpoints; all of them, once, if not given.
        changes: settings other than the recipe's.
    """
    if run.exists():
        facewright.resume(run)
        return
    kept = [f"record.checkpoint_images={every or images}", "record.keep_last=999"]
    facewright.train(
        recipe=recipe,
        data=data,
        out=run,
        seed=seed,
        images=images,
        set=((*kept, "record.final_samples=0", *changes),),
    )


def measured(run: Path, data: Path) -> list[Point]:
    """FID of every checkpoint; features are kept, so that a second call takes seconds."""
    saved = checkpoints.readable(RunFolder(run).checkpoints)
    seconds = {c.state["images_seen"]: c.state["seconds"] for c in saved}
    found = facewright.evaluate(
        run, data=data, metrics="fid", count=FAKES, precision="bf16", checkpoint="all"
    )
    points = []
    for one in found.measured:
        (row,) = one.rows()
        low, high = row["interval"]
        seen = row["images_seen"]
        if seen:
            points.append(Point(seen, seconds[seen], row["value"], low, high))
    return sorted(points, key=lambda point: point.images)

"""Trains a recipe, or goes on with it, and measures it by FID."""

from dataclasses import dataclass
from pathlib import Path

import facewright
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import schedule_for
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder

FAKES = 10_000


@dataclass(frozen=True)
class Point:
    """How good a run was at one moment.

    Args:
        images: shown to the discriminator.
        seconds: of the run up to there, with all that looks on while it trains (doctor, scores,
            sheets, checkpoints), but without the FID, which is measured afterwards.
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
    run: Path, recipe: str, data: Path, *lines: str, seed: int = 0, images: int | None = None
) -> None:
    """Train one run to its end, or go on with it, under the settings that it began with.

    Args:
        run: its folder.
        recipe: of Facewright.
        data: store.
        lines: settings in place of the recipe's, as "section.key=value".
        seed: of the run.
        images: to show in all, with the recipe's schedule in their proportion; the recipe's
            number if not given.

    Raises:
        SystemExit: it did not reach its end.
    """
    if run.exists():
        ended = facewright.resume(run, images=images)
    else:
        whole = schedule_for(read_recipe(recipe), images) if images else ()
        settings = ("record.final_samples=0", *whole, *lines)
        ended = facewright.train(
            recipe=recipe, data=data, out=run, seed=seed, images=images, set=(settings,)
        )
    if ended.outcome.status != "finished":
        raise SystemExit(f"{run}: {ended.outcome.status}")


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

"""How good will the images be? Interpolated between measurements, never extrapolated."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from facewright.planning.measured import Curve, Entry, Point

FEWER = 8
"""How many times fewer photos than measured a promise may rest on. A judgement: a
thousand faces were soon memorised, and FID was not measured there."""

BandKind = Literal["between", "never so long", "not as good"]
"""How a band is to be read: the number lies in it; a longer run was never measured, and the band
is that of the longest; a shorter one was never measured, and is worse."""


@dataclass(frozen=True)
class ExpectedQuality:
    """FID to be expected, from trainings of the same recipe.

    Args:
        fid: as measured: the mean of the curves.
        low: lowest end of their 95 % intervals.
        high: highest end.
        bound: how to read it.
        images: at which it was read off, which differs from the plan's where `bound` says so.
        data: the photos that were trained on.
        photos: how many they were.
        trainings: behind it. Of a single one the interval knows the chance in what was drawn
            and looked at, not how much another seed would differ.
        protocol: how FID was measured.
        floor: FID of photos against photos; `None` if not measured, or not the same for all.
    """

    fid: float
    low: float
    high: float
    bound: BandKind
    images: int
    data: tuple[str, ...]
    photos: tuple[int, ...]
    trainings: int
    protocol: str
    floor: float | None


def quality_after(entry: Entry, photos: int, images: int) -> ExpectedQuality | None:
    """What a recipe gave after so many images, on about as many photos.

    Args:
        entry: the recipe.
        photos: to be trained on. Of curves on different numbers of photos, the nearest count.
        images: to be shown.

    Returns:
        The band over all those curves; `None` if none was measured, or only of far more photos.
    """
    if not entry.curves:
        return None
    curves = nearest_curves(entry, photos)
    if photos * FEWER < curves[0].photos:
        return None
    covering = [c for c in curves if c.points[0].images <= images <= c.points[-1].images]
    ended = [c for c in curves if c.points[-1].images < images]
    if covering:
        return _band(covering, [read_off(c, images) for c in covering], "between")
    if ended:
        return _band(ended, [c.points[-1] for c in ended], "never so long")
    return _band(curves, [c.points[0] for c in curves], "not as good")


def nearest_curves(entry: Entry, photos: int) -> list[Curve]:
    """Those of the recipe's curves that were measured on about as many photos, by ratio."""
    away = {c.photos: abs(math.log(c.photos / max(1, photos))) for c in entry.curves}
    nearest = min(away, key=away.__getitem__)
    return [c for c in entry.curves if c.photos == nearest]


def read_off(curve: Curve, images: int) -> Point:
    """The curve at this number of images: straight lines over the logarithm of it.

    Args:
        curve: two or more points.
        images: from its first to its last.

    Returns:
        Between two points it rests on as many trainings as the one that rests on fewer.
    """
    for point in curve.points:
        if point.images == images:
            return point
    before, after = next(pair for pair in pairwise(curve.points) if images <= pair[1].images)
    part = math.log(images / before.images) / math.log(after.images / before.images)

    def between(first: float, last: float) -> float:
        return (1 - part) * first + part * last

    return Point(
        images,
        fid=between(before.fid, after.fid),
        low=between(before.low, after.low),
        high=between(before.high, after.high),
        seeds=min(before.seeds, after.seeds, key=len),
    )


def best_point(entry: Entry, photos: int) -> Point | None:
    """The best that was measured of a recipe on about as many photos; `None` if nothing was."""
    if not entry.curves:
        return None
    points = [point for curve in nearest_curves(entry, photos) for point in curve.points]
    return min(points, key=lambda point: point.fid)


def _band(curves: Sequence[Curve], points: Sequence[Point], bound: BandKind) -> ExpectedQuality:
    floors = {curve.floor for curve in curves}
    return ExpectedQuality(
        fid=statistics.mean(point.fid for point in points),
        low=min(point.low for point in points),
        high=max(point.high for point in points),
        bound=bound,
        images=max(point.images for point in points),
        data=tuple(dict.fromkeys(curve.data for curve in curves)),
        photos=tuple(dict.fromkeys(curve.photos for curve in curves)),
        trainings=sum(len(point.seeds) for point in points),
        protocol=curves[0].protocol,
        floor=floors.pop() if len(floors) == 1 else None,
    )

"""Thousands of noisy steps as a few hundred points that hide no spike."""

from dataclasses import dataclass

import numpy as np

BINS = 240
SMOOTHED_BINS = 5


@dataclass(frozen=True)
class Band:
    """A curve, and how far its values reached above and below.

    Args:
        x: (N,) horizontal positions, rising.
        low: (N,) smallest value around each position; NaN where there is none.
        mid: (N,) running mean.
        high: (N,) largest value.
        broken: positions around which some value was not finite.
    """

    x: np.ndarray
    low: np.ndarray
    mid: np.ndarray
    high: np.ndarray
    broken: np.ndarray

    @property
    def is_empty(self) -> bool:
        """Is there no finite value at all?"""
        return bool(np.isnan(self.mid).all())


def band(x: np.ndarray, y: np.ndarray) -> Band:
    """At most `BINS` points for any number of steps.

    Neighbouring steps share a point: their extremes span the band, so that a single bad
    step stays visible, and a running mean over about two percent of the steps is the curve.

    Args:
        x: (N,) rising.
        y: (N,); values that are not finite are left out, and their place is marked as broken.
    """
    if len(x) == 0:
        return Band(x, y, y, y, x)
    finite = np.isfinite(y)
    starts = np.linspace(0, len(x), min(len(x), BINS), endpoint=False).astype(int)
    members = np.add.reduceat(finite.astype(float), starts)
    sums = np.add.reduceat(np.where(finite, y, 0.0), starts)
    known = np.where(finite, y, np.nan)
    lengths = np.diff(np.append(starts, len(x)))
    centres = np.add.reduceat(x, starts) / lengths
    return Band(
        x=centres,
        low=np.fmin.reduceat(known, starts),
        mid=_running_mean(sums, members),
        high=np.fmax.reduceat(known, starts),
        broken=centres[members < lengths],
    )


def _running_mean(sums: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Means of neighbouring bins together; NaN where a bin has no member."""
    if len(sums) > BINS // 2:
        window = np.ones(SMOOTHED_BINS)
        totals, weights = np.convolve(sums, window, "same"), np.convolve(members, window, "same")
    else:
        totals, weights = sums, members
    means = np.full(len(sums), np.nan)
    return np.divide(totals, weights, out=means, where=members > 0)

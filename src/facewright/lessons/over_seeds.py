"""One number measured with several seeds: its mean, and how certain that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from facewright.errors import MetricError
from facewright.reporting.words import number


@dataclass(frozen=True)
class SeedMean:
    """The mean over seeds, with its confidence interval.

    Args:
        values: one for each seed.
        by_ratio: they differ by factors: mean and interval are those of their logarithms.
    """

    values: tuple[float, ...]
    by_ratio: bool = False

    @classmethod
    def of(cls, values: Sequence[float]) -> "SeedMean":
        """The same number from several seeds.

        Raises:
            MetricError: no value, or one that is not finite.
        """
        if not values or not all(map(math.isfinite, values)):
            raise MetricError(
                f"{list(values)} over the seeds",
                expected="finite numbers",
                fix="seeds of which none diverged",
            )
        return cls(tuple(map(float, values)))

    def as_ratios(self) -> "SeedMean":
        """The same positive numbers where a tenth is as far away as ten times.

        Raises:
            MetricError: a value that is not positive.
        """
        if min(self.values) <= 0:
            raise MetricError(
                f"{list(self.values)} over the seeds",
                expected="positive numbers",
                fix="values that have a logarithm",
            )
        return SeedMean(self.values, by_ratio=True)

    @property
    def mean(self) -> float:
        """Over the seeds; the geometric one for ratios."""
        mean = float(np.mean(self._scaled))
        return math.exp(mean) if self.by_ratio else mean

    @property
    def _scaled(self) -> np.ndarray:
        return np.log(self.values) if self.by_ratio else np.array(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean, by Student's t; without ends for a single seed.

        Blind spot: with three seeds it is 2.5 standard deviations wide to either side, and
        true to its 95 % only where the values of many seeds would be about normal.
        """
        count = len(self.values)
        if count < 2:
            return (0.0 if self.by_ratio else -math.inf, math.inf)
        error = float(np.std(self._scaled, ddof=1)) / math.sqrt(count)
        half = float(stats.t.ppf(0.975, count - 1)) * error
        if self.by_ratio:
            return (self.mean / math.exp(half), self.mean * math.exp(half))
        return (self.mean - half, self.mean + half)

    def __sub__(self, other: "SeedMean") -> "SeedMean":
        """Seed by seed: what both have in common, the same start, cancels out."""
        return SeedMean.of([a - b for a, b in zip(self.values, other.values, strict=True)])

    def __truediv__(self, other: "SeedMean") -> "SeedMean":
        """Seed by seed."""
        return SeedMean.of([a / b for a, b in zip(self.values, other.values, strict=True)])

    def above(self, limit: float) -> bool | None:
        """Does the mean lie above a limit? `None` where these seeds cannot tell."""
        low, high = self.interval
        if low > limit:
            return True
        return False if high <= limit else None

    def below(self, limit: float) -> bool | None:
        """Does the mean lie below a limit? `None` where these seeds cannot tell."""
        low, high = self.interval
        if high < limit:
            return True
        return False if low >= limit else None

    def __str__(self) -> str:
        """For example "3.2 (2.9 to 3.5)"; without the interval for a single seed."""
        low, high = self.interval
        if len(self.values) < 2:
            return number(self.mean)
        return f"{_short(self.mean)} ({_short(low)} to {_short(high)})"

    def as_json(self) -> dict[str, Any]:
        """Mean, interval and the values themselves."""
        interval = list(self.interval) if len(self.values) > 1 else None
        return {"mean": self.mean, "interval": interval, "values": list(self.values)}


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def all_of(*answers: bool | None) -> bool | None:
    """True if all are, False if one is; `None` where that cannot be told."""
    if False in answers:
        return False
    return None if None in answers else True

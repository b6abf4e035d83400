"""A number with what chance alone may have done to it, and the checks before it is computed."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facewright.errors import MetricError

Z95 = 1.959964
"""Standard deviations to either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A value computed from samples.

    Args:
        value: the number.
        interval: within which 95 % of repetitions with other samples of the same sizes
            would fall if this value were the true one; `None` where it is unknown.
    """

    value: float
    interval: tuple[float, float] | None = None

    @classmethod
    def normal(cls, value: float, variance: float) -> "Estimate":
        """A value with a roughly normal error, of which the variance is given."""
        half = Z95 * math.sqrt(max(variance, 0.0))
        return cls(value, (value - half, value + half))

    @classmethod
    def mean(cls, numbers: Tensor) -> "Estimate":
        """The mean of (N,) independent numbers."""
        numbers = numbers.double()
        return cls.normal(float(numbers.mean()), float(numbers.var()) / len(numbers))

    def within(self, lowest: float, highest: float) -> "Estimate":
        """The same, where the interval ends at what is possible."""
        if self.interval is None:
            return self
        low, high = self.interval
        return Estimate(self.value, (max(low, lowest), min(high, highest)))


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Which true shares are compatible with this one? 95 %, and of use at 0 and 1, too.

    Args:
        share: found among independent samples, from 0 to 1.
        count: samples.

    Source: Wilson 1927.
    """
    penalty = Z95**2 / count
    middle = (share + penalty / 2) / (1 + penalty)
    half = math.sqrt(share * (1 - share) * penalty + penalty**2 / 4) / (1 + penalty)
    return middle - half, middle + half


def check_counts(real: int, fake: int, *, at_least: int) -> None:
    """Refuse too few images, before anything is computed from them.

    Args:
        real: how many photos there are.
        fake: how many generated images.
        at_least: that each needs.

    Raises:
        MetricError: fewer.
    """
    for kind, count, fix in (
        ("real", real, "more photos, or another metric"),
        ("generated", fake, "more images (--count N for a model)"),
    ):
        if count < at_least:
            raise MetricError(f"{count} {kind} samples", expected=f"at least {at_least}", fix=fix)


def check_features(real: Tensor, fake: Tensor, *, at_least: int = 2) -> None:
    """Refuse what no number can be computed from.

    Args:
        real: (N, F) features of photos.
        fake: (M, F) features of generated images, from the same extractor.
        at_least: rows that each needs.

    Raises:
        MetricError: of other widths, too few, or not finite.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise MetricError(
            f"{tuple(real.shape)} real and {tuple(fake.shape)} generated features",
            expected="(N, F) and (M, F) of the same extractor",
            fix="one extractor for both",
        )
    check_counts(len(real), len(fake), at_least=at_least)
    for kind, features in (("real", real), ("generated", fake)):
        if not torch.isfinite(features).all():
            raise MetricError(
                f"{kind} features that are not finite",
                expected="numbers",
                fix="images and an extractor whose numbers are finite",
            )


def check_pixels(pixels: np.ndarray) -> None:
    """Refuse an array that is not a set of images.

    Args:
        pixels: should be (N, H, W, C) uint8, with C 1 or 3.

    Raises:
        MetricError: of another shape or type.
    """
    if pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or pixels.dtype != np.uint8:
        raise MetricError(
            f"an array of shape {pixels.shape} and type {pixels.dtype}",
            expected="(N, H, W, C) uint8 with C = 1 or 3",
            fix="pixels as integers from 0 to 255, channels last",
        )

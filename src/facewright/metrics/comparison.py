"""How often something is true of generated images, against how often it is of fresh photos."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom
from torch import Tensor

from facewright.metrics.estimate import Estimate, wilson_interval


@dataclass(frozen=True)
class Comparison:
    """A share of the generated images beside the share of held-out photos.

    Args:
        fake: share of the generated images.
        val: share of the held-out photos: what an honest generator would have.
        difference: the first less the second.
        p_more: chance of so many generated images or more, if they and the held-out photos
            came from one distribution.
    """

    fake: Estimate
    val: Estimate
    difference: Estimate
    p_more: float

    @classmethod
    def of(cls, fake: Tensor, val: Tensor) -> "Comparison":
        """Compare truth values of independent images; the training photos are held fixed.

        Args:
            fake: (M,) bool.
            val: (V,) bool.

        Source: Wilson 1927 (interval of a share), Newcombe 1998, method 10 (interval of the
        difference), Fisher's exact test (`p_more`).
        """
        hits, base = int(fake.sum()), int(val.sum())
        (a, a_low, a_high), (b, b_low, b_high) = _share(hits, len(fake)), _share(base, len(val))
        low = a - b - math.hypot(a - a_low, b_high - b)
        high = a - b + math.hypot(a_high - a, b - b_low)
        return cls(
            fake=Estimate(a, (a_low, a_high)),
            val=Estimate(b, (b_low, b_high)),
            difference=Estimate(a - b, (low, high)),
            p_more=float(_chance_of_as_many(np.array(hits), len(fake), base, len(val))),
        )


def least_noticed(n_fake: int, base: int, n_val: int, level: float) -> float:
    """Which share of generated images is the smallest that chance would not explain?

    Args:
        n_fake: generated images.
        base: held-out photos for which it is true.
        n_val: held-out photos.
        level: a chance at or below this counts as noticed.

    Returns:
        The smallest share with `Comparison.p_more` of at most `level`; above 1 where even
        all images together would not be noticed.
    """
    hits = np.arange(n_fake + 1)
    noticed = _chance_of_as_many(hits, n_fake, base, n_val) <= level
    return int(np.argmax(noticed) if noticed.any() else n_fake + 1) / n_fake


def _share(hits: int, count: int) -> tuple[float, float, float]:
    """A share and its interval."""
    share = hits / count
    low, high = wilson_interval(share, count)
    # Rounding must not put the share outside of its own interval.
    return share, min(share, max(0.0, low)), max(share, min(1.0, high))


def _chance_of_as_many(hits: np.ndarray, n_fake: int, base: int, n_val: int) -> np.ndarray:
    """Chance that `hits` or more of the `hits + base` positives are generated images."""
    return np.asarray(hypergeom.sf(hits - 1, n_fake + n_val, hits + base, n_fake))

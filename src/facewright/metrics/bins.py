"""Are generated images spread over the regions of real ones in the same proportions?"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from sklearn.cluster import KMeans
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate, check_features

ALPHA = 0.05
"""Share of bins that chance alone makes "different"."""

THRESHOLD = float(norm.ppf(1 - ALPHA / 2))

REAL_PER_BIN = 10
"""Fewer in a bin, and the normal distribution no longer describes their number."""


@dataclass(frozen=True)
class DifferentBins:
    """How the proportions of real and generated images in the bins compare.

    Args:
        share: of the bins in which the proportions differ significantly (NDB / K).
        js: Jensen-Shannon divergence of the proportions, in nats, from 0 to log 2.
    """

    share: Estimate
    js: Estimate


def different_bins(real: Tensor, fake: Tensor, *, bins: int = 100, seed: int = 0) -> DifferentBins:
    """In which regions of the real images are there too many or too few generated ones?

    The real images are cut into bins by k-means; a generated one belongs to the bin with
    the nearest centre. In each bin a two-proportion z test at level .05 compares.

    Args:
        real: (N, F) features or flattened pixels, at least 10 different ones for each bin.
            Used as they are: where their scales differ, divide by the deviation first.
        fake: (M, F) of generated images.
        bins: k of k-means.
        seed: of its start.

    Returns:
        `share` is about .05 for other images of the same kind (more nearly .03, because
        bins fitted to `real` hold more even numbers of it) and 1 where no bin has the right
        proportion. It grows with the number of images, because the test then finds smaller
        differences. `js` is about (bins - 1) (1/N + 1/M) / 8 by chance, and 0 at best. Both
        intervals keep the bins and redraw the images; they are wide by a third where real
        and generated images are alike.

    Raises:
        MetricError: features that cannot be compared, or fewer than 10 real ones a bin.

    Source: Richardson & Weiss 2018, arXiv:1805.12462. Whitening, an option there, is left
    to the caller; their subset of pixels, chosen for speed, is not made.

    Blind spot: what the images in a bin look like. Noise around the right centres, or one
    image repeated in each bin as often as it should, passes.
    """
    check_features(real, fake)
    distinct = len(real.unique(dim=0))
    if bins < 2 or distinct < REAL_PER_BIN * bins:
        raise MetricError(
            f"{distinct} different real samples for {bins} bins",
            expected=f"at least 2 bins, and {REAL_PER_BIN} samples for each",
            fix="fewer bins, or more photos",
        )
    # Rounding in single precision would let near ties depend on the number of threads.
    means = KMeans(bins, random_state=seed).fit(real.double().numpy())
    in_bin = [
        np.bincount(means.predict(samples.double().numpy()), minlength=bins)
        for samples in (real, fake)
    ]
    return compare_counts(*in_bin)


def compare_counts(real: np.ndarray, fake: np.ndarray) -> DifferentBins:
    """The same for (K,) numbers of real and of generated images that are in each bin."""
    return DifferentBins(_share(real, fake), _js(real, fake))


def _share(real: np.ndarray, fake: np.ndarray) -> Estimate:
    n, m = real.sum(), fake.sum()
    together = (real + fake) / (n + m)
    error = np.sqrt(together * (1 - together) * (1 / n + 1 / m))
    z = np.abs(real / n - fake / m) / error
    # How likely is each bin to be found different the next time? Its own z contains one
    # unit of chance, which is removed on average before asking.
    by_chance = len(z) - 1
    z_without_chance = z * math.sqrt(1 - by_chance / max((z**2).sum(), by_chance))
    again = norm.sf(THRESHOLD - z_without_chance) + norm.sf(THRESHOLD + z_without_chance)
    variance = (again * (1 - again)).sum() / len(z) ** 2
    return Estimate.normal(float((z > THRESHOLD).mean()), float(variance)).within(0, 1)


def _js(real: np.ndarray, fake: np.ndarray) -> Estimate:
    shares = [counts / counts.sum() for counts in (real, fake)]
    middle = (shares[0] + shares[1]) / 2
    value, first = 0.0, 0.0
    for share, counts in zip(shares, (real, fake), strict=True):
        found = share > 0
        surprise = np.log(share[found] / middle[found]) / 2
        mean = share[found] @ surprise
        value += mean
        first += (share[found] @ surprise**2 - mean**2) / counts.sum()
    # To second order chance adds a chi-squared of the free shares; the first order, computed
    # from shares with that chance in them, contains twice its variance.
    unit = (1 / real.sum() + 1 / fake.sum()) / 8
    second = 2 * unit**2 * (len(real) - 1)
    variance = max(first - 2 * second, 0.0) + second
    return Estimate.normal(float(value), float(variance)).within(0, math.log(2))

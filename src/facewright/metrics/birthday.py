"""How many different images a generator has, from how soon it repeats itself."""

import math
from collections.abc import Iterator

import torch
from scipy.special import gammaincinv
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate, check_features

BLOCK = 1024
"""Rows compared with all others at once: 160 MB for 20,000 images."""
FEWEST_ALIKE = 5
"""Pairs of photos that must be nearer than the threshold to say where it is."""


def birthday_support(real: Tensor, fake: Tensor, *, quantile: float = 1e-5) -> Estimate:
    """How many different faces can this generator make?

    Among 23 people two share a birthday as often as not, because there are only 365. In the
    same way the share of pairs of generated images that are near-duplicates says how many
    different ones there are: N pairs in C collisions mean a support of N / C. Two images
    collide when they are nearer than all but the `quantile` nearest pairs of photos.

    Args:
        real: (N, F) features of photos, to set the threshold: 950 for the default quantile.
        fake: (M, F) features of generated images.
        quantile: share of pairs of photos that would count as collisions.

    Returns:
        The number of equally frequent images that would collide as often, 1 / sum(p^2) for
        images of frequency p; a small number means collapse. Photos score 1 / quantile, and
        no more than a few times that can be measured. The value is
        median-unbiased: without any collision it is the M^2 / (2 ln 2) of the birthday
        paradox, and the interval (low, inf) says "at least low". The interval is the exact
        one of Poisson (Garwood), widened where few images collide with many; it takes the
        threshold as given. In simulations 90 % to 99 % of repetitions fall in.

    Raises:
        MetricError: features that do not fit together or are not finite, too few photos for
            the quantile, or so many copies among the photos that they set the threshold.

    Source: Arora & Zhang 2017, arXiv:1706.08224. They look for duplicates by eye among the
    nearest pairs; here photos say how near is near.

    Blind spot: a generator that replays the training photos evenly is as rich as they are.
    Images blurred towards each other collide without being copies, and copies with strong
    noise do not collide.
    """
    check_features(real, fake)
    threshold = _squared_threshold(real, quantile)
    partners = _partners(fake, threshold)
    pairs = math.comb(len(fake), 2)
    low, middle, high = _poisson_rate(float(partners.sum()) / 2, _dispersion(partners))
    support = Estimate(pairs / middle, (pairs / high, pairs / low if low else math.inf))
    return support.within(1, math.inf)


def _squared_threshold(real: Tensor, quantile: float) -> float:
    """The squared distance that this share of the pairs of photos stays within."""
    pairs = math.comb(len(real), 2)
    alike = round(quantile * pairs)
    if not FEWEST_ALIKE <= alike < pairs:
        raise MetricError(
            f"a quantile of {quantile:g} is {alike} of the {pairs} pairs of {len(real)} photos",
            expected=f"at least {FEWEST_ALIKE}, and not all",
            fix="more photos, or another quantile",
        )
    nearest = torch.empty(0, dtype=torch.float64)
    for _, squares in _squared_distances(real):
        nearest = torch.cat([nearest, squares.flatten()])
        nearest = nearest.topk(min(alike, len(nearest)), largest=False).values
    threshold = float(nearest.max())
    # What rounding leaves of a distance between equal vectors.
    if threshold <= 1e-12 * float(real.double().var(dim=0).sum()):
        raise MetricError(
            f"at least {alike} pairs of the photos are copies of each other",
            expected="different photos",
            fix="`facewright data prepare` with its removal of twins, or a larger quantile",
        )
    return threshold


def _squared_distances(points: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Every pair once: (first row, squared distances from a block of rows to all after it).

    Column j belongs to the point first + j. A point with itself, and a pair already given, are
    infinite.
    """
    # Centred float64: between equal vectors the two squares cancel to 1e-15 of their size.
    centred = points.double() - points.double().mean(dim=0)
    lengths = centred.square().sum(dim=1)
    for first in range(0, len(points), BLOCK):
        rows, others = centred[first : first + BLOCK], centred[first:]
        squares = (lengths[first:] - 2 * rows @ others.T).add_(lengths[first : first + BLOCK, None])
        squares[torch.ones_like(squares, dtype=torch.bool).tril()] = math.inf
        yield first, squares.clamp_(min=0)


def _partners(points: Tensor, threshold: float) -> Tensor:
    """(N,) number of other points within this squared distance of each."""
    partners = torch.zeros(len(points), dtype=torch.float64)
    for first, squares in _squared_distances(points):
        collide = squares <= threshold
        partners[first : first + BLOCK] += collide.sum(dim=1)
        partners[first:] += collide.sum(dim=0)
    return partners


def _dispersion(partners: Tensor) -> float:
    """How much more the number of collisions varies than a Poisson number, at least 1.

    Pairs that share an image are independent if all images are equally frequent. Otherwise
    those with a frequent image collide together: this compares the paths of two collisions
    that there are with those expected of independent pairs.
    """
    count, collisions = len(partners), float(partners.sum()) / 2
    if collisions == 0:
        return 1.0
    paths = float((partners * (partners - 1)).sum())
    independent = 4 * collisions**2 * (count - 2) / (count * (count - 1))
    return max(1.0, 1 + (paths - independent) / collisions)


def _poisson_rate(number: float, dispersion: float) -> tuple[float, float, float]:
    """Mean of which this number was drawn: the 2.5, 50 and 97.5 % limits (Garwood 1936)."""
    events = number / dispersion
    low = float(gammaincinv(events, 0.025)) if events else 0.0
    middle, high = (float(gammaincinv(events + 1, share)) for share in (0.5, 0.975))
    return dispersion * low, dispersion * middle, dispersion * high

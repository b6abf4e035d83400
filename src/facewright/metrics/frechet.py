"""The Fréchet distance between two sets of features, and what sample size does to it.

Both sets are taken for normal distributions: only means and covariances count.

With B B' = S_r, the trace of (S_r S_f)^1/2 is the sum of the roots of the eigenvalues of
B' S_f B. B comes from a Cholesky factorisation with pivots, which takes singular covariances
too. That leaves one symmetric decomposition: several times faster than the eigenvalues of
the product S_r S_f, and its vectors give the optimal transport map for the interval.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import get_lapack_funcs
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate, check_features

ROWS = 2048
"""Features turned to float64 at once."""


@dataclass(frozen=True)
class Moments:
    """All that the Fréchet distance looks at.

    Args:
        mean: (F,) float64.
        covariance: (F, F) float64, divided by count - 1.
        count: samples behind them.
    """

    mean: Tensor
    covariance: Tensor
    count: int

    @classmethod
    def of(cls, features: Tensor) -> "Moments":
        """The moments of (N, F) features."""
        mean = features.mean(dim=0, dtype=torch.float64)
        scatter = torch.zeros(len(mean), len(mean), dtype=torch.float64)
        for rows in features.split(ROWS):
            deviations = rows.double() - mean
            scatter.addmm_(deviations.T, deviations)
        return cls(mean, scatter / (len(features) - 1), len(features))


def frechet_distance(real: Tensor, fake: Tensor) -> Estimate:
    """How far apart are two sets of features, if both are taken as normally distributed?

    With features of the Inception network of 2015 this is the FID.

    Args:
        real: (N, F) features of photos.
        fake: (M, F) features of generated images, from the same extractor.

    Returns:
        |m_r - m_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^1/2), in squared units of the features;
        0 for equal sets, lower is better. Too few samples raise it, by about what photos
        score against photos (`frechet_floor_at`). With fewer samples than features it can
        be computed still, but mostly shows that excess. The interval is of repetitions at
        the same sizes, excess included: it is about chance, not about bias.

    Raises:
        MetricError: features of different widths, fewer than two rows, or not finite.

    Source: Heusel et al. 2017, arXiv:1706.08500. Interval: the delta method of Rippl, Munk
    and Sturm 2016, arXiv:1507.04090, with observed fourth moments instead of normal ones.

    Blind spot: whatever leaves mean and covariance alone. Near the floor, where the sets
    can hardly be told apart, the interval does not hold: compare with the floor itself.
    """
    check_features(real, fake)
    return Estimate.normal(*_distance_and_variance(real, fake)).within(0, math.inf)


def frechet_from_moments(real: Moments, fake: Moments) -> float:
    """What is the same distance from means and covariances alone, such as published ones?

    Args:
        real: of photos.
        fake: of generated images.

    Returns:
        The distance. An interval takes the samples themselves.
    """
    return _distance(real, fake, _Root.of(real.covariance))


def frechet_floor_at(floor: float, n: int, m: int, n_real: int, n_fake: int) -> float:
    """What would photos score against photos at other sample sizes?

    Two samples of one distribution lie apart by an excess that falls with 1/N + 1/M.

    Args:
        floor: distance between `n` and `m` photos.
        n: photos on one side of the measured floor.
        m: photos on the other side.
        n_real: photos that the generated images are compared with.
        n_fake: generated images.

    Returns:
        The floor to be expected at `n_real` and `n_fake`. The law holds where all sizes are
        well above the number of features.
    """
    return floor * (1 / n_real + 1 / n_fake) / (1 / n + 1 / m)


def frechet_infinity(real: Tensor, fake: Tensor, *, points: int = 15, seed: int = 0) -> Estimate:
    """What would the distance be with infinitely many generated images?

    The distance is measured on random parts of the generated images and extrapolated along
    a straight line in 1 / size.

    Args:
        real: (N, F) features of photos, all used every time.
        fake: (M, F) features of generated images.
        points: sizes, equally spaced from 5000 (or half of the images, if less) to all.
        seed: of the parts.

    Returns:
        The intercept; lower is better. It may fall below 0 where no difference is left. The
        interval adds the chance in the choice of parts, which the regression sees, to the
        chance in the samples, which is that of `frechet_distance`.

    Raises:
        MetricError: fewer than three points, or parts with no more samples than features,
            where the excess does not follow the line.

    Source: Chong and Forsyth 2020, arXiv:1911.07023. Theirs begins at 5000 always.

    Blind spot: the excess that comes from the number of photos stays in.
    """
    check_features(real, fake)
    width = fake.shape[1]
    smallest = min(max(5000, width + 1), len(fake) // 2)
    if points < 3 or smallest <= width:
        raise MetricError(
            f"{points} points from {smallest} to {len(fake)} generated samples of {width} features",
            expected=f"at least 3 points and {2 * width + 2} generated samples",
            fix="more images (--count N for a model), or the distance without extrapolation",
        )
    rng = torch.Generator().manual_seed(seed)
    of_real = Moments.of(real)
    root = _Root.of(of_real.covariance)
    sizes = np.linspace(smallest, len(fake), points).round().astype(int)
    values = []
    for size in sizes:
        part = fake[torch.randperm(len(fake), generator=rng)[:size]]
        values.append(_distance(of_real, Moments.of(part), root))
    (_, intercept), errors = np.polyfit(1 / sizes, values, deg=1, cov=True)
    _, variance = _distance_and_variance(real, fake)
    return Estimate.normal(float(intercept), variance + float(errors[1, 1]))


@dataclass(frozen=True)
class _Root:
    """A factor B of a covariance S = B B', with as many columns as S has rank."""

    factor: Tensor
    pivots: Tensor

    @classmethod
    def of(cls, covariance: Tensor) -> "_Root":
        (pivoted_cholesky,) = get_lapack_funcs(("pstrf",), dtype=np.float64)
        factored, order, rank, _ = pivoted_cholesky(covariance.numpy(), lower=1)
        pivots = torch.from_numpy(order).long() - 1
        factor = torch.empty(len(pivots), rank, dtype=torch.float64)
        factor[pivots] = torch.from_numpy(factored[:, :rank]).tril()
        return cls(factor, pivots[:rank])

    def sandwich(self, covariance: Tensor) -> Tensor:
        """B' S B."""
        return self.factor.T @ covariance @ self.factor

    def inverse_times(self, vectors: Tensor) -> Tensor:
        """The W with y'W = w'V whenever y = B w: from features to coordinates V of the root."""
        # The rows of B at the pivots are a triangle, and tell w as well as all rows.
        found = torch.zeros(len(self.factor), vectors.shape[1], dtype=torch.float64)
        triangle = self.factor[self.pivots]
        found[self.pivots] = torch.linalg.solve_triangular(triangle.T, vectors, upper=True)
        return found


def _distance(real: Moments, fake: Moments, root: _Root) -> float:
    squares = torch.linalg.eigvalsh(root.sandwich(fake.covariance))
    return _assemble(real, fake, squares.clamp_min(0).sqrt())


def _distance_and_variance(real: Tensor, fake: Tensor) -> tuple[float, float]:
    of_real, of_fake = Moments.of(real), Moments.of(fake)
    root = _Root.of(of_real.covariance)
    squares, vectors = torch.linalg.eigh(root.sandwich(of_fake.covariance))
    overlaps = squares.clamp_min(0).sqrt()
    value = _assemble(of_real, of_fake, overlaps)
    # Directions that one set lacks belong to no transport and would divide by 0 below.
    shared = overlaps > 1e-7 * overlaps[-1:]
    overlaps, vectors = overlaps[shared], vectors[:, shared]
    gap = of_fake.mean - of_real.mean
    whiten_real, whiten_fake = root.inverse_times(vectors), root.factor @ vectors / overlaps
    variance_of_real = _influence_variance(real, of_real.mean, -gap, overlaps, whiten_real)
    variance_of_fake = _influence_variance(fake, of_fake.mean, gap, overlaps, whiten_fake)
    return value, variance_of_real + variance_of_fake


def _assemble(real: Moments, fake: Moments, overlaps: Tensor) -> float:
    of_covariances = real.covariance.trace() + fake.covariance.trace() - 2 * overlaps.sum()
    return max(0.0, float((fake.mean - real.mean).square().sum() + of_covariances))


def _influence_variance(
    features: Tensor,
    mean: Tensor,
    gap: Tensor,
    overlaps: Tensor,
    whiten: Tensor,
) -> float:
    """The variance that the chance in one of the two sets gives to the distance.

    If the mean moves by e and the covariance by E, the distance moves by 2 <gap, e> and
    tr((1 - T) E), T being the optimal transport from this set to the other. One sample y
    off the mean thus moves it by 2 <gap, y> + y'y - y'Ty over N, less the mean of that.

    Args:
        features: (N, F) of this set.
        mean: (F,) of this set.
        gap: (F,) from the other mean to this one.
        overlaps: (R,) roots of eigenvalues; their sum is the trace of (S_r S_f)^1/2.
        whiten: (F, R), from deviations to the coordinates, uncorrelated and of variance 1 in
            this set, along which T stretches: y'Ty is the sum of overlaps * coordinates^2.
    """
    influences = []
    for rows in features.split(ROWS):
        deviations = rows.double() - mean
        transported = (deviations @ whiten).square() @ overlaps
        influences.append(2 * deviations @ gap + deviations.square().sum(dim=1) - transported)
    return float(torch.cat(influences).var()) / len(features)

"""Fidelity and variety apart: are generated faces near photos, and photos near generated faces?

A ball around a sample reaches to its k-th nearest neighbour of the same set. All numbers
here count which samples of one set lie in the balls of the other.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from facewright.metrics.estimate import Z95, Estimate, check_features, wilson_interval
from facewright.metrics.neighbours import (
    Neighbours,
    blocks,
    centre,
    exact_squares,
    nearest_neighbours,
    rough_squares,
)


@dataclass(frozen=True)
class Neighbourhoods:
    """Four shares, each between 0 and 1 except density.

    Args:
        precision: generated images inside the ball of any photo: do they look real?
        recall: photos inside the ball of any generated image: is their variety reached?
        density: photos' balls that a generated image lies in, over k. 1 for equal
            distributions, above it where photos are dense; outliers count little.
        coverage: photos with a generated image in their ball. Equal distributions have
            `coverage_null`.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def neighbourhoods(
    real: Tensor, fake: Tensor, *, k_precision: int = 3, k_coverage: int = 5
) -> Neighbourhoods:
    """Do generated images look real, and do they reach the variety of the photos?

    Args:
        real: (N, F) features of photos.
        fake: (M, F) features of generated images, from the same extractor.
        k_precision: neighbour that the balls of precision and recall reach to, inclusive.
        k_coverage: neighbour that the balls of density and coverage stop short of.

    Returns:
        Higher is better for all four. They depend on N and M: compare at equal sizes, or
        with what photos score against photos. The intervals hold the chance in both sets,
        the choice of photos included. They rest on what changes without one sample, which
        errs towards too wide: in simulations they are 1 to 2.5 times as wide as repetitions
        ask for.

    Raises:
        MetricError: features of different widths, not finite, or too few for k neighbours.

    Source: precision and recall Kynkäänniemi et al. 2019, arXiv:1904.06991; density and
    coverage Naeem et al. 2020, arXiv:2002.09797. The features are the caller's.

    Blind spot: one outlier among the photos has a wide ball in which anything counts as
    precise; density and coverage suffer less. Copies of the photos score best.
    """
    check_features(real, fake, at_least=max(k_precision + 1, k_coverage + 2))
    around_real = nearest_neighbours(
        real, real, max(k_precision, k_coverage + 1), exclude_self=True
    )
    around_fake = nearest_neighbours(fake, fake, k_precision, exclude_self=True)
    real_radii = around_real.distances.square().float()
    hits = _Hits.count(
        real,
        fake,
        reach_real=real_radii[:, k_precision - 1],
        reach_fake=around_fake.distances[:, -1].square().float(),
        inner=real_radii[:, k_coverage - 1],
        outer=real_radii[:, k_coverage],
    )
    return Neighbourhoods(
        precision=hits.precision.share(),
        recall=hits.recall.share(),
        density=_density(hits, around_real, k_coverage),
        coverage=hits.coverage.share(),
    )


def coverage_null(n_real: int, n_fake: int, k: int = 5) -> float:
    """Which coverage is expected when generated images and photos have one distribution?

    A photo is missed if its k nearest neighbours, among all others of both kinds, are
    photos. All orders being equally likely, this needs no knowledge of the distribution.

    Args:
        n_real: photos.
        n_fake: generated images.
        k: neighbour that the balls reach to.

    Returns:
        The expected share of photos covered; 0.969 for k = 5 and equally many of both.
    """
    return 1 - math.prod((n_real - 1 - i) / (n_fake + n_real - 1 - i) for i in range(k))


@dataclass(frozen=True)
class _Cover:
    """How the samples of one set lie in the balls of the other.

    Args:
        counts: (A,) balls that each sample lies in.
        owners: (A,) one of these balls, where there is any.
        balls: how many there are.
    """

    counts: Tensor
    owners: Tensor
    balls: int

    @classmethod
    def of(cls, samples: int, balls: int) -> "_Cover":
        zeros = torch.zeros(2, samples, dtype=torch.int64)
        return cls(zeros[0], zeros[1], balls)

    def samples_in_rows(self, rows: Tensor, inside: Tensor) -> None:
        """Take in a block (B, balls), complete for these samples."""
        self.counts[rows] = inside.sum(dim=1)
        self.owners[rows] = inside.byte().argmax(dim=1)

    def balls_in_rows(self, rows: Tensor, inside: Tensor) -> None:
        """Take in a block (B, A) that holds all samples but only these balls."""
        self.counts.add_(inside.sum(dim=0))
        owners = rows[inside.byte().argmax(dim=0)]
        self.owners.copy_(torch.where(inside.any(dim=0), owners, self.owners))

    def share(self) -> Estimate:
        """The share of samples in any ball, with the chance in both sets.

        Given the balls it is a share of independent samples (Wilson's interval). Without
        one ball it loses the samples that no other holds: a jackknife over the balls.
        """
        size = len(self.counts)
        share = float((self.counts > 0).double().mean())
        sole = torch.bincount(self.owners[self.counts == 1], minlength=self.balls).double()
        by_balls = Z95**2 * self.balls * float(sole.var()) / size**2
        low, high = wilson_interval(share, size)
        low = share - math.hypot(share - low, math.sqrt(by_balls))
        high = share + math.hypot(high - share, math.sqrt(by_balls))
        return Estimate(share, (low, high)).within(0.0, 1.0)


@dataclass(frozen=True)
class _Hits:
    """Which samples lie in which balls.

    Args:
        precision: generated images in balls of photos.
        recall: photos in balls of generated images.
        coverage: for each photo, the generated images in its ball: as many as have the
            photo in a ball as wide as the photo's own.
        grown: (N,) their number if the ball reached to the neighbour after.
        density: (M,) balls of photos around each generated image.
    """

    precision: _Cover
    recall: _Cover
    coverage: _Cover
    grown: Tensor
    density: Tensor

    @classmethod
    def count(
        cls,
        real: Tensor,
        fake: Tensor,
        *,
        reach_real: Tensor,
        reach_fake: Tensor,
        inner: Tensor,
        outer: Tensor,
    ) -> "_Hits":
        """Look at every pair once; the four reaches are squared radii."""
        n, m = len(real), len(fake)
        center = real.mean(dim=0, dtype=torch.float64)
        centered = centre(fake, center, torch.float32)
        hits = cls(
            precision=_Cover.of(m, n),
            recall=_Cover.of(n, m),
            coverage=_Cover.of(n, m),
            grown=torch.zeros(n, dtype=torch.int64),
            density=torch.zeros(m, dtype=torch.int64),
        )
        for rows in blocks(torch.arange(n), m):
            near, close, beyond = (reach[rows, None] for reach in (reach_real, inner, outer))
            squares, slack = rough_squares(centre(real[rows], center, torch.float32), centered)
            doubt = torch.zeros_like(squares, dtype=torch.bool)
            for limit in (near, close, beyond, reach_fake):
                doubt |= (squares - limit).abs_() <= slack[:, None].float()
            # Samples on a border, copies above all, are decided by the exact distance.
            row, column = doubt.nonzero(as_tuple=True)
            squares[row, column] = exact_squares(real, fake, rows[row], column).float()
            hits.precision.balls_in_rows(rows, squares <= near)
            hits.recall.samples_in_rows(rows, squares <= reach_fake)
            hits.coverage.samples_in_rows(rows, squares < close)
            hits.density.add_((squares < close).sum(dim=0))
            hits.grown[rows] = (squares < beyond).sum(dim=1)
        return hits


def _density(hits: _Hits, around_real: Neighbours, k: int) -> Estimate:
    """The density, with a jackknife interval over the samples of both sets.

    A photo taken away takes its ball along, and the balls of those that had it among their
    k nearest grow to the neighbour after.
    """
    own, by_fake = hits.coverage.counts, hits.density.double() / k
    n, m = len(own), len(by_fake)
    losses = own.double()
    growth = (hits.grown - own).double().repeat_interleave(k)
    losses.index_add_(0, around_real.indices[:, :k].flatten(), growth, alpha=-1)
    variance = float(by_fake.var()) / m + n * float(losses.var()) / (k * m) ** 2
    return Estimate.normal(float(by_fake.mean()), variance).within(0.0, math.inf)

"""The kernel distance: a difference of two sets of features without bias at any size."""

from dataclasses import dataclass

import torch
from torch import Tensor

from facewright.metrics.estimate import Estimate, check_features
from facewright.metrics.neighbours import blocks


def kernel_distance(real: Tensor, fake: Tensor) -> Estimate:
    """How far apart are two sets of features, by all pairs of them?

    With features of the Inception network of 2015 this is the KID.

    Args:
        real: (N, F) features of photos.
        fake: (M, F) features of generated images, from the same extractor.

    Returns:
        The squared maximum mean discrepancy of the kernel (a.b / F + 1)^3, lower is better.
        Its expectation is the true value whatever N and M are, so that it is 0 on average
        for equal distributions and often below 0; papers report it times 1000. All pairs
        count, once: the mean of infinitely many subsets, with the least possible chance.
        The interval holds the chance in both sets. For equal distributions too, though
        there the value leans to one side: 0 is within for about 95 in 100.

    Raises:
        MetricError: features of different widths, fewer than two rows, or not finite.

    Source: Binkowski et al. 2018, arXiv:1801.01401. Interval: variance of a
    U-statistic to second order, Sutherland et al. 2017, arXiv:1611.04488, derived anew.

    Blind spot: differences beyond the third moments of the features. Where a.b / F is far
    below 1, as for face features, the cube is nearly a line and only the means count: lost
    variety goes unseen there, and the Fréchet distance is the one to look at.
    """
    check_features(real, fake)
    n, m = len(real), len(fake)
    rr, ff, rf = _all_pairs(real, fake)
    # To first order each sample adds twice what sets it apart: its mean kernel with its own
    # set less that with the other set. These means are of finitely many pairs, so that
    # their variance holds the second order, the chance in single pairs, twice.
    first = 4 * float((rr.row_means - rf.row_means).var()) / n
    first += 4 * float((ff.row_means - rf.column_means).var()) / m
    second = 2 * rr.pair_variance / n**2 + 2 * ff.pair_variance / m**2
    second += 4 * rf.pair_variance / (n * m)
    return Estimate.normal(rr.mean + ff.mean - 2 * rf.mean, max(first - second, second))


@dataclass(frozen=True)
class _Pairs:
    """What is wanted of the kernel values of all pairs, without keeping them.

    Args:
        row_means: (A,) mean over all partners of each left one.
        column_means: (B,) the same of each right one.
        mean_square: mean of the squared values.
    """

    row_means: Tensor
    column_means: Tensor
    mean_square: float

    @classmethod
    def of(cls, left: Tensor, right: Tensor, *, same: bool = False) -> "_Pairs":
        """All pairs of a left and a right one; no row with itself where both are the `same`."""
        row_sums, column_sums = [], torch.zeros(len(right), dtype=torch.float64)
        sum_of_squares = 0.0
        for rows in blocks(torch.arange(len(left)), len(right)):
            values = (left[rows] @ right.T).double().div_(left.shape[1]).add_(1).pow_(3)
            if same:
                values[torch.arange(len(rows)), rows] = 0
            row_sums.append(values.sum(dim=1))
            column_sums += values.sum(dim=0)
            sum_of_squares += float(values.square_().sum())
        partners = len(right) - int(same)
        return cls(
            torch.cat(row_sums) / partners,
            column_sums / (len(left) - int(same)),
            sum_of_squares / (len(left) * partners),
        )

    @property
    def mean(self) -> float:
        """The mean over all pairs."""
        return float(self.row_means.mean())

    @property
    def pair_variance(self) -> float:
        """The variance of single pairs that their rows and columns do not explain."""
        explained = self.row_means.square().mean() + self.column_means.square().mean()
        return max(0.0, self.mean_square - float(explained) + self.mean**2)


def _all_pairs(real: Tensor, fake: Tensor) -> tuple[_Pairs, _Pairs, _Pairs]:
    return _Pairs.of(real, real, same=True), _Pairs.of(fake, fake, same=True), _Pairs.of(real, fake)

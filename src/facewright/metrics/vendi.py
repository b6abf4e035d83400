"""The Vendi score: how many different images a set amounts to."""

import math

import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate

WIDEST = 4096
"""Images or features, whichever are fewer, above which the eigenvalues take minutes."""
CHUNK = 4096
"""Rows turned into float64 at once."""
INFLUENCES = 2048
"""Images, evenly spaced, whose influence on the score is computed for the interval."""


def vendi_score(features: Tensor) -> Estimate:
    """How many entirely different images would be as diverse as this set?

    The mean outer product of the unit features has eigenvalues that add up to 1: the weights
    of its principal directions. The score is the exponential of their entropy.

    Args:
        features: (N, F) of one set of images; only directions count.

    Returns:
        From 1 (all alike) to min(N, F) (all at right angles); higher is more diverse. It
        rises with N: compare only at equal N and of the same extractor, best as a ratio to
        the photos' score. The interval holds N fixed: it is about what sets of this size
        score, not about the limit of many images. Between 92 % and 99 % of simulated
        repetitions fall in; it is widest where all modes are equally frequent.

    Raises:
        MetricError: not (N, F), fewer than two images, a feature vector that is zero or not
            finite, or both N and F above 4096.

    Source: Friedman & Dieng 2022, arXiv:2210.02410, with the linear kernel. The interval,
    a jackknife to second order, is ours.

    Blind spot: lengths of vectors. Features of one sign share a direction and give low
    scores to any set. Diverse noise scores higher than diverse faces.
    """
    points = _unit_rows(features)
    count, width = points.shape
    if min(count, width) > WIDEST:
        raise MetricError(
            f"{count} images with {width} features",
            expected=f"at most {WIDEST} of one of the two",
            fix=f"--count {WIDEST}, or an extractor with fewer features",
        )
    weights, shares = _principal_shares(points)
    entropy = Estimate.normal(
        -float(torch.xlogy(weights, weights).sum()),
        float(_influences(weights, shares, count).var()) / count,
    )
    assert entropy.interval is not None
    low, high = entropy.interval
    score = Estimate(math.exp(entropy.value), (math.exp(low), math.exp(high)))
    return score.within(1, min(count, width))


def _unit_rows(features: Tensor) -> Tensor:
    """(N, F) features -> the same with rows of length 1."""
    if features.ndim != 2 or len(features) < 2:
        raise MetricError(
            f"features of shape {tuple(features.shape)}",
            expected="(N, F) with N at least 2",
            fix="two or more images",
        )
    lengths = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    if not (lengths.isfinite() & (lengths > 0)).all():
        raise MetricError(
            "feature vectors that are zero or not finite",
            expected="vectors with a direction",
            fix="another extractor",
        )
    return features / lengths


def _principal_shares(points: Tensor) -> tuple[Tensor, Tensor]:
    """The weight of each principal direction of a set, and where its points lie along them.

    Args:
        points: (N, F), rows of length 1.

    Returns:
        (K,) weight of each direction that has any, together 1; and (J, K) share that each
        of J evenly spaced points has in each direction, together 1 for a point.
    """
    count, width = points.shape
    step = math.ceil(count / INFLUENCES)
    if count <= width:
        # The smaller matrix has the same eigenvalues, and its eigenvectors are the points'
        # coordinates along the directions, scaled to length 1.
        weights, vectors = torch.linalg.eigh(_gram(points.T) / count)
        shares = vectors[::step].square() * count * weights
    else:
        weights, vectors = torch.linalg.eigh(_gram(points) / count)
        shares = (points[::step].double() @ vectors).square()
    used = weights > 1e-12
    return weights[used], shares[:, used]


def _gram(rows: Tensor) -> Tensor:
    """(N, F) -> (F, F) sum of outer products in float64, without a float64 copy of all."""
    total = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
    for chunk in rows.split(CHUNK):
        chunk = chunk.double()
        total.addmm_(chunk.T, chunk)
    return total


def _influences(weights: Tensor, shares: Tensor, count: int) -> Tensor:
    """By how much the entropy falls, times N and up to a constant, without each point.

    To first order a point brings the surprise -x' log(M) x, where M has these weights. The
    second order matters for rare points, which are most of their own direction: without it
    intervals were up to a fifth too short in sets of 200. It needs the divided difference of
    the logarithm between each two eigenvalues.
    """
    logs = weights.log()
    rise, run = logs[:, None] - logs, weights[:, None] - weights
    level = (weights[:, None] * weights).sqrt()
    divided = torch.where(run.abs() < 1e-6 * level, 1 / level, rise / run)
    return -(shares @ logs) + (shares @ divided * shares).sum(dim=1) / (2 * count)

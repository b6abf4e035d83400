"""Nearest neighbours among features: exact, in little memory, at the speed of one product.

The fast way to all distances, |a|^2 + |b|^2 - 2 a.b, loses small ones to rounding: in
float32 two equal rows come out some way apart, or at a negative square. It serves here to
find candidates only. What is returned was computed again from differences in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facewright.errors import MetricError

BLOCK = 1 << 22
"""Distances held at once."""

DIFFERENCES = 1 << 18
"""Numbers in the differences held at once, so few that they stay in the processor's cache."""

SPARE = 8
"""Candidates looked at beyond the k wanted, so that rounding seldom hides a neighbour."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest points of each query.

    Args:
        distances: (Q, k) float64, ascending.
        indices: (Q, k) rows of the points.
    """

    distances: Tensor
    indices: Tensor


def nearest_neighbours(
    queries: Tensor, points: Tensor, k: int, *, exclude_self: bool = False
) -> Neighbours:
    """Which points lie nearest to each query, and how far away?

    Args:
        queries: (Q, F) features.
        points: (N, F) features of the same extractor.
        k: neighbours of each query.
        exclude_self: row i of the queries is row i of the points and no neighbour of
            itself. Other rows that equal it are neighbours, at distance 0.

    Returns:
        Euclidean distances, exact to float64 and 0 for equal rows, and where the points
        are. Among points equally far which one is named is not specified.

    Raises:
        MetricError: features of different widths, or fewer than k points to choose from.
    """
    choice = len(points) - int(exclude_self)
    _check(queries, points, k, choice)
    distances = torch.empty(len(queries), k, dtype=torch.float64)
    indices = torch.empty(len(queries), k, dtype=torch.int64)
    rows = torch.arange(len(queries))
    # Rows that float32 cannot settle, such as many near copies of one face, are looked at
    # again in float64. What even that cannot tell apart is equally far for any purpose.
    for dtype in (torch.float32, torch.float64):
        if not len(rows):
            break
        center = points.mean(dim=0, dtype=torch.float64)
        centered = centre(points, center, dtype)
        unsettled = [rows[:0]]
        for block in blocks(rows, len(points)):
            own = block if exclude_self else None
            squares, slack = rough_squares(centre(queries[block], center, dtype), centered)
            if own is not None:
                squares[torch.arange(len(block)), own] = torch.inf
            rough, candidates = squares.topk(min(k + SPARE, choice), largest=False)
            exact = exact_squares(
                queries, points, block.repeat_interleave(candidates.shape[1]), candidates.flatten()
            ).view(candidates.shape)
            nearest, order = exact.topk(k, largest=False)
            distances[block], indices[block] = nearest.sqrt(), candidates.gather(1, order)
            # Whatever is no candidate is at least as far as the last one, but for rounding.
            beyond = rough[:, -1].double() - slack
            if candidates.shape[1] < choice:
                unsettled.append(block[beyond < nearest[:, -1]])
        rows = torch.cat(unsettled)
    return Neighbours(distances, indices)


def centre(features: Tensor, center: Tensor, dtype: torch.dtype) -> Tensor:
    """The features about a centre: the closer they lie to 0, the less rounding costs."""
    return features.to(dtype) - center.to(dtype)


def blocks(rows: Tensor, width: int) -> Iterator[Tensor]:
    """The rows in pieces, such that a piece times the width stays within `BLOCK` numbers."""
    yield from rows.split(max(1, BLOCK // width))


def rough_squares(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances (A, B) from one matrix product, and (A,) how wrong they may be.

    The bound is the textbook one for sums of F rounded products; errors are far smaller.
    """
    a_norms, b_norms = (torch.linalg.vector_norm(x, dim=1).square() for x in (a, b))
    squares = torch.addmm(b_norms, a, b.T, alpha=-2).add_(a_norms[:, None])
    roundings = (a.shape[1] + 8) * torch.finfo(a.dtype).eps
    return squares, roundings * (a_norms + b_norms.max()).double()


def exact_squares(a: Tensor, b: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Squared distances (P,) of the pairs a[rows], b[columns], from differences in float64."""
    # In numpy: pieces this small cost torch more in waking its threads than in arithmetic.
    left, right, squares = a.numpy(), b.numpy(), np.empty(len(rows))
    for pair in torch.arange(len(rows)).split(max(1, DIFFERENCES // a.shape[1])):
        difference = left[rows[pair].numpy()].astype(np.float64)
        difference -= right[columns[pair].numpy()]
        squares[pair.numpy()] = np.einsum("pf,pf->p", difference, difference)
    return torch.from_numpy(squares)


def _check(queries: Tensor, points: Tensor, k: int, choice: int) -> None:
    if queries.ndim != 2 or points.ndim != 2 or queries.shape[1] != points.shape[1]:
        raise MetricError(
            f"neighbours of {tuple(queries.shape)} among {tuple(points.shape)} features",
            expected="(Q, F) and (N, F) of the same extractor",
            fix="one extractor for both",
        )
    if not 1 <= k <= choice:
        raise MetricError(
            f"{k} nearest neighbours among {choice} points",
            expected="at least one neighbour and as many points",
            fix="add images, or ask for fewer neighbours",
        )

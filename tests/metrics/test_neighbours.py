"""Nearest neighbours are checked against all distances in float64."""

import pytest
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics import neighbours
from facewright.metrics.neighbours import exact_squares, nearest_neighbours, rough_squares


def features(count: int, width: int = 20, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def naive(queries: Tensor, points: Tensor) -> Tensor:
    return (queries.double()[:, None] - points.double()).square().sum(dim=2).sqrt()


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_they_are_those_of_all_distances_wherever_the_features_lie(offset):
    queries, points = features(70) + offset, features(90, seed=1) + offset
    found = nearest_neighbours(queries, points, 4)
    expected = naive(queries, points).sort(dim=1)
    assert torch.equal(found.indices, expected.indices[:, :4])
    torch.testing.assert_close(found.distances, expected.values[:, :4], rtol=1e-12, atol=0)


def test_equal_rows_are_exactly_0_apart():
    points = features(200, width=512) + 30
    found = nearest_neighbours(points[:50].clone(), points, 2)
    assert (found.distances[:, 0] == 0).all()
    assert torch.equal(found.indices[:, 0], torch.arange(50))
    assert (found.distances[:, 1] > 1).all()


def test_a_row_is_no_neighbour_of_itself_but_its_twin_is():
    points = features(40)
    points[1] = points[0]
    found = nearest_neighbours(points, points, 3, exclude_self=True)
    assert not (found.indices == torch.arange(40)[:, None]).any()
    assert found.indices[:2, 0].tolist() == [1, 0]
    assert found.distances[:2, 0].tolist() == [0, 0]
    expected = naive(points, points).fill_diagonal_(torch.inf).sort(dim=1).values[:, :3]
    torch.testing.assert_close(found.distances, expected)


@pytest.mark.parametrize("copies", [4, 60])
def test_near_copies_that_float32_cannot_tell_apart_are_still_in_order(copies):
    # Clumps some 4000 apart and 1e-3 wide: squares of 1e-6 drown in the rounding of 1e7.
    # Four copies are all among the candidates; of sixty the nearest have to be found.
    clumps = 1000 * features(20, width=8).double().repeat_interleave(copies, dim=0)
    points = clumps + 1e-3 * features(20 * copies, width=8, seed=1).double()
    found = nearest_neighbours(points, points, 3, exclude_self=True)
    expected = naive(points, points).fill_diagonal_(torch.inf).sort(dim=1).values[:, :3]
    torch.testing.assert_close(found.distances, expected, rtol=1e-9, atol=0)


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    points = features(57)
    whole = nearest_neighbours(points, points, 5, exclude_self=True)
    monkeypatch.setattr(neighbours, "BLOCK", 400)
    pieces = nearest_neighbours(points, points, 5, exclude_self=True)
    assert torch.equal(whole.indices, pieces.indices)
    assert torch.equal(whole.distances, pieces.distances)


def test_a_query_has_the_same_neighbours_whatever_the_other_queries_are():
    queries, points = features(33), features(57, seed=1)
    alone = nearest_neighbours(queries[32:], points, 5)
    assert torch.equal(alone.indices, nearest_neighbours(queries, points, 5).indices[32:])


def test_all_points_can_be_asked_for():
    points = features(6)
    found = nearest_neighbours(points, points, 5, exclude_self=True)
    assert found.indices.sort(dim=1).values[2].tolist() == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_rough_squares_are_within_their_own_bound(scale):
    a, b = scale * features(50, width=300), scale * features(60, width=300, seed=1)
    b[:50] = a
    rough, bound = rough_squares(a, b)
    rows, columns = torch.cartesian_prod(torch.arange(50), torch.arange(60)).T
    error = (rough - exact_squares(a, b, rows, columns).view(50, 60)).abs()
    assert (error <= bound[:, None]).all()
    assert (error > 0).any()


@pytest.mark.parametrize(("count", "k"), [(5, 5), (3, 4), (5, 0)])
def test_more_neighbours_than_points_are_refused(count, k):
    points = features(count)
    with pytest.raises(MetricError, match=f"{k} nearest neighbours among {count - 1} points"):
        nearest_neighbours(points, points, k, exclude_self=True)


def test_features_of_two_extractors_are_refused():
    with pytest.raises(MetricError, match=r"neighbours of \(5, 20\) among \(5, 8\)"):
        nearest_neighbours(features(5), features(5, width=8), 1)

"""Every thing once, in an order that looks like chance and takes no memory."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from facewright.data.stream import shuffled


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 17, 100, 1000, 9973])
def test_every_thing_has_one_place(count):
    for seed in (0, 1, 2**63 + 5):
        assert sorted(shuffled(np.arange(count), count, seed).tolist()) == list(range(count))


def test_some_places_are_those_of_the_whole_row():
    whole = shuffled(np.arange(1000), 1000, 7)
    some = np.array([999, 3, 500, 3])
    assert shuffled(some, 1000, 7).tolist() == whole[some].tolist()


def test_two_seeds_agree_as_often_as_by_chance():
    """Fixed points of a random permutation are Poisson with mean 1, for any number of things."""
    orders = [shuffled(np.arange(400), 400, seed) for seed in range(200)]
    agreeing = [int((a == b).sum()) for a, b in pairwise(orders)]
    assert np.mean(agreeing) == pytest.approx(1, abs=4 / np.sqrt(len(agreeing)))


def test_every_thing_comes_to_every_place():
    """3 things: all 6 orders; 12 things: each place sees each thing, evenly (chi squared)."""
    assert len({tuple(shuffled(np.arange(3), 3, seed).tolist()) for seed in range(200)}) == 6
    table = np.zeros((12, 12))
    seeds = 6000
    for seed in range(seeds):
        table[np.arange(12), shuffled(np.arange(12), 12, seed)] += 1
    chi = ((table - seeds / 12) ** 2 / (seeds / 12)).sum()
    assert chi == pytest.approx(11 * 11, abs=5 * np.sqrt(2 * 11 * 11))


def test_neighbours_do_not_stay_neighbours():
    order = shuffled(np.arange(10_000), 10_000, 3)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(np.arange(10_000), order)[0, 1]) < 0.05
    assert (np.abs(np.diff(order)) == 1).mean() < 0.001


def test_a_few_of_ten_million_take_no_memory():
    tracemalloc.start()
    shuffled(np.arange(16), 10_000_000, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000

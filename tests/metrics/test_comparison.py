"""Shares, their intervals and the exact test have answers in tables."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import fisher_exact

from facewright.metrics.comparison import Comparison, least_noticed
from tests.metrics.clouds import holds


def flags(hits: int, count: int) -> torch.Tensor:
    return torch.arange(count) < hits


def test_the_intervals_are_those_of_newcombe():
    # Newcombe 1998, Statistics in Medicine 17:873, table II, example (a), method 10.
    found = Comparison.of(flags(56, 70), flags(48, 80))
    assert found.fake.value == pytest.approx(0.8)
    assert found.val.value == pytest.approx(0.6)
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_nothing_of_ten_may_still_be_a_quarter():
    # Newcombe 1998, table II, example (g): 10 of 10 against 0 of 10.
    found = Comparison.of(flags(10, 10), flags(0, 10))
    assert found.val.interval == pytest.approx((0, 0.2775), abs=1e-4)
    assert found.fake.interval == pytest.approx((0.7225, 1), abs=1e-4)
    assert found.difference.interval == pytest.approx((0.6075, 1), abs=1e-4)


@pytest.mark.parametrize(("hits", "n_fake", "base", "n_val"), [(5, 20, 1, 30), (9, 9, 0, 90)])
def test_chance_is_fishers_exact_test(hits, n_fake, base, n_val):
    table = [[hits, n_fake - hits], [base, n_val - base]]
    _, expected = fisher_exact(table, alternative="greater")
    found = Comparison.of(flags(hits, n_fake), flags(base, n_val)).p_more
    assert found == pytest.approx(expected)


def test_ten_of_ten_against_none_is_one_draw_in_all():
    found = Comparison.of(flags(10, 10), flags(0, 10)).p_more
    assert found == pytest.approx(1 / math.comb(20, 10))


def test_fewer_of_the_generated_images_are_no_news():
    assert Comparison.of(flags(1, 50), flags(9, 50)).p_more > 0.99


def test_the_smallest_share_noticed_is_the_first_one_noticed():
    share = least_noticed(200, 1, 300, 0.001)
    hits = round(share * 200)
    assert Comparison.of(flags(hits, 200), flags(1, 300)).p_more <= 0.001
    assert Comparison.of(flags(hits - 1, 200), flags(1, 300)).p_more > 0.001


def test_with_two_images_not_even_all_would_be_noticed():
    assert least_noticed(2, 0, 100, 1e-4) > 1


def test_the_interval_of_the_difference_holds_what_it_should():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        a, b = rng.binomial(400, 0.12), rng.binomial(250, 0.04)
        held += holds(Comparison.of(flags(a, 400), flags(b, 250)).difference, 0.08)
    assert 930 <= held <= 975

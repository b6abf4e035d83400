"""The data-copying test against scipy, its published behaviour, and chance."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu, norm

from facewright.metrics.closeness import AuditSpace, closeness
from facewright.metrics.copying import copying, rank_difference
from tests.metrics.clouds import cloud, gaussian_space, holds


def both(space: AuditSpace):
    return copying(space, closeness(space))


@pytest.mark.parametrize("levels", [1000, 5])
def test_it_agrees_with_scipy_with_and_without_ties(levels):
    rng = np.random.default_rng(0)
    fake, val = rng.integers(0, levels, 40) - levels // 9, rng.integers(0, levels, 70)
    p = mannwhitneyu(fake, val, alternative="less", method="asymptotic").pvalue
    assert rank_difference(fake, val).value == pytest.approx(norm.ppf(p))


def test_without_overlap_it_is_known():
    # U = 0: (0 - (mn/2 - 1/2)) / sqrt(mn(m + n + 1) / 12) with m = 20, n = 30.
    near, far = np.linspace(0, 1, 20), np.linspace(2, 3, 30)
    assert rank_difference(near, far).value == pytest.approx(-299.5 / math.sqrt(2550))
    assert rank_difference(far, near).value == pytest.approx(300.5 / math.sqrt(2550))


def test_equal_distances_say_nothing():
    assert rank_difference(np.zeros(9), np.zeros(5)).value == 0


def test_the_interval_holds_the_truth_with_and_without_a_difference():
    rng, (m, n) = np.random.default_rng(0), (120, 300)
    for shift in (0.0, 0.8):
        overlap = float(norm.cdf(-shift / math.sqrt(1.09)))
        truth = m * n * (overlap - 0.5) / math.sqrt(m * n * (m + n + 1) / 12)
        held = 0
        for _ in range(600):
            fake, val = 0.3 * rng.standard_normal(m) - shift, rng.standard_normal(n)
            held += holds(rank_difference(fake, val), truth)
        assert 0.925 <= held / 600 <= 0.975


def small(seed: int) -> AuditSpace:
    return gaussian_space(seed, width=8, train=300, val=500, fake=500)


def test_honest_images_are_as_far_as_fresh_ones():
    whole = [both(small(seed)).whole.value for seed in range(10)]
    assert abs(np.mean(whole)) < 1
    assert max(map(abs, whole)) < 3


def test_one_copy_in_ten_lowers_it_as_published():
    found = [both(gaussian_space(seed, width=8, copied=0.1)).whole.value for seed in range(2)]
    assert min(found) > -8.5
    assert max(found) < -3


def test_copies_only_are_54_standard_deviations_closer():
    assert both(gaussian_space(0, width=8, copied=1)).whole.value == pytest.approx(-54.8, abs=0.1)


def test_images_that_stay_away_score_above_zero():
    space = small(0)
    far = both(AuditSpace(space.train, space.val, 2 * space.fake))
    assert far.whole.value > 15
    assert far.average.value > 4


def islands(count: int, seed: int, width: int = 8):
    """Ten clouds far from each other, in any order; and which one each row belongs to."""
    where = np.random.default_rng(seed).integers(0, 10, count)
    centres = cloud(10, width, 99) * 100
    return cloud(count, width, seed) + centres[where], where


@pytest.mark.parametrize("width", [8, 100])
def test_copying_in_one_region_shows_there(width):
    (train, at), (val, _), (fake, where) = (islands(1000, seed, width) for seed in range(3))
    copies = np.flatnonzero(where == 3)
    fake[copies] = train[np.resize(np.flatnonzero(at == 3), len(copies))]
    found = both(AuditSpace(train, val, fake))
    assert len(found.regions) >= 7
    assert found.regions[0] < -8 < -4 < found.regions[1]


def test_the_average_weighs_regions_with_the_held_out_photos_in_them():
    (train, at), (val, of), (fake, where) = islands(1000, 0), islands(10000, 1), islands(1000, 2)
    copies = np.flatnonzero(where == 3)
    fake[copies] = train[np.resize(np.flatnonzero(at == 3), len(copies))]
    # About 1000 of region 3, and 900 of all others.
    kept = (of == 3) | (np.arange(10000) < 1000)
    found = both(AuditSpace(train, val[torch.from_numpy(kept)], fake))
    share = (of[kept] == 3).mean()
    assert found.average.value == pytest.approx(found.regions[0] * share, abs=1)


def test_regions_with_too_few_are_left_out():
    (train, _), (val, where), (fake, _) = islands(1000, 0), islands(1000, 1), islands(1000, 2)
    kept = torch.from_numpy((where < 5) | (np.arange(1000) < 50))
    assert 3 <= len(both(AuditSpace(train, val[kept], fake)).regions) <= 5


def test_with_no_region_to_judge_the_whole_is_one():
    found = both(gaussian_space(0, width=4, train=200, val=15, fake=15))
    assert found.regions == ()
    assert found.average == found.whole

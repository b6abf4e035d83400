"""Authenticity, calibrated distance, the closest tail and quantile ratios on Gaussian clouds."""

from functools import cache

import numpy as np
import pytest
import torch

from facewright.metrics.closeness import AuditSpace, Closeness, closeness
from facewright.metrics.estimate import Estimate
from facewright.metrics.memorisation import (
    authenticity,
    calibrated,
    closest_tail,
    quantile_ratios,
)
from facewright.metrics.neighbours import Neighbours
from tests.metrics.clouds import gaussian_space, holds


@cache
def near_gaussian(width: int, copied: float = 0.0, noise: float = 0.02) -> Closeness:
    return closeness(gaussian_space(0, width=width, copied=copied, noise=noise))


def nearest_at(distances: torch.Tensor, around: float = 1.0) -> Neighbours:
    """Neighbours with these nearest distances and this mean of the nearest fifty."""
    rest = (50 * around - distances) / 49
    spread = torch.cat([distances[:, None], rest[:, None].expand(-1, 49)], dim=1)
    return Neighbours(spread, torch.zeros(len(distances), 50, dtype=torch.int64))


def ratio_at(found: dict[float, Estimate | None], share: float) -> float:
    ratio = found[share]
    assert ratio is not None
    return ratio.value


def with_distances(fake: torch.Tensor, val: torch.Tensor, own: float = 0.5) -> Closeness:
    return Closeness(nearest_at(fake), nearest_at(val), torch.full((60,), own).double())


@pytest.mark.parametrize(("width", "share"), [(2, 0.39), (8, 0.60), (32, 0.77), (64, 0.82)])
def test_authenticity_of_fresh_photos_depends_on_the_dimension(width, share):
    found = authenticity(near_gaussian(width))
    assert found.fake.value == pytest.approx(share, abs=0.035)
    assert found.val.value == pytest.approx(share, abs=0.035)
    assert found.difference.value == pytest.approx(0, abs=0.03)


def test_no_copy_is_authentic():
    found = authenticity(closeness(gaussian_space(0, width=32, copied=1, train=500, fake=500)))
    assert found.fake.value == 0
    assert found.val.value > 0.6


def test_one_copy_in_ten_lowers_authenticity_by_a_tenth_of_it():
    honest = authenticity(near_gaussian(32)).fake.value
    assert authenticity(near_gaussian(32, copied=0.1)).fake.value == pytest.approx(
        0.9 * honest, abs=0.01
    )


def test_authenticity_looks_at_the_photo_that_is_nearest():
    # Photos 0 and 1 lie 1 apart, all others 100; images lie 2 from photo 0 and 5 from photo 9.
    train = torch.cat([torch.tensor([0.0, 1.0]), torch.arange(1, 60) * 100.0])[:, None]
    space = AuditSpace(train, torch.tensor([[805.0], [-2.0]]), torch.tensor([[-2.0], [-2.0]]))
    found = authenticity(closeness(space))
    assert found.fake.value == 1
    assert found.val.value == 0.5


def test_a_mirrored_photo_is_as_far_from_others_as_its_original():
    near = with_distances(torch.full((5,), 0.4), torch.full((5,), 0.4))
    near.own[7] = 0.3
    near.fake.indices[:, 0] = 60 + 7
    near.val.indices[:, 0] = 60 + 8
    found = authenticity(near)
    assert (found.fake.value, found.val.value) == (1, 0)


@pytest.mark.parametrize("width", [32, 64])
def test_the_calibrated_distance_flags_exactly_the_copies(width):
    found = calibrated(near_gaussian(width, copied=0.1))
    assert found.fake.value == 0.1
    assert found.val.value == 0
    assert holds(found.difference, 0.1)
    assert not holds(found.difference, 0.08)
    assert not holds(found.difference, 0.12)


def test_in_few_dimensions_it_flags_fresh_photos_too():
    assert calibrated(near_gaussian(2)).val.value > 0.5


def test_half_the_distance_around_is_the_limit():
    found = calibrated(
        with_distances(torch.tensor([0.1, 0.49, 0.51, 0.9]), torch.tensor([0.3, 0.6, 0.7]))
    )
    assert found.fake.value == pytest.approx(2 / 4)
    assert found.val.value == pytest.approx(1 / 3)


def test_the_closest_tail_is_shared_evenly_by_honest_images():
    found = [closest_tail(closeness(gaussian_space(s, width=8, train=300))) for s in range(10)]
    assert np.mean([f.fake.value for f in found]) == pytest.approx(0.05, abs=0.005)
    assert all(f.p_more > 0.01 for f in found)


def test_the_closest_tail_is_the_lowest_twentieth_of_both_together():
    fake, val = torch.linspace(0.1, 0.3, 30), torch.linspace(0.4, 0.9, 570)
    found = closest_tail(with_distances(fake, val))
    assert found.fake.value == 1
    assert found.val.value == 0


def test_altered_copies_crowd_the_closest_tail_though_not_below_the_limit():
    near = near_gaussian(64, copied=0.1, noise=0.8)
    assert calibrated(near).fake.value < 0.01
    assert closest_tail(near).p_more < 1e-6


def test_quantile_ratios_are_quotients_of_quantiles():
    rng = np.random.default_rng(0)
    val = torch.from_numpy(rng.permutation(np.arange(1.0, 1002)))
    found = quantile_ratios(with_distances(3 * val, val))
    for share in (0.01, 0.05, 0.5):
        assert ratio_at(found, share) == pytest.approx(3)
        assert holds(found[share], 3)


def test_one_copy_in_ten_empties_the_low_quantiles_and_leaves_the_median():
    found = quantile_ratios(near_gaussian(32, copied=0.1))
    assert ratio_at(found, 0.01) < 0.05
    assert ratio_at(found, 0.05) < 0.05
    assert 0.97 < ratio_at(found, 0.5) < 1
    assert [holds(found[share], 1) for share in (0.01, 0.05)] == [False, False]


def test_a_quantile_of_zero_has_no_ratio():
    val = torch.cat([torch.zeros(30), torch.ones(970)])
    found = quantile_ratios(with_distances(torch.ones(1000), val))
    assert found[0.01] is None
    assert ratio_at(found, 0.05) == 1


def test_a_quantile_that_could_as_well_be_zero_has_no_interval():
    val = torch.cat([torch.zeros(45), torch.ones(955)])
    ratio = quantile_ratios(with_distances(torch.ones(1000), val))[0.05]
    assert ratio == Estimate(1.0)


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_the_interval_of_a_quantile_ratio_holds_the_truth(share):
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fake, val = (torch.from_numpy(rng.lognormal(0, 0.2, n)) for n in (900, 600))
        held += holds(quantile_ratios(with_distances(fake, val), seed=seed)[share], 1)
    assert 90 <= held <= 99


@pytest.mark.parametrize("question", [authenticity, calibrated, closest_tail])
def test_photos_and_generated_images_are_not_swapped(question):
    space = gaussian_space(0, width=32, copied=0.5, train=500, val=400, fake=500)
    found = question(closeness(space))
    swapped = question(closeness(AuditSpace(space.train, space.fake, space.val)))
    assert found.difference.value == pytest.approx(-swapped.difference.value)
    assert (found.p_more < 0.01) == (question is not authenticity)
    assert found.fake.value == pytest.approx(swapped.val.value)
    assert abs(found.difference.value) > 0.05

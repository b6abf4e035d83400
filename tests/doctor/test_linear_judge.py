"""The bits that a linear classifier finds, where they are known on paper."""

import math

import pytest
import torch

from facewright.doctor.linear_judge import linear_js_bits


def normal(count: int, seed: int, features: int = 4) -> torch.Tensor:
    return torch.randn(count, features, generator=torch.Generator().manual_seed(seed))


def entropy(share: float) -> float:
    return -share * math.log2(share) - (1 - share) * math.log2(1 - share)


def test_where_nothing_differs_there_is_next_to_nothing_to_find():
    found = [linear_js_bits(normal(512, seed), normal(512, seed + 100)) for seed in range(8)]
    # Of 1,024 verdicts half are wrong, give or take 16: 0.001 bits.
    assert min(found) >= 0
    assert max(found) < 0.01


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 4.0])
def test_two_normal_distributions_are_confused_as_often_as_their_tails_overlap(shift):
    """The best threshold lies in the middle: a share of 1 - cdf(shift / 2) is wrong."""
    moved = normal(4096, 2)
    moved[:, 1] += shift
    wrong = 0.5 * math.erfc(shift / 2 / math.sqrt(2))
    found = linear_js_bits(normal(4096, 1), moved)
    assert found == pytest.approx(1 - entropy(wrong), abs=0.03)


def test_what_no_threshold_parts_is_found_by_what_the_pixels_have_in_common():
    """The sum of two pixels is 0 but for noise in photos, and 1 in images; each alone is wide."""
    wide = 10 * normal(1024, 3, 1)
    photos = torch.cat([wide[:512], -wide[:512]], dim=1) + 0.01 * normal(512, 4, 2)
    images = torch.cat([wide[512:], 1 - wide[512:]], dim=1) + 0.01 * normal(512, 5, 2)
    assert linear_js_bits(photos[:, :1], images[:, :1]) < 0.05
    assert linear_js_bits(photos, images) > 0.95


def test_different_images_leave_no_doubt_and_a_bit_is_never_quite_reached():
    found = linear_js_bits(normal(64, 1), normal(64, 2) + 50)
    assert found == pytest.approx(1 - entropy(0.5 / 128))


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_pixels_says_nothing(scale):
    photos, images = normal(512, 1), normal(512, 2)
    images[:, 0] += 2
    scales = torch.tensor([1.0, scale, 1.0, 1 / scale])
    found = linear_js_bits(photos, images)
    assert linear_js_bits(scales * photos, scales * images) == pytest.approx(found, abs=0.01)


def test_more_pixels_than_images_do_not_count_as_knowledge():
    assert linear_js_bits(normal(64, 1, 768), normal(64, 2, 768)) < 0.1


def test_images_that_are_no_numbers_or_all_alike_are_judged_too():
    broken = torch.full((64, 4), math.nan)
    assert 0 <= linear_js_bits(normal(64, 1), broken) <= 1
    assert linear_js_bits(torch.ones(64, 4), torch.ones(64, 4)) == pytest.approx(0, abs=1e-6)

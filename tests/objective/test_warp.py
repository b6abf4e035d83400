"""Magnified and tilted images against answers known on paper."""

import math

import pytest
import torch

from facewright.objective.warp import NUMBERS, POLICIES, TILT, ZOOM, resampled, warped
from facewright.rng import rng_for


def photos(count=4, channels=3, side=16):
    return torch.rand(count, channels, side, side, generator=rng_for(0, 0, "photos")) * 2 - 1


def chances(count):
    return torch.rand(count, NUMBERS, generator=rng_for(0, 1, "chance"))


def each(value, count=1):
    return torch.full((count,), float(value))


def test_scale_one_and_no_angle_change_not_one_bit():
    assert torch.equal(resampled(photos(), each(1, 4), each(0, 4)), photos())


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_those_of_rot90(turns):
    turned = resampled(photos(), each(1, 4), each(turns * math.pi / 2, 4))
    assert torch.allclose(turned, photos().rot90(turns, (2, 3)), atol=1e-5)


def ramp(height, width):
    """Brightness is the distance to the right of the middle, in pixels."""
    return (torch.arange(width) - (width - 1) / 2).expand(1, 1, height, width)


def test_twice_as_large_is_half_as_steep():
    assert torch.allclose(resampled(ramp(8, 12), each(2), each(0)), ramp(8, 12) / 2)


def test_what_comes_in_repeats_the_edge():
    shrunk = resampled(ramp(8, 12), each(0.5), each(0))
    assert torch.allclose(shrunk, (2 * ramp(8, 12)).clamp(-5.5, 5.5))


def test_a_small_tilt_lets_the_right_side_rise():
    column = torch.arange(9.0)[:, None].expand(1, 1, 9, 9)  # brighter further down
    tilted = resampled(column, each(1), each(0.1))[0, 0]
    # Anticlockwise: what lay below comes up on the right, by the sine for each pixel.
    assert (tilted[4, 6] - tilted[4, 4]).item() == pytest.approx(2 * math.sin(0.1), abs=1e-5)


def test_each_image_is_warped_by_its_own_numbers():
    seen = warped(photos(1).expand(50, -1, -1, -1), POLICIES, 1.0, chances(50))
    assert len(seen.flatten(1).unique(dim=0)) == 50


@pytest.mark.parametrize("policy", POLICIES)
def test_the_probability_is_the_share_of_images_that_a_policy_meets(policy):
    images = photos(4000, 1, 8)
    seen = warped(images, (policy,), 0.3, chances(4000))
    share = (seen != images).flatten(1).any(1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.036)  # five standard deviations


def test_each_policy_spares_by_its_own_chance():
    images = photos(4000, 1, 8)
    met = [
        (warped(images, (policy,), 0.5, chances(4000)) != images).flatten(1).any(1).float()
        for policy in POLICIES
    ]
    assert torch.corrcoef(torch.stack(met))[0, 1].abs() < 0.08


@pytest.mark.parametrize(
    ("policy", "number", "scale", "degrees"),
    [
        ("scale", 0.0, 1 / ZOOM, 0),
        ("scale", 0.5, 1, 0),
        ("scale", 1.0, ZOOM, 0),
        ("rotation", 0.0, 1, -TILT),
        ("rotation", 0.75, 1, TILT / 2),
    ],
)
def test_the_numbers_reach_from_one_end_to_the_other(policy, number, scale, degrees):
    chance = torch.tensor([[0.0, 0.0, number, number]])
    expected = resampled(photos(1), each(scale), each(math.radians(degrees)))
    assert torch.allclose(warped(photos(1), (policy,), 1.0, chance), expected, atol=1e-6)
    assert torch.equal(warped(photos(1), (policy,), 0.0, chance), photos(1))


def test_without_a_policy_nothing_changes():
    assert torch.equal(warped(photos(), (), 1.0, chances(4)), photos())


def test_gradients_reach_the_image_once_and_twice():
    images = photos(2, 2, 4).double().requires_grad_(True)
    chance = chances(2).double()

    def seen(pixels):
        return warped(pixels, POLICIES, 1.0, chance)

    assert torch.autograd.gradcheck(seen, images)
    assert torch.autograd.gradgradcheck(lambda pixels: seen(pixels).square(), images)


def test_pictures_need_not_be_square():
    images = torch.rand(2, 3, 16, 24)
    seen = warped(images, POLICIES, 1.0, chances(2))
    assert seen.shape == images.shape
    assert seen.min() >= 0
    assert seen.max() <= 1

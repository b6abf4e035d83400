"""Distortions against answers known on paper."""

import pytest
import torch

from facewright.objective.diffaugment import (
    NUMBERS,
    POLICIES,
    cut_out,
    distorted,
    recoloured,
    translated,
)
from facewright.rng import rng_for


def photos(count=4, channels=3, side=16):
    return torch.rand(count, channels, side, side, generator=rng_for(0, 0, "photos")) * 2 - 1


def chances(count):
    return torch.rand(count, NUMBERS, generator=rng_for(0, 1, "chance"))


def each(value, count=1):
    return torch.full((count,), float(value))


def dot(row, column, side=16):
    image = torch.zeros(1, 1, side, side)
    image[0, 0, row, column] = 1
    return image


def place(image):
    return image[0, 0].nonzero().tolist()


def test_probability_zero_changes_nothing_and_one_changes_all():
    images = photos(64)
    assert torch.equal(distorted(images, POLICIES, 0.0, chances(64)), images)
    changed = (distorted(images, POLICIES, 1.0, chances(64)) != images).flatten(1).any(1)
    assert changed.all()


def test_no_policy_changes_nothing():
    assert torch.equal(distorted(photos(), (), 1.0, chances(4)), photos())


@pytest.mark.parametrize("policy", POLICIES)
def test_the_probability_is_the_share_of_images_that_a_policy_meets(policy):
    images = photos(4000, 1, 8)
    seen = distorted(images, (policy,), 0.3, chances(4000))
    share = (seen != images).flatten(1).any(1).float().mean().item()
    # One translation in nine goes nowhere; five standard deviations are 0.036.
    expected = 0.3 * (8 / 9 if policy == "translation" else 1)
    assert share == pytest.approx(expected, abs=0.036)


def test_each_policy_spares_by_its_own_chance():
    images = photos(4000, 1, 8)
    met = [
        (distorted(images, (policy,), 0.5, chances(4000)) != images).flatten(1).any(1).float()
        for policy in ("colour", "cutout")
    ]
    assert torch.corrcoef(torch.stack(met))[0, 1].abs() < 0.08


def test_every_image_has_its_own_numbers():
    images = photos(1).expand(50, -1, -1, -1)
    seen = distorted(images, POLICIES, 1.0, chances(50))
    assert len(seen.flatten(1).unique(dim=0)) == 50


@pytest.mark.parametrize(("number", "added"), [(0.0, -0.5), (0.5, 0.0), (0.75, 0.25)])
def test_brightness_is_added_to_every_pixel(number, added):
    seen = recoloured(photos(1), each(number), each(0.5), each(0.5))
    assert torch.allclose(seen, photos(1) + added, atol=1e-6)


def test_saturation_zero_is_grey_and_double_is_twice_as_far_from_it():
    images, same = photos(1), each(0.5)
    grey = images.mean(1, keepdim=True)
    assert torch.allclose(recoloured(images, same, each(0), same), grey, atol=1e-6)
    doubled = recoloured(images, same, each(1), same)
    assert torch.allclose(doubled - grey, 2 * (images - grey), atol=1e-6)


def test_one_channel_has_no_saturation():
    images, same = photos(3, channels=1), each(0.5, 3)
    for number in (0.0, 0.3, 0.9):
        assert torch.equal(recoloured(images, same, each(number, 3), same), images)


@pytest.mark.parametrize(("number", "factor"), [(0.0, 0.5), (0.5, 1.0), (0.9, 1.4)])
def test_contrast_scales_the_distance_to_the_mean_of_the_whole_image(number, factor):
    images = photos(1)
    seen = recoloured(images, each(0.5), each(0.5), each(number))
    assert torch.allclose(seen.mean(), images.mean(), atol=1e-6)
    assert torch.allclose(seen.std(), factor * images.std(), atol=1e-5)


def test_colour_looks_at_each_image_alone():
    bright, dark = torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)
    seen = recoloured(torch.cat([bright, dark]), each(0.5, 2), each(0.0, 2), each(0.0, 2))
    assert torch.allclose(seen, torch.cat([bright, dark]), atol=1e-6)


@pytest.mark.parametrize(
    ("down", "right", "found"),
    [(0.0, 0.5, [6, 5]), (0.999, 0.5, [10, 5]), (0.5, 0.0, [8, 3]), (0.5, 0.999, [8, 7])],
)
def test_translation_moves_a_known_pixel_by_an_eighth_at_most(down, right, found):
    assert place(translated(dot(8, 5), each(down), each(right))) == [found]


def test_what_leaves_the_image_does_not_come_back_on_the_other_side():
    assert place(translated(dot(0, 15), each(0.0), each(0.5))) == []
    seen = translated(torch.ones(1, 1, 16, 16), each(0.0), each(0.5))
    assert seen[0, 0, :, 0].tolist() == [1.0] * 14 + [0.0] * 2


def test_all_translations_are_equally_likely():
    moves = torch.rand(9000, 2, generator=rng_for(0, 2, "moves"))
    wide = torch.zeros(9000, 1, 16, 24)
    wide[:, 0, 8, 12] = 1
    found = translated(wide, *moves.unbind(1)).flatten(1).argmax(1)
    rows, columns = found // 24, found % 24
    assert sorted(rows.unique().tolist()) == [6, 7, 8, 9, 10]
    assert sorted(columns.unique().tolist()) == [9, 10, 11, 12, 13, 14, 15]
    counts = torch.stack([(rows == row).sum() for row in range(6, 11)])
    assert (counts - 1800).abs().max() < 5 * 1800**0.5


@pytest.mark.parametrize(
    ("side", "number", "covered"),
    [
        (8, 0.5, [2, 3, 4, 5]),  # middle 4 of 0 to 8
        (8, 0.0, [0, 1]),
        (8, 0.999, [6, 7]),
        (6, 0.5, [2, 3, 4]),  # odd: middle 3 of 0 to 5
        (6, 0.0, [0, 1]),
    ],
)
def test_the_hole_is_a_square_of_half_the_side(side, number, covered):
    images = torch.ones(1, 2, side, side)
    seen = cut_out(images, each(number), each(0.5))
    middle = cut_out(images, each(0.5), each(0.5))[0, 0, side // 2]
    for row in range(side):
        assert torch.equal(seen[0, 1, row], middle if row in covered else torch.ones(side))
    assert (middle == 0).sum() == side // 2


def test_the_hole_is_where_its_numbers_say():
    seen = cut_out(torch.ones(1, 1, 8, 8), each(0.0), each(0.999))
    assert (seen[0, 0] == 0).nonzero().tolist() == [[0, 6], [0, 7], [1, 6], [1, 7]]


def test_gradients_reach_the_image_once_and_twice():
    images = photos(2, 3, 4).double().requires_grad_(True)
    chance = chances(2).double()

    def seen(pixels):
        return distorted(pixels, POLICIES, 1.0, chance)

    assert torch.autograd.gradcheck(seen, images)
    assert torch.autograd.gradgradcheck(lambda pixels: seen(pixels).square(), images)


def test_a_hole_and_a_margin_send_no_gradient_back():
    images = torch.ones(1, 1, 8, 8, requires_grad=True)
    cut_out(images, each(0.5), each(0.5)).sum().backward()
    assert images.grad is not None
    assert images.grad.sum() == 64 - 16


def test_pictures_need_not_be_square():
    images = torch.rand(2, 3, 16, 24)
    assert distorted(images, POLICIES, 1.0, chances(2)).shape == images.shape

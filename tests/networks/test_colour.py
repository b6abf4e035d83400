"""Colour at half the resolution: what stays, what goes, known on paper."""

import pytest
import torch

from facewright.networks.colour import half_colour


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_brightness_stays_and_so_do_gray_images():
    images = noise(2, 3, 6, 8)
    torch.testing.assert_close(half_colour(images).mean(1), images.mean(1))
    for gray in (noise(2, 1, 6, 8), noise(2, 1, 6, 8).expand(2, 3, 6, 8)):
        torch.testing.assert_close(half_colour(gray), gray)


def test_one_colour_stays():
    plain = torch.tensor([0.9, -0.2, 0.1])[None, :, None, None].expand(1, 3, 5, 8)
    torch.testing.assert_close(half_colour(plain), plain)


def test_colour_that_changes_from_pixel_to_pixel_goes():
    """Red against cyan in turns, at the same brightness: what `fast-28` was judged by."""
    red = torch.tensor([2.0, -1.0, -1.0])[:, None, None]
    turns = torch.tensor([1.0, -1.0]).repeat(4)
    for stripes in (turns.expand(8, 8), turns[:, None].expand(8, 8), torch.outer(turns, turns)):
        torch.testing.assert_close(half_colour(red * stripes[None, None]), torch.zeros(1, 3, 8, 8))


def test_a_dot_of_colour_is_spread_over_its_four_pixels_and_their_neighbours():
    images = torch.zeros(1, 3, 8, 8)
    images[0, :, 2, 4] = torch.tensor([16.0, -16.0, 0.0])
    # A mean of 4 where the square is, then three quarters and one quarter, down and across.
    across = torch.tensor([0, 0, 0, 1, 3, 3, 1, 0]) / 4
    down = torch.tensor([0, 1, 3, 3, 1, 0, 0, 0]) / 4
    red = 4 * torch.outer(down, across)
    torch.testing.assert_close(half_colour(images)[0], torch.stack([red, -red, 0 * red]))


def test_the_last_row_and_column_of_odd_sides_are_means_of_what_is_there():
    images = torch.zeros(1, 3, 3, 3)
    images[0, :, 2, 2] = torch.tensor([1.0, -1.0, 0.0])
    half = half_colour(images)
    # Two means a side, of which the last is the corner itself, as if it were four pixels.
    assert half[0, 0, 2, 2] == pytest.approx(9 / 16)
    assert half[0, 0, 0, 0] == pytest.approx(0)
    assert half[0, 0, 1, 1] == pytest.approx(1 / 16)


@pytest.mark.parametrize("side", [8, 9, 33])
def test_colour_that_changes_evenly_stays_where_it_is(side):
    ramp = torch.tensor([1.0, -1.0, 0.0])[:, None, None] * torch.arange(side)
    for images in (ramp.expand(3, side, side), ramp.expand(3, side, side).mT):
        half = half_colour(images[None])[0]
        inside = slice(1, side - 3), slice(1, side - 3)
        torch.testing.assert_close(half[:, *inside], images[:, *inside])


def test_the_order_in_memory_changes_nothing():
    images = noise(2, 3, 9, 8)
    channels_last = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(half_colour(channels_last), half_colour(images))

"""Pixels survive the way to the networks and back."""

import numpy as np
import pytest
import torch
from PIL import Image

from facewright.errors import FacewrightError
from facewright.images import grid, save_png, to_model_range, to_pixels


def test_every_pixel_value_comes_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    assert np.array_equal(to_pixels(to_model_range(pixels)), pixels)


def test_black_is_minus_one_and_white_is_one():
    assert to_model_range(np.array([[[[0], [255]]]], np.uint8)).flatten().tolist() == [-1, 1]


def test_pixels_are_rounded_and_clipped_not_truncated_or_wrapped():
    values = torch.tensor([-3.0, -1 + 0.6 / 127.5, 1.0, 3.0]).view(1, 1, 1, 4)
    assert to_pixels(values).flatten().tolist() == [0, 1, 255, 255]


def test_channels_move_from_last_to_second():
    assert to_model_range(np.zeros((5, 3, 4, 1), np.uint8)).shape == (5, 1, 3, 4)


def test_a_sheet_holds_every_image_in_reading_order():
    pixels = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1)
    sheet = grid(pixels, columns=3, gap=1)
    assert sheet[:, :, 0].tolist() == [
        [255] * 7,
        [255, 0, 255, 1, 255, 2, 255],
        [255] * 7,
        [255, 3, 255, 4, 255, 255, 255],
        [255] * 7,
    ]


def test_a_png_comes_back_as_it_was(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    save_png(pixels, tmp_path / "a" / "b.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a" / "b.png")), pixels)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.png"]


def test_an_image_of_two_channels_is_refused(tmp_path):
    with pytest.raises(FacewrightError, match=r"\(4, 4, 2\)"):
        save_png(np.zeros((4, 4, 2), np.uint8), tmp_path / "x.png")

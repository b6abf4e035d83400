import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import affine_grid, grid_sample, interpolate

from facewright.metrics.extractors.inception import network_input

SIDES = [(28, 28), (64, 48), (299, 299), (330, 512)]


def noise(side):
    return np.random.default_rng(0).integers(0, 256, (2, *side, 3), dtype=np.uint8)


def gray_levels(pixels, convention):
    """What the network sees, in units of one step of the stored pixels."""
    seen = network_input(pixels, convention)
    return (seen + 1) * 127.5 if convention == "legacy" else seen * 128 + 128


def by_pil(plane):
    resized = Image.fromarray(plane.astype(np.float32)).resize((299, 299), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(resized), 0, 255)


@pytest.mark.parametrize("side", SIDES)
def test_legacy_is_what_torch_interpolates(side):
    pixels = noise(side)
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).double()
    expected = interpolate(planes, (299, 299), mode="bilinear", align_corners=False)
    assert torch.allclose(gray_levels(pixels, "legacy").double(), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("side", SIDES)
def test_clean_is_what_pil_does_with_each_channel_as_floats(side):
    pixels = noise(side)
    expected = [[by_pil(image[:, :, c]) for c in range(3)] for image in pixels]
    assert np.abs(gray_levels(pixels, "clean").numpy() - np.array(expected)).max() < 1e-3


@pytest.mark.parametrize("side", SIDES)
def test_tensorflow_is_bilinear_shifted_by_half_the_difference_of_the_pixels(side):
    pixels = noise(side)
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).double()
    # As StyleGAN's network does it: in a grid where -1 and 1 are the edges of the image.
    down, right = (1 / before - 1 / 299 for before in side)
    shift = torch.tensor([[[1, 0, right], [0, 1, down]]], dtype=torch.float64).expand(2, 2, 3)
    grid = affine_grid(shift, [2, 3, 299, 299], align_corners=False)
    expected = grid_sample(planes, grid, padding_mode="border", align_corners=False)
    seen = gray_levels(pixels, "tensorflow").double()
    assert torch.allclose(seen, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("convention", "black", "white"),
    [("legacy", -1, 1), ("tensorflow", -1, 127 / 128), ("clean", -1, 127 / 128)],
)
def test_black_and_white_keep_their_published_values(convention, black, white):
    for level, expected in ((0, black), (255, white)):
        seen = network_input(np.full((1, 28, 28, 1), level, np.uint8), convention)
        assert torch.allclose(seen, torch.tensor(float(expected)), atol=1e-6)


def test_clean_never_leaves_the_range_of_pixels_beside_a_hard_edge():
    edge = np.zeros((1, 28, 28, 1), np.uint8)
    edge[:, :, 14:] = 255
    seen = gray_levels(edge, "clean")
    assert (seen.min(), seen.max()) == (0, 255)


def test_channels_and_images_stay_apart_and_upright():
    pixels = np.zeros((2, 28, 40, 3), np.uint8)
    pixels[1, :14, :, 2] = 255
    seen = gray_levels(pixels, "legacy")
    assert seen.shape == (2, 3, 299, 299)
    assert seen[1, 2, :100].min() == pytest.approx(255, abs=1e-3)
    assert seen[1, 2, 200:].max() == pytest.approx(0, abs=1e-3)
    assert seen[0].abs().max() == pytest.approx(0, abs=1e-3)
    assert seen[1, :2].abs().max() == pytest.approx(0, abs=1e-3)


def test_a_read_only_store_is_taken_and_left_as_it_is():
    pixels = noise((28, 28))
    expected = network_input(pixels.copy(), "clean")
    pixels.flags.writeable = False
    assert torch.equal(network_input(pixels, "clean"), expected)

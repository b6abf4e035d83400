"""The geometry of aligned crops on paper."""

import math

import numpy as np
import pytest
from PIL import Image

from facewright.data.alignment import NoFaceError, align, ffhq_quad

# Eyes 40 apart at y = 100, mouth 40 below them: the eyes decide, the side is 4 * 40 = 160, the
# middle is (100, 104).
LEVEL = np.array([[80, 100], [120, 100], [100, 120], [85, 140], [115, 140]], dtype=float)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def test_a_level_face_gives_an_upright_square_of_known_side_and_middle():
    expected = [[20, 24], [20, 184], [180, 184], [180, 24]]
    np.testing.assert_allclose(ffhq_quad(LEVEL), expected)


def test_a_long_face_is_framed_by_the_distance_from_eyes_to_mouth():
    long = LEVEL.copy()
    long[3:, 1] = 200  # 100 below the eyes: 3.6 * 100 = 360 beats 4 * 40
    quad = ffhq_quad(long)
    assert math.dist(quad[0], quad[1]) == pytest.approx(360)
    np.testing.assert_allclose(quad.mean(axis=0), [100, 110])


@pytest.mark.parametrize(("margin", "side"), [(0.25, 240), (-0.25, 80)])
def test_a_margin_widens_the_square_about_its_middle(margin: float, side: float):
    quad = ffhq_quad(LEVEL, margin)
    assert math.dist(quad[0], quad[1]) == pytest.approx(side)
    np.testing.assert_allclose(quad.mean(axis=0), [100, 104])


@pytest.mark.parametrize("degrees", [-120, -30, 5, 90])
def test_a_turned_face_gives_the_turned_square(degrees: float):
    np.testing.assert_allclose(ffhq_quad(turned(LEVEL, degrees)), turned(ffhq_quad(LEVEL), degrees))


def test_scaling_and_moving_the_face_scales_and_moves_the_square():
    np.testing.assert_allclose(ffhq_quad(3 * LEVEL + (7, -2)), 3 * ffhq_quad(LEVEL) + (7, -2))


def test_a_head_turned_sideways_keeps_its_square_upright():
    profile = LEVEL.copy()
    profile[:, 0] = 100 + 0.1 * (profile[:, 0] - 100)
    quad = ffhq_quad(profile)
    np.testing.assert_allclose(quad[0, 1], quad[3, 1])
    assert math.dist(quad[0], quad[1]) == pytest.approx(3.6 * 40)


def test_landmarks_in_one_point_are_no_face():
    with pytest.raises(NoFaceError):
        ffhq_quad(np.full((5, 2), 3.0))


def marked_photo(points: np.ndarray, size: tuple[int, int] = (240, 200)) -> Image.Image:
    """Gray, with a white disc of radius 4 at each point."""
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    pixels = np.full((size[1], size[0], 3), 60, np.uint8)
    for px, py in points:
        pixels[(x - px) ** 2 + (y - py) ** 2 <= 16] = 255
    return Image.fromarray(pixels)


def centre_of_light(image: Image.Image) -> tuple[float, float]:
    weight = np.clip(np.asarray(image)[..., 0].astype(float) - 80, 0, None)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())


@pytest.mark.parametrize("degrees", [0, 20, -45])
@pytest.mark.parametrize("side", [40, 160, 320])
def test_each_landmark_lands_where_the_geometry_says(degrees: float, side: int):
    # Turned about the middle of the square, so that all of it stays near the photo.
    face = turned(LEVEL - (100, 104), degrees) + np.array([120, 100])
    quad = ffhq_quad(face)
    for original, point in zip(LEVEL, face, strict=True):
        aligned = align(marked_photo(point[None]), quad, side)
        expected = (original - (20, 24)) * side / 160
        assert centre_of_light(aligned) == pytest.approx(tuple(expected), abs=0.1 + 0.002 * side)


def test_shrinking_a_fine_pattern_gives_its_mean_and_no_moire():
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[::2] = 200
    quad = np.array([[50, 50], [50, 750], [750, 750], [750, 50]], dtype=float)
    aligned = np.asarray(align(Image.fromarray(stripes), quad, 50)).astype(int)
    assert np.abs(aligned - 100).max() <= 2


def test_outside_the_photo_is_its_blurred_mirror_image():
    pixels = np.full((100, 100, 3), 50, np.uint8)
    pixels[10:14] = 250  # a line that a sharp mirror would repeat above the edge
    quad = np.array([[20, -30], [20, 30], [80, 30], [80, -30]], dtype=float)
    aligned = np.asarray(align(Image.fromarray(pixels), quad, 60))[..., 0]
    assert aligned[40:44].min() > 200
    assert 50 < aligned[:20].max() < 130
    assert aligned[:20].min() >= 50


def test_a_frame_inside_the_photo_is_a_plain_crop():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).resize((200, 200))
    quad = np.array([[40, 60], [40, 124], [104, 124], [104, 60]], dtype=float)
    aligned = np.asarray(align(smooth, quad, 64)).astype(int)
    assert np.abs(aligned - np.asarray(smooth.crop((40, 60, 104, 124)))).mean() < 1


def test_a_gray_photo_stays_gray_also_beyond_its_edge():
    rng = np.random.default_rng(0)
    gray = Image.fromarray(rng.integers(0, 256, (40, 40), np.uint8)).resize((100, 100))
    quad = np.array([[-20, 20], [-20, 80], [40, 80], [40, 20]], dtype=float)
    aligned = align(gray, quad, 30)
    assert aligned.mode == "L"
    coloured = np.asarray(align(gray.convert("RGB"), quad, 30)).astype(int)
    assert abs(coloured - np.asarray(aligned)[..., None]).max() <= 1

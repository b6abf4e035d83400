"""The sliced Wasserstein distance has answers on paper."""

import numpy as np
import pytest

from facewright.errors import FacewrightError
from facewright.metrics.sliced import sliced_wasserstein


def noise(count: int, mean: float, seed: int, spread: float = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = mean + spread * rng.standard_normal((count, 8, 8, 3))
    return values.clip(0, 255).round().astype(np.uint8)


def test_equal_sets_are_zero_apart_in_whatever_order():
    images = noise(50, 128, 0)
    assert sliced_wasserstein(images, images[::-1]) == 0


def test_it_is_symmetric():
    a, b = noise(50, 100, 0), noise(50, 140, 1)
    assert sliced_wasserstein(a, b) == pytest.approx(sliced_wasserstein(b, a))


def test_two_gray_levels_are_their_difference_apart():
    # Two constant images differ by c in each of d pixels. Along a random unit direction
    # the difference is c * sum(v), and sum(v) has mean square 1: the distance is c.
    a, b = np.full((2, 8, 8, 3), 51, np.uint8), np.full((2, 8, 8, 3), 102, np.uint8)
    distance = sliced_wasserstein(a, b, directions=4000, scales=3)
    assert distance == pytest.approx(51 / 127.5, rel=0.05)


def test_it_grows_with_the_shift_and_stands_above_the_floor():
    real = noise(200, 120, 0)
    floor = sliced_wasserstein(real, noise(200, 120, 1))
    near, far = (sliced_wasserstein(real, noise(200, mean, 1)) for mean in (126, 140))
    assert floor < near < far


def test_one_repeated_image_is_far_from_a_varied_set():
    real, other = noise(200, 120, 0), noise(200, 120, 1)
    collapsed = np.repeat(other[:1], 200, axis=0)
    assert sliced_wasserstein(real, collapsed) > 3 * sliced_wasserstein(real, other)


@pytest.mark.parametrize("count", [1, 3])
def test_sets_that_cannot_be_compared_are_refused(count):
    with pytest.raises(FacewrightError, match="real and"):
        sliced_wasserstein(noise(count, 128, 0), noise(1, 128, 1))

"""Structural similarity of pairs has answers on paper for flat images."""

import numpy as np
import pytest

from facewright.errors import MetricError
from facewright.metrics import similarity
from facewright.metrics.similarity import ssim_diversity


def noise(count: int, size: int = 9, channels: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size + 2, channels), dtype=np.uint8)


def variations(count: int, spread: float, seed: int = 0) -> np.ndarray:
    """One smooth picture to which others are added in random amounts."""
    rng = np.random.default_rng(seed)
    waves = np.sin(np.arange(1, 5)[:, None, None, None] * np.linspace(0, 6, 12)[:, None, None])
    amounts = rng.standard_normal((count, 4))
    images = 128 + 40 * waves[0] + spread * np.einsum("nk,khwc->nhwc", amounts, waves)
    return np.broadcast_to(images, (count, 12, 12, 1)).clip(0, 255).round().astype(np.uint8)


def by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """The formula of 2004, window by window, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    height, width, channels = a.shape
    found = []
    for top in range(height - 6):
        for left in range(width - 6):
            for channel in range(channels):
                x, y = (i[top : top + 7, left : left + 7, channel] for i in (a, b))
                mx, my, cov = x.mean(), y.mean(), ((x - x.mean()) * (y - y.mean())).mean()
                brightness = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
                found.append(brightness * (2 * cov + c2) / (x.var() + y.var() + c2))
    return float(np.mean(found))


def test_each_pair_has_the_value_of_the_formula():
    for left, right in zip(noise(4, seed=0), noise(4, seed=1) // 3, strict=True):
        assert similarity._ssim(left, right) == pytest.approx(by_hand(left, right), abs=1e-5)


def test_it_agrees_with_scikit_image():
    # structural_similarity(win_size=7, channel_axis=-1, data_range=255,
    # use_sample_covariance=False) of scikit-image 0.26.0.
    published = [0.010584485119187415, -0.011749344269225382, -0.003760144695655023]
    pairs = zip(noise(3, seed=0), noise(4, seed=1)[:3] // 3, strict=True)
    assert [similarity._ssim(*pair) for pair in pairs] == pytest.approx(published, abs=1e-12)
    smooth = variations(6, 20)
    published = [-0.26086359657486996, 0.8287738004853809, 0.19141997436218222]
    pairs = zip(smooth[:3], smooth[3:], strict=True)
    assert [similarity._ssim(*pair) for pair in pairs] == pytest.approx(published, abs=1e-12)


def test_equal_images_are_alike():
    same = ssim_diversity(np.repeat(noise(1), 50, axis=0))
    assert same.value == pytest.approx(1, abs=1e-6)
    assert same.interval == pytest.approx((1, 1), abs=1e-5)


def test_images_of_one_colour_are_as_alike_as_their_brightness():
    # Two of the 40 levels meet: 2ab / (a^2 + b^2), nearly; here at most 0.8.
    pixels = np.full((40, 7, 7, 1), 100, np.uint8)
    pixels[:20] = 50
    share_unequal = (1 - ssim_diversity(pixels, seed=3).value) / (1 - 10006.5 / 12506.5)
    # Among 20 pairs, the unequal ones are an even number, and about half.
    assert share_unequal * 20 == pytest.approx(round(share_unequal * 20), abs=0.01)
    assert 4 <= round(share_unequal * 20) <= 16


def test_noise_has_nothing_in_common():
    assert abs(ssim_diversity(noise(200)).value) < 0.02


def test_less_varied_images_are_more_alike():
    values = [ssim_diversity(variations(200, spread)).value for spread in (2, 8, 30)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.95


def recorded_pairs(monkeypatch: pytest.MonkeyPatch, count: int, **settings: int) -> np.ndarray:
    """(pairs, 2) numbers of the images compared; image i has the colour i."""
    seen = []
    compare = similarity._ssim

    def record(left: np.ndarray, right: np.ndarray):
        seen.append((left[0, 0, 0], right[0, 0, 0]))
        return compare(left, right)

    with monkeypatch.context() as patch:
        patch.setattr(similarity, "_ssim", record)
        pixels = np.broadcast_to(
            np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 7, 7, 1)
        )
        ssim_diversity(pixels, **settings)
    return np.array(seen, int)


@pytest.mark.parametrize(("pairs", "expected"), [(30, 30), (1000, 100)])
def test_no_image_is_in_two_pairs(monkeypatch, pairs, expected):
    found = recorded_pairs(monkeypatch, 201, pairs=pairs)
    assert found.shape == (expected, 2)
    assert len(np.unique(found)) == 2 * expected


def test_the_seed_decides_which_pairs(monkeypatch):
    first, again, other = (recorded_pairs(monkeypatch, 100, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert (np.diff(first, axis=1) != 1).any(), "neighbours only"


def test_gray_and_the_same_in_three_channels_agree():
    gray = variations(60, 20)
    colour = np.repeat(gray, 3, axis=3)
    assert ssim_diversity(colour).value == pytest.approx(ssim_diversity(gray).value, abs=1e-6)


def test_the_interval_holds_the_true_value_in_nearly_all_repetitions():
    truth = ssim_diversity(variations(20000, 20, seed=999), pairs=10000).value
    found = [ssim_diversity(variations(80, 20, seed)).interval for seed in range(100)]
    inside = [interval[0] <= truth <= interval[1] for interval in found if interval]
    assert 0.89 <= np.mean(inside) <= 0.99


def test_known_blind_spot_a_shifted_copy_is_not_alike():
    stripes = (255 * (np.arange(16)[:, None] // 2 % 2)).astype(np.uint8)
    image = stripes.repeat(16, axis=1)[:, :, None]
    shifted = np.roll(image, 2, axis=0)
    assert similarity._ssim(image, shifted) < 0


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (noise(39), "39 images"),
        (noise(50, size=6), "6 x 8 pixels"),
        (noise(50).astype(np.float32), "float32"),
        (noise(50, channels=2), "shape"),
    ],
)
def test_what_cannot_be_compared_is_refused(pixels, reason):
    with pytest.raises(MetricError, match=reason):
        ssim_diversity(pixels)

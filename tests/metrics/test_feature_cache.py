"""Features are computed once for each content, and for nothing else."""

import hashlib
import os

import numpy as np
import pytest
import torch

from facewright.metrics.extractors.base import Extractor
from facewright.metrics.feature_cache import FeatureCache, content_key


class Brightness(Extractor):
    """Mean of each colour; counts how often it was asked."""

    name, protocol, width, channels = "brightness", "mean", 3, 3

    def __init__(self, weights: str = "none") -> None:
        self.weights_hash = hashlib.sha256(weights.encode()).hexdigest()
        self.seen = 0

    def embed(self, pixels):
        self.seen += len(pixels)
        return torch.from_numpy(pixels.mean(axis=(1, 2)))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (70, 4, 4, 3), dtype=np.uint8)


def test_the_second_look_computes_nothing_and_gives_the_same(pixels, tmp_path):
    first, second = Brightness(), Brightness()
    features = FeatureCache(tmp_path).features(pixels, first)
    again = FeatureCache(tmp_path).features(pixels.copy(), second)
    assert (first.seen, second.seen) == (70, 0)
    assert torch.equal(features, again)
    np.testing.assert_allclose(features, pixels.mean(axis=(1, 2)), rtol=1e-6)


@pytest.mark.parametrize("row", [0, 35, 69])
def test_one_changed_pixel_of_one_image_is_another_key(pixels, tmp_path, row):
    changed = pixels.copy()
    changed[row, 3, 3, 2] ^= 1
    assert content_key(changed) != content_key(pixels)
    cache, extractor = FeatureCache(tmp_path), Brightness()
    cache.features(pixels, extractor)
    cache.features(changed, extractor)
    assert extractor.seen == 140


def test_order_and_shape_belong_to_the_content(pixels):
    keys = {content_key(p) for p in (pixels, pixels[::-1], pixels.reshape(70, 2, 8, 3))}
    assert len(keys) == 3


def test_other_weights_and_other_protocols_never_share_features(pixels, tmp_path):
    other_protocol = Brightness()
    other_protocol.protocol = "median"
    for extractor in (Brightness(), Brightness("other"), other_protocol):
        FeatureCache(tmp_path).features(pixels, extractor)
        assert extractor.seen == 70


def test_a_damaged_file_is_computed_again(pixels, tmp_path):
    expected = FeatureCache(tmp_path).features(pixels, Brightness())
    (file,) = tmp_path.glob("*.npy")
    for damage in (b"", file.read_bytes()[:200], b"not an array"):
        file.write_bytes(damage)
        extractor = Brightness()
        assert torch.equal(FeatureCache(tmp_path).features(pixels, extractor), expected)
        assert extractor.seen == 70


def test_what_was_not_used_for_longest_goes_first(pixels, tmp_path):
    cache, extractor = FeatureCache(tmp_path, limit_bytes=2100), Brightness()  # two of 968 bytes
    sets = [np.roll(pixels, shift, axis=0) for shift in range(3)]
    for age, images in zip((-50, -100), sets[:2], strict=True):
        cache.features(images, extractor)
        newest = max(tmp_path.glob("*.npy"), key=os.path.getmtime)
        os.utime(newest, (newest.stat().st_mtime + age,) * 2)
    cache.features(sets[2], extractor)
    extractor.seen = 0
    cache.features(sets[0], extractor)
    assert extractor.seen == 0
    cache.features(sets[1], extractor)
    assert extractor.seen == 70


def test_a_folder_that_cannot_be_written_costs_only_time(pixels, tmp_path):
    (tmp_path / "file").touch()
    features = FeatureCache(tmp_path / "file" / "below").features(pixels, Brightness())
    assert len(features) == 70


def test_without_a_folder_nothing_is_kept(pixels):
    extractor = Brightness()
    for _ in range(2):
        FeatureCache(None).features(pixels, extractor)
    assert extractor.seen == 140

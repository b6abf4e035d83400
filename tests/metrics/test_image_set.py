"""Rows of several arrays behave like one array, and features follow the pixels."""

import numpy as np
import pytest

from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.image_set import ImageSet, PhotoSets, View
from tests.metrics.test_feature_cache import Brightness


@pytest.fixture
def parts() -> tuple[ImageSet, ImageSet]:
    rng = np.random.default_rng(0)

    def images(name: str, count: int) -> ImageSet:
        pixels = rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
        return ImageSet(name, pixels, FeatureCache(None))

    return images("train", 30), images("val", 12)


def test_features_stay_beside_their_pixels(parts):
    view = View(*parts, rows=[41, 3, 30, 29])
    features = view.features(Brightness())
    np.testing.assert_allclose(features, view.pixels().mean(axis=(1, 2)), rtol=1e-6)
    together = np.concatenate([part.pixels for part in parts])
    np.testing.assert_array_equal(view.pixels(), together[[3, 29, 30, 41]])


def test_features_are_computed_once_however_many_views_ask(parts):
    extractor = Brightness()
    for view in (View(*parts), View(parts[0]), View(*parts, rows=[5]), View(*parts).some(9, 0)):
        view.features(extractor)
    assert extractor.seen == 42


def test_some_are_distinct_and_never_more_than_there_are(parts):
    some = View(*parts).some(20, seed=1)
    assert len({image.tobytes() for image in some.pixels()}) == len(some) == 20
    assert len(View(*parts).some(99, seed=1)) == 42


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        ((20, 22), (20, 22)),
        ((30, 5), (30, 5)),
        ((30, 40), (21, 21)),
        ((40, 12), (30, 12)),
        ((5, 99), (5, 37)),
    ],
)
def test_the_floor_compares_photos_that_are_not_the_same_ones(parts, wanted, sizes):
    n_real, n_fake = wanted
    halves = PhotoSets(*parts).halves(n_real, n_fake, seed=0)
    assert tuple(map(len, halves)) == sizes
    images = [{image.tobytes() for image in half.pixels()} for half in halves]
    assert not images[0] & images[1]


@pytest.mark.parametrize(("against", "count"), [("train", 30), ("val", 12), ("all", 42)])
def test_the_photos_compared_with_are_those_that_were_asked_for(parts, against, count):
    assert len(PhotoSets(*parts, against=against).real) == count

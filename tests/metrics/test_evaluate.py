"""Numbers come with what makes them comparable, and what cannot be said is refused."""

import math

import numpy as np
import pytest
import torch

from facewright.errors import MetricError
from facewright.metrics.coverage import coverage_null
from facewright.metrics.evaluate import evaluate
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.frechet import frechet_distance
from facewright.metrics.image_set import ImageSet, PhotoSets
from facewright.metrics.metric_request import parse
from tests.metrics.test_feature_cache import Brightness


def images(label: str, count: int, seed: int, brightness: int = 0, channels: int = 3) -> ImageSet:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 200, (count, 8, 8, channels)) + brightness
    return ImageSet(label, pixels.astype(np.uint8), FeatureCache(None))


@pytest.fixture
def photos() -> PhotoSets:
    return PhotoSets(images("photos", 400, 1), images("held out", 100, 2))


def run(fake, photos, metrics="fd,kid,prdc", **more):
    extractors = {name: Brightness(name) for name in ("inception", "face")}
    return evaluate(fake, photos, parse(metrics), extractors.__getitem__, **more)


def test_each_number_carries_what_makes_it_comparable(photos):
    found = run(images("fakes", 100, 3), photos)
    names = ["fd", "kid", "precision", "recall", "density", "coverage"]
    assert [result.name for result in found.results] == names
    for result in found.results:
        assert (result.n_real, result.n_fake) == (400, 100)
        assert result.features == Brightness("inception").identity
        assert result.interval is not None
        assert result.interval[0] <= result.value <= result.interval[1]
        assert result.floor is not None
        assert result.floor_n == (400, 100)


def test_a_better_generator_scores_nearer_to_the_floor(photos):
    good, bad = (run(images("fakes", 100, 3, off), photos).results for off in (0, 20))
    for better, worse in zip(good, bad, strict=True):
        floor = better.floor
        assert floor is not None
        assert floor == worse.floor
        assert abs(better.value - floor) < abs(worse.value - floor), better.name
        assert better.lower_is_better is not None
        assert (better.value < worse.value) == better.lower_is_better, better.name


def test_real_and_fake_keep_their_roles(photos):
    # One photo, repeated: everything generated is real, hardly anything real is generated.
    repeated = np.repeat(photos.train.pixels[:1], 100, axis=0)
    found = run(ImageSet("fakes", repeated, FeatureCache(None)), photos)
    by_name = {result.name: result.value for result in found.results}
    assert (by_name["precision"], by_name["recall"]) == (1, 1 / 400)  # the photo itself
    assert by_name["coverage"] < 0.1


def test_the_numbers_are_those_of_the_metric_itself(photos):
    fake = images("fakes", 80, 3, 20)
    (result,) = run(fake, photos, "fd").results
    real, other = (
        torch.from_numpy(s.pixels.mean(axis=(1, 2))).float() for s in (photos.train, fake)
    )
    assert result.value == pytest.approx(frechet_distance(real, other).value, rel=1e-6)


def test_the_photos_compared_with_are_chosen(photos):
    held_out = PhotoSets(photos.train, photos.val, "val")
    (result,) = run(images("fakes", 80, 3), held_out, "fd").results
    assert (result.n_real, result.floor_n) == (100, (100, 80))


def test_with_too_few_photos_the_floor_says_what_it_was_measured_on(photos):
    (result,) = run(images("fakes", 300, 3), photos, "fd").results
    assert result.floor_n == (250, 250)
    fewer = run(images("fakes", 100, 3), photos, "fd").results[0]
    assert result.floor is not None
    assert fewer.floor is not None
    # The same law brings both to their sizes: more images, less of it is chance.
    assert result.floor < fewer.floor


def test_too_few_images_for_a_distance_are_refused_before_minutes_of_work(photos):
    extractor = Brightness()
    found = evaluate(images("fakes", 49, 3), photos, parse("fd"), lambda _: extractor)
    assert "49 generated samples" in found.refused[0].error.what
    few = PhotoSets(images("photos", 49, 1), photos.val)
    found = evaluate(images("fakes", 80, 3), few, parse("fd"), lambda _: extractor)
    assert "49 real samples" in found.refused[0].error.what
    assert "more photos" in found.refused[0].error.fix
    assert extractor.seen == 0


def test_an_odd_number_of_photos_has_two_halves_of_one_size_where_a_metric_wants_them():
    odd = PhotoSets(images("photos", 40, 1), images("held out", 3, 2))
    (result,) = run(images("fakes", 80, 3), odd, "swd").results
    assert (result.n_real, result.n_fake, result.floor_n) == (40, 40, (21, 21))


def test_features_serve_every_metric_that_asks(photos):
    extractor = Brightness()
    evaluate(images("fakes", 80, 3), photos, parse("fd,kid,prdc,vendi"), lambda _: extractor)
    assert extractor.seen == 400 + 100 + 80


def test_names_say_which_features_they_mean(photos):
    found = run(images("fakes", 80, 3), photos, "kid,kid@face")
    assert [result.name for result in found.results] == ["kid", "kid@face"]
    assert len({result.features for result in found.results}) == 2


def test_a_metric_of_one_set_is_compared_with_as_many_photos(photos):
    (result,) = run(images("fakes", 80, 3), photos, "ssim").results
    assert (result.n_real, result.n_fake, result.floor_n) == (0, 80, (0, 80))
    assert result.features == "pixels"
    assert result.floor == pytest.approx(result.value, abs=0.1)


def test_what_cannot_be_said_is_listed_with_the_reason_and_the_rest_is_given(photos):
    def extractor(name: str):
        if name == "inception":
            raise MetricError("no weights", expected="some", fix="get them")
        return Brightness()

    found = evaluate(images("fakes", 80, 3), photos, parse("fid,kid@face,path_length"), extractor)
    assert [result.name for result in found.results] == ["kid@face"]
    assert [refused.name for refused in found.refused] == ["fid", "path_length"]
    assert "get them" in str(found.refused[0].error)
    assert "images only" in str(found.refused[1].error)


def test_the_inception_score_of_faces_is_refused_with_the_reason(photos):
    found = evaluate(images("fakes", 80, 3), photos, parse("is"), lambda _: Brightness())
    assert "one class" in str(found.refused[0].error)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((10, 8, 9, 3), np.uint8), "generated images of 8x9x3 and photos of 8x8x3"),
        (np.full((10, 8, 8, 3), 7, np.uint8), "one single colour"),
        (np.zeros((1, 8, 8, 3), np.uint8), "1 generated images"),
    ],
)
def test_images_that_nothing_can_be_said_of_are_refused(photos, pixels, message):
    with pytest.raises(MetricError, match=message):
        run(ImageSet("fakes", pixels, FeatureCache(None)), photos)


def test_one_image_repeated_is_measured_because_that_is_a_collapse(photos):
    repeated = np.repeat(photos.train.pixels[:1], 20, axis=0)
    found = run(ImageSet("fakes", repeated, FeatureCache(None)), photos)
    assert all(math.isfinite(result.value) for result in found.results)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fdi", "unknown metric 'fdi'"),
        ("fid@face", "fid with features of 'face'"),
        ("ssim@face", "ssim with features of 'face'"),
        (" , ", "no metric"),
    ],
)
def test_a_request_that_means_nothing_is_refused(text, message):
    with pytest.raises(MetricError, match=message):
        parse(text)


def test_a_request_is_spelled_out_once():
    labels = [request.label for request in parse("prdc@face, coverage@face,kid")]
    assert labels == ["precision@face", "recall@face", "density@face", "coverage@face", "kid"]
    (own_weights,) = parse("fid@inception:w.pt")
    assert own_weights.features == "inception:w.pt"
    assert [request.label for request in parse("kid,fid", features="face")] == ["kid@face", "fid"]


def test_modes_are_counted_for_stacked_digits_only(photos):
    found = run(images("fakes", 80, 3), photos, "modes")
    assert "finds 1.0 kinds" in str(found.refused[0].error)


def test_photos_in_the_order_of_their_kinds_do_not_mislead_a_distance_of_pixels():
    # The first half of the store is dark, as the first half of UTKFace is young.
    rng = np.random.default_rng(0)
    kinds = (np.arange(400) // 200 * 150)[:, None, None, None]
    pixels = rng.integers(0, 100, (400, 8, 8, 3)) + kinds
    both = ImageSet("photos", pixels.astype(np.uint8), FeatureCache(None))
    fake = ImageSet("fakes", both.pixels[::4], FeatureCache(None))
    (result,) = run(fake, PhotoSets(both, images("held out", 50, 2)), "swd").results
    assert (result.n_real, result.n_fake) == (100, 100)
    assert result.value < 0.4  # the first 100 photos, all dark, are 0.7 away


def test_the_floor_of_coverage_is_brought_to_the_sizes_of_the_value(photos):
    # All photos are needed for the value, so the floor is measured on fewer.
    held_out = ImageSet("fakes", photos.val.pixels, FeatureCache(None))
    (value,) = run(held_out, photos, "coverage").results
    (other,) = run(images("fakes", 300, 9), photos, "coverage").results
    assert value.floor_n == (400, 100)
    assert other.floor_n == (250, 250)
    for result in (value, other):
        expected = coverage_null(result.n_real, result.n_fake)
        assert result.floor == pytest.approx(expected, abs=0.06)


def test_a_few_images_are_too_few_for_a_frechet_distance_and_some_get_a_warning(photos):
    refused = run(images("fakes", 30, 3), photos, "fd").refused
    assert "at least 50" in str(refused[0].error)


def test_without_held_out_photos_only_what_needs_them_is_refused(photos):
    none = ImageSet("held out", photos.val.pixels[:0], FeatureCache(None))
    found = run(images("fakes", 80, 3), PhotoSets(photos.train, none), "fd,parzen")
    assert [result.name for result in found.results] == ["fd"]
    assert "0 held-out photos" in str(found.refused[0].error)


def test_images_of_one_colour_each_show_nothing(photos):
    colours = np.arange(60, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    flat = np.broadcast_to(colours, (60, 8, 8, 3))
    with pytest.raises(MetricError, match="every image is of one single colour"):
        run(ImageSet("fakes", flat, FeatureCache(None)), photos)


def test_no_floor_of_a_share_is_above_one():
    small = PhotoSets(images("photos", 220, 1), images("held out", 2, 2))
    found = run(images("fakes", 400, 3), small, "prdc")
    floors = {result.name: result.floor or math.nan for result in found.results}
    assert floors["coverage"] <= 1
    assert floors["precision"] <= 1
    assert floors["recall"] <= 1


def test_weights_that_are_missing_are_looked_for_once(photos):
    asked = []

    def extractor(name: str):
        asked.append(name)
        raise MetricError("no weights", expected="some", fix="get them")

    found = evaluate(images("fakes", 80, 3), photos, parse("fid,kid,prdc"), extractor)
    assert len(found.refused) == 6
    assert asked == ["inception"]


@pytest.mark.parametrize(("n_real", "n_fake"), [(99, 400), (400, 99)])
def test_coverage_of_a_handful_is_refused_because_noise_would_score_as_faces(n_real, n_fake):
    few = PhotoSets(images("photos", n_real, 1), images("held out", 0, 2))
    found = run(images("fakes", n_fake, 3), few)
    assert [result.name for result in found.results] == ["fd", "kid"]
    assert [refused.name for refused in found.refused] == [
        "precision",
        "recall",
        "density",
        "coverage",
    ]
    assert all(refused.error.expected == "at least 100" for refused in found.refused)


def test_too_few_images_are_refused_before_an_extractor_is_built(photos):
    def extractor(_name: str):
        raise AssertionError("81 MB would be downloaded here")

    found = evaluate(images("fakes", 20, 3), photos, parse("fid,kid,prdc,kid@face"), extractor)
    assert not found.results
    assert {refused.error.what for refused in found.refused} == {"20 generated samples"}
    assert {refused.error.expected for refused in found.refused} == {
        f"at least {least}" for least in (26, 50, 100)
    }

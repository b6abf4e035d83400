"""Curves are read off between their points, and never beyond them."""

import dataclasses

import pytest

from facewright.planning.quality import best_point, quality_after, read_off
from tests.planning.conftest import curve, entry

STEEP = curve((10_000, 50), (1_000_000, 30))


@pytest.mark.parametrize(
    ("images", "fid"),
    [(10_000, 50), (100_000, 40), (1_000_000, 30), (31_623, 45), (20_000, 50 - 10 * 0.30103)],
)
def test_between_two_points_the_line_is_straight_over_the_logarithm(images, fid):
    point = read_off(STEEP, images)
    assert point.fid == pytest.approx(fid, abs=1e-3)
    assert (point.low, point.high) == pytest.approx((fid - 1, fid + 1), abs=1e-3)
    assert point.images == images


def test_each_stretch_has_its_own_slope():
    bent = curve((100, 50), (10_000, 40), (1_000_000, 10))
    assert read_off(bent, 1_000).fid == pytest.approx(45)
    assert read_off(bent, 100_000).fid == pytest.approx(25)


def test_between_points_of_one_and_of_three_trainings_it_rests_on_one():
    first, last = STEEP.points
    for points in (
        (first, dataclasses.replace(last, seeds=(0, 1, 2))),
        (dataclasses.replace(first, seeds=(0, 1, 2)), last),
    ):
        mixed = entry(curves=(dataclasses.replace(STEEP, points=points),))
        for images, trainings in ((500_000, 1), *((p.images, len(p.seeds)) for p in points)):
            quality = quality_after(mixed, 10_000, images)
            assert quality is not None
            assert quality.trainings == trainings


def test_the_band_lies_around_what_was_measured():
    quality = quality_after(entry(), 10_000, 100_000)
    assert quality is not None
    assert (quality.bound, quality.images) == ("between", 100_000)
    assert (quality.low, quality.fid, quality.high) == pytest.approx((39, 40, 41))
    assert (quality.data, quality.photos, quality.floor) == (("faces-28",), (10_000,), 2.0)


def test_beyond_the_last_point_it_is_the_last_point_and_said_to_be():
    quality = quality_after(entry(), 10_000, 50_000_000)
    assert quality is not None
    assert (quality.bound, quality.images) == ("never so long", 1_000_000)
    assert (quality.low, quality.high) == (29, 31)


def test_of_less_than_an_eighth_of_the_photos_nothing_is_said():
    assert quality_after(entry(), 1_249, 100_000) is None
    assert quality_after(entry(), 1_250, 100_000) is not None


def test_before_the_first_point_it_is_not_as_good():
    quality = quality_after(entry(), 10_000, 9_999)
    assert quality is not None
    assert (quality.bound, quality.images, quality.high) == ("not as good", 10_000, 51)


@pytest.mark.parametrize("images", [10_000, 1_000_000])
def test_the_ends_themselves_were_measured(images):
    quality = quality_after(entry(), 10_000, images)
    assert quality is not None
    assert quality.bound == "between"


def test_without_a_curve_nothing_is_said():
    assert quality_after(entry(curves=()), 10_000, 100_000) is None
    assert best_point(entry(curves=()), 10_000) is None


def test_several_curves_span_the_band():
    other = curve((10_000, 54), (1_000_000, 36), data="others-28")
    quality = quality_after(entry(curves=(STEEP, other)), 10_000, 100_000)
    assert quality is not None
    assert (quality.low, quality.fid, quality.high) == pytest.approx((39, 42.5, 46))
    assert quality.data == ("faces-28", "others-28")


def test_a_floor_that_differs_is_not_said():
    other = dataclasses.replace(STEEP, floor=5.0)
    quality = quality_after(entry(curves=(STEEP, other)), 10_000, 100_000)
    assert quality is not None
    assert quality.floor is None


def test_a_curve_that_has_ended_says_nothing_where_another_goes_on():
    longer = curve((10_000, 50), (100_000_000, 10), data="long")
    quality = quality_after(entry(curves=(STEEP, longer)), 10_000, 10_000_000)
    assert quality is not None
    assert (quality.data, quality.bound) == (("long",), "between")
    assert quality.fid == pytest.approx(20)


@pytest.mark.parametrize(
    ("photos", "nearest"), [(200, 1_000), (2_900, 1_000), (3_300, 10_000), (10**6, 10_000)]
)
def test_the_curve_with_the_nearest_number_of_photos_counts_by_ratio(photos, nearest):
    few = curve((10_000, 90), (1_000_000, 80), photos=1_000)
    quality = quality_after(entry(curves=(few, STEEP)), photos, 100_000)
    assert quality is not None
    assert quality.photos == (nearest,)
    best = best_point(entry(curves=(few, STEEP)), photos)
    assert best is not None
    assert best.fid == {1_000: 80, 10_000: 30}[nearest]


def test_the_best_point_need_not_be_the_last():
    best = best_point(entry(curves=(curve((10, 50), (100, 20), (1_000, 30)),)), 10_000)
    assert best is not None
    assert best.images == 100

"""What a few seeds say together, against values from tables of Student's t."""

import math

import pytest

from facewright.errors import MetricError
from facewright.lessons.over_seeds import SeedMean, all_of


def test_the_interval_is_students():
    found = SeedMean.of([1, 2, 3])
    # t(0.975, 2 degrees) = 4.3027, standard deviation 1, three seeds.
    half = 4.3027 / math.sqrt(3)
    assert found.mean == 2
    assert found.interval == pytest.approx((2 - half, 2 + half), abs=1e-4)


def test_one_seed_says_nothing_about_others():
    found = SeedMean.of([5])
    assert found.interval == (-math.inf, math.inf)
    assert found.above(0) is None
    assert str(found) == "5"
    assert found.as_json()["interval"] is None


def test_ratios_are_averaged_by_their_logarithms():
    found = SeedMean.of([1, 100, 10]).as_ratios()
    assert found.mean == pytest.approx(10)
    low, high = found.interval
    assert low * high == pytest.approx(100)
    # The logarithms to base 10 are 0, 1, 2: standard deviation 1.
    assert math.log10(high) == pytest.approx(1 + 4.3027 / math.sqrt(3), abs=1e-4)


def test_a_ratio_is_positive():
    with pytest.raises(MetricError):
        SeedMean.of([1, 0]).as_ratios()


def test_a_limit_inside_the_interval_cannot_be_told():
    found = SeedMean.of([9, 10, 11])
    assert (found.above(5), found.above(10), found.above(15)) == (True, None, False)
    assert (found.below(5), found.below(10), found.below(15)) == (False, None, True)
    assert (found.above(9.5), found.below(10.5)) == (None, None)


def test_differences_are_taken_seed_by_seed():
    far, near = SeedMean.of([10, 20, 30]), SeedMean.of([9, 18.9, 29.1])
    assert (far - near).above(0) is True
    assert (far / near).values == pytest.approx((10 / 9, 20 / 18.9, 30 / 29.1))


def test_numbers_that_are_not_finite_are_refused():
    for values in ([], [1, math.nan]):
        with pytest.raises(MetricError):
            SeedMean.of(values)


def test_all_of_several_claims():
    assert all_of(True, True) is True
    assert all_of(True, None) is None
    assert all_of(None, False) is False

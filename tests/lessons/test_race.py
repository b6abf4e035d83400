"""When is a race over?"""

import pytest

from facewright.data.store import Store
from facewright.errors import DataError
from facewright.lessons.race import (
    MARK,
    READER,
    SMOOTHED,
    Race,
    Races,
    at_least,
    reading_race,
    run_until,
)
from tests.lessons.digit_store import write_digit_store
from tests.stores import write_store


def test_a_race_ends_when_the_mean_of_its_last_steps_is_below_the_mark():
    # 30 steps at 1, then 0: the mean of the last 20 is below 0.5 after 11 zeros.
    race = run_until(lambda step: float(step < 30), 0.5, 1000)
    assert (race.count, race.arrived) == (41, True)


def test_no_race_is_shorter_than_its_running_mean():
    assert run_until(lambda _: 0.0, 0.5, 1000).count == SMOOTHED


def test_a_race_that_never_arrives_is_given_up():
    race = run_until(lambda _: 1.0, 0.5, 33)
    assert (race.count, race.arrived, race.late) == (33, False, 1.0)


def test_the_end_is_judged_by_the_last_steps_alone():
    assert Race([9.0] * 100 + [0.1] * SMOOTHED, 0.5).late == pytest.approx(0.1)


def test_a_reader_learns_printed_digits(tmp_path):
    store = Store.open(write_digit_store(tmp_path / "digits"))
    race = reading_race(store, READER, rate=3e-3, seed=0, mark=MARK, most=400)
    assert race.arrived


def test_a_store_without_classes_cannot_be_read(tmp_path):
    store = Store.open(write_store(tmp_path / "blobs", channels=1))
    with pytest.raises(DataError, match="which digit is which"):
        reading_race(store, READER, rate=1e-3, seed=0, mark=MARK, most=1)


def races(*arrived: bool) -> Races:
    """One race for each seed: of 100 steps if it arrives, else given up after 200."""
    judging = [Race([0.0] * 100 if end else [1.0] * 200, 0.5) for end in arrived]
    return Races(1e-3, [], judging)


def test_a_race_that_was_given_up_may_have_taken_any_number_of_steps():
    done, lost = races(True, True), races(False, False)
    twice = lost.steps("judging") / done.steps("judging")
    assert at_least(twice, 1.5, done, lost, "judging") is True
    assert at_least(twice, 6, done, lost, "judging") is None
    assert at_least(twice, 6, done, done, "judging") is False
    assert at_least(twice, 1.5, lost, lost, "judging") is None
    assert lost.in_words("judging") == "200 (200 to 200), 2 given up"

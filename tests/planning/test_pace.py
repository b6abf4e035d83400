"""Hours become images, with everything that a run does besides training."""

import pytest

from facewright.errors import FacewrightError
from facewright.planning.pace import hours_for, images_in, overhead, round_down
from facewright.planning.recipes import read_recipe
from tests.planning.conftest import recipe


def test_the_classic_recipe_spends_what_was_measured_on_its_records():
    record = read_recipe("classic-celeba28").record
    assert overhead(record) == pytest.approx(0.031 + 0.054 + 0.024)


def test_without_records_nothing_is_spent():
    assert overhead(recipe().record) == 0


@pytest.mark.parametrize(
    ("change", "share"),
    [
        ("record.snapshot_images=6400", 0.062),
        ("record.snapshot_images=25600", 0.0155),
        ("record.equilibrium_images=512000", 0.027),
        ("record.score_samples=1000", 0.024 * 0.9),
    ],
)
def test_records_that_are_made_twice_as_often_cost_twice_as_much(change, share):
    assert overhead(recipe(change).record) == pytest.approx(share)


def test_an_hour_at_a_thousand_images_a_second_is_3_6_million_images():
    assert images_in(1.0, 1_000.0, recipe()) == 3_600_000
    assert images_in(0.5, 1_000.0, recipe()) == 1_800_000


def test_records_take_their_share_of_the_hours():
    spending = recipe("record.snapshot_images=12800")
    assert images_in(1.0, 1_031.0, spending) == 3_600_000
    assert images_in(1.0, 1_030.0, spending) == 3_500_000


def test_hours_and_images_agree():
    record = recipe("record.snapshot_images=12800").record
    assert hours_for(3_600_000, 1_031.0, record) == pytest.approx(1.0)


def test_too_little_time_for_one_step_is_refused_with_what_is_enough():
    with pytest.raises(FacewrightError) as refusal:
        images_in(0.0001, 10.0, recipe("train.batch=64"))
    said = refusal.value
    assert "not one step of 64 images" in said.what
    assert fits(float(said.expected.split()[-1]))


def fits(hours: float, *changes: str) -> bool:
    """One step at 10 images/s."""
    try:
        return images_in(hours, 10.0, recipe("train.batch=64", *changes)) >= 64
    except FacewrightError:
        return False


def test_a_step_shows_a_batch_to_each_update_of_the_discriminator():
    assert fits(64 / 36_000 + 1e-6)
    assert not fits(63 / 36_000)
    assert not fits(127 / 36_000, "train.d_steps=2")
    assert fits(131 / 36_000, "train.d_steps=2")


@pytest.mark.parametrize(
    ("count", "rounded"),
    [(1_299_999, 1_200_000), (1_200_000, 1_200_000), (999.9, 990), (100, 100), (64.9, 64), (7, 7)],
)
def test_numbers_are_rounded_down_to_two_digits(count, rounded):
    assert round_down(count) == rounded

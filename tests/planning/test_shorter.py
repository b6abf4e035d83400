"""A tenth of a run has a tenth of its intervals, as far as that makes sense."""

import pytest

from facewright import settings
from facewright.config import Config
from facewright.doctor.diagnose import GRACE_STEPS
from facewright.planning.measured import read_table
from facewright.planning.pace import RECORDS, overhead
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import (
    DEAREST,
    INTERVALS,
    LOOK_STEPS,
    looks_in,
    schedule_for,
    shorter,
)
from tests.planning.conftest import recipe

FREE = ("record.score_samples=0", "train.images=1000000")


def shortened(config, images: int):
    return settings.override(config, shorter(config, images))


def test_a_tenth_of_a_run_has_a_tenth_of_its_intervals():
    config = recipe(*FREE, "record.checkpoint_images=100000", "record.sample_images=25000")
    assert shorter(config, 100_000) == (
        "record.checkpoint_images=10000",
        "record.sample_images=2500",
    )


def test_numbers_are_rounded_down_to_two_digits():
    config = recipe(*FREE, "record.checkpoint_images=100000", "record.sample_images=25000")
    short = shortened(config, 123_456)
    assert short.record.checkpoint_images == 12_000
    assert short.record.sample_images == 3_000


@pytest.mark.parametrize("images", [1_000_000, 1_000_001, 10**9])
def test_a_run_that_is_not_shorter_stays_as_it_is(images):
    assert shorter(recipe(*FREE), images) == ()


def test_what_was_switched_off_stays_off_and_nothing_else_is():
    off = recipe(*FREE, "train.batch=2")
    assert shorter(off, 1) == ("record.checkpoint_images=2", "record.sample_images=2")
    on = recipe(*FREE, "record.snapshot_images=5", "record.equilibrium_images=5", "train.batch=2")
    assert shorter(on, 1) == shorter(off, 1)


def test_no_interval_is_shorter_than_a_step():
    config = recipe(*FREE, "train.batch=64", "train.d_steps=2")
    short = shortened(config, 128)
    assert (short.record.checkpoint_images, short.record.sample_images) == (128, 128)


def test_the_doctor_looks_no_sooner_than_he_would_speak():
    assert LOOK_STEPS == GRACE_STEPS
    often = recipe(*FREE, "record.snapshot_images=12800", "train.batch=16", "train.d_steps=2")
    assert shortened(often, 600_000).record.snapshot_images == 7_600
    assert shortened(often, 400_000).record.snapshot_images == 200 * 16 * 2
    large = recipe(*FREE, "record.snapshot_images=12800", "train.batch=64")
    assert shortened(large, 400_000).record.snapshot_images == 12_800


def test_records_take_no_more_of_a_short_run_than_they_may():
    config = recipe("train.batch=2", "train.images=100000000", "record.score_samples=1000")
    config = settings.override(config, [f"record.{name}=10000000" for name in INTERVALS])
    assert overhead(config.record) < 0.01
    short = shortened(config, 1_000)
    assert overhead(short.record) == pytest.approx(DEAREST * len(RECORDS))
    assert short.record.checkpoint_images == 21_600  # 0.024 * 90,000 / 0.1
    unscored = settings.override(config, ["record.score_samples=0"])
    assert shortened(unscored, 1_000).record.checkpoint_images == 100


@pytest.mark.parametrize(
    ("images", "after", "length"),
    [
        (123_456, 74_000, 24_000),
        (1_000_000, 600_000, 200_000),
        (3_000_000, 1_800_000, 600_000),
        (4, 2, 1),
    ],
)
def test_the_schedule_is_the_same_part_of_every_run(images, after, length):
    late = ("schedule.after=600000", "schedule.images=200000", "schedule.lr_to=0.5")
    config = recipe("train.images=1000000", *late)
    lines = (f"schedule.after={after}", f"schedule.images={length}")
    assert schedule_for(config, images) == lines


def test_only_what_is_there_is_brought_into_proportion():
    early = recipe("train.images=1000000", "schedule.images=200000", "schedule.lr_to=0.5")
    assert schedule_for(early, 500_000) == ("schedule.images=100000",)
    assert schedule_for(recipe("train.images=1000000"), 3_000_000) == ()


@pytest.mark.parametrize("name", [entry.name for entry in read_table().recipes])
@pytest.mark.parametrize("part", [0.001, 0.03, 0.5, 0.99])
def test_no_recipe_gets_a_larger_number_or_one_that_does_not_change(name, part):
    config = read_recipe(name)
    images = int(part * config.train.images)
    short, changes = shortened(config, images), shorter(config, images)
    for interval in INTERVALS:
        before, after = getattr(config.record, interval), getattr(short.record, interval)
        assert after <= before
        assert (f"record.{interval}={after}" in changes) == (after < before)


@pytest.mark.parametrize(
    ("images", "d_steps", "every"),
    [(1_600_000, 1, 200_000), (1_234_567, 1, 150_000), (8_000, 1, 3_200), (8_000, 2, 6_400)],
)
def test_the_doctor_looks_about_eight_times_but_never_sooner_than_he_can_judge(
    images, d_steps, every
):
    """200 steps of 16 images are the least."""
    config = settings.override(Config(), ["train.batch=16", f"train.d_steps={d_steps}"])
    assert looks_in(config, images) == every

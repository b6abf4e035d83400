"""A plan follows from what was measured, with numbers that can be had on paper."""

import dataclasses
import shlex
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from facewright import settings
from facewright.planning.pace import overhead
from facewright.planning.plan import best_of, plan_for
from facewright.training.memory import OVERHEAD, estimate
from tests.planning.conftest import (
    NOW,
    candidate,
    curve,
    entry,
    photos,
    plan_request,
    recipe,
    speed,
)


def test_ten_hours_at_a_thousand_images_a_second_are_36_million_images():
    plan = plan_for(candidate(), plan_request())
    assert plan.config.train.images == 36_000_000
    assert plan.seconds == pytest.approx(36_000)
    assert plan.ends == NOW + timedelta(hours=10)
    assert plan.speed.images_per_second == 1_000
    assert plan.changes == ("train.images=36000000",)
    assert plan.recipe == "small"


def test_the_speed_is_that_of_the_recipes_batch():
    speeds = (speed(32, 500.0), speed(64, 1_000.0), speed(128, 2_000.0))
    plan = plan_for(candidate(recipe(), None, *speeds), plan_request(hours=1.0))
    assert plan.config.train.images == 3_600_000
    assert plan.speed.batch == 64
    assert plan.measured == speeds


def test_the_time_is_that_of_the_rounded_number_and_never_more_than_given():
    plan = plan_for(candidate(recipe(), None, speed(64, 1_234.0)), plan_request(hours=1.0))
    assert plan.config.train.images == 4_400_000
    assert plan.seconds == pytest.approx(4_400_000 / 1_234)
    assert plan.seconds <= 3_600


def test_records_make_a_run_longer():
    spending = recipe("record.snapshot_images=12800")
    plan = plan_for(candidate(spending, None, speed(64, 1_031.0)), plan_request(hours=1.0))
    assert plan.config.train.images == 3_600_000
    assert plan.seconds == pytest.approx(3_600)


def test_the_schedule_stays_the_same_part_of_the_run():
    config = recipe("train.images=1000000", "schedule.images=200000", "schedule.lr_to=0.5")
    plan = plan_for(candidate(config), plan_request(hours=1.0))
    assert plan.config.schedule.images == 720_000
    assert plan.config.schedule.lr_to == 0.5
    assert "schedule.images=720000" in plan.changes


def test_photos_too_few_to_hold_some_out_are_distorted_all_the_same():
    adaptive = recipe("augment.adaptive=true")
    for held_out, changes in (
        (15, {"augment.adaptive=false", "augment.probability=0.3"}),
        (16, {}),
    ):
        plan = plan_for(
            candidate(adaptive), plan_request(photos=photos(count=100, held_out=held_out))
        )
        assert {c for c in plan.changes if c.startswith("augment.")} == set(changes)


def test_a_shorter_run_saves_sooner():
    config = recipe("train.images=36000000", "record.checkpoint_images=100000")
    plan = plan_for(candidate(config), plan_request(hours=1.0))
    assert plan.config.record.checkpoint_images == 10_000
    assert "record.checkpoint_images=10000" in plan.changes
    assert plan.config.schedule.images == 0


def test_records_that_are_made_more_often_are_in_the_time():
    config = recipe("train.images=36000000", "record.equilibrium_images=2560000")
    plan = plan_for(candidate(config), plan_request(hours=1.0))
    # Every 10th of 2,560,000 images: 0.054 of training, not 0.0054.
    assert plan.config.record.equilibrium_images == pytest.approx(256_000, rel=0.1)
    images = plan.config.train.images
    assert 3_300_000 <= images <= 3_600_000 / 1.054
    assert plan.seconds == pytest.approx(images / 1_000 * (1 + overhead(plan.config.record)))
    assert plan.seconds <= 3_600


def test_the_doctor_gets_his_steps_in_the_batch_that_fits():
    config = recipe("train.batch=2048", f"train.images={10**9}")
    config = settings.override(config, ["record.snapshot_images=1000000"])
    need = estimate(config, (3, 28, 28)).total
    speeds = (speed(1024, 500.0, need), speed(2048, 1_000.0, need))
    asked = plan_request(available_memory=need + OVERHEAD["cpu"], hours=1.0)
    plan = plan_for(candidate(config, None, *speeds), asked)
    assert plan.config.train.batch == 1024
    assert plan.config.record.snapshot_images == 200 * 1024


def test_penalties_stay_as_they_are_at_the_recipes_size():
    plan = plan_for(candidate(recipe("loss.r1=0.5", "loss.r2=0.25")), plan_request())
    assert (plan.config.loss.r1, plan.config.loss.r2) == (0.5, 0.25)
    assert plan.changes == ("train.images=36000000",)


def test_at_twice_the_size_penalties_weigh_eight_and_a_half_times_as_much():
    config = recipe("loss.r1=0.5", "loss.r2=0.25", "loss.gradient_penalty=10")
    twice = photos(shape=(3, 56, 56))
    plan = plan_for(candidate(config), plan_request(photos=twice))
    assert plan.config.loss.r1 == pytest.approx(0.5 * 2**3.1, rel=0.02)
    assert plan.config.loss.r2 == pytest.approx(0.25 * 2**3.1, rel=0.03)
    assert plan.config.loss.gradient_penalty == 10
    plain = plan_for(candidate(recipe("loss.r1=0.5")), plan_request(photos=twice))
    assert [c for c in plain.changes if c.startswith("loss.")] == ["loss.r1=4.3"]


def test_the_published_weights_lie_on_the_rule():
    at_64 = candidate(recipe("loss.r1=2"), entry(size=64))
    plan = plan_for(at_64, plan_request(photos=photos(shape=(3, 256, 256))))
    assert plan.config.loss.r1 == pytest.approx(150, rel=0.02)


def test_quality_is_read_off_for_these_images_and_photos():
    plan = plan_for(candidate(recipe(), None, speed(64, 10.0)), plan_request(hours=1.0))
    assert plan.config.train.images == 36_000
    assert plan.quality is not None
    assert plan.quality.images == 36_000
    assert 40 < plan.quality.fid < 50
    few = curve((10, 90), (10**9, 90), photos=100)
    other = candidate(recipe(), entry(curves=(*entry().curves, few)))
    plan = plan_for(other, plan_request(photos=photos(count=120)))
    assert plan.quality is not None
    assert plan.quality.fid == pytest.approx(90)


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 28, 56)])
def test_at_another_size_nothing_is_promised(shape):
    assert plan_for(candidate(), plan_request(photos=photos(shape=shape))).quality is None


def test_too_little_memory_changes_the_batch_and_its_speed():
    config = recipe("train.batch=2048")
    need = estimate(config, (3, 28, 28)).total
    speeds = (speed(1024, 500.0, need), speed(2048, 1_000.0, need))
    plan = plan_for(
        candidate(config, None, *speeds), plan_request(available_memory=need + OVERHEAD["cpu"])
    )
    assert plan.config.train.batch == 1024
    assert "train.batch=1024" in plan.changes
    assert plan.config.train.images == 18_000_000
    assert plan.memory_bytes < need + OVERHEAD["cpu"]
    assert any("batch norm" in note for note in plan.notes)


def test_the_command_holds_everything_that_was_decided_and_can_be_pasted():
    config = recipe("schedule.images=1000", "loss.r1=0.5")
    mine = photos(store=Path("my photos/store"), shape=(3, 56, 56))
    asked = plan_request(photos=mine, run=Path("runs/store"), options=("--device", "cpu"))
    plan = plan_for(candidate(config), asked)
    words = shlex.split(plan.command)
    assert words[:4] == ["facewright", "train", "--recipe", "small"]
    pairs = list(pairwise(words))
    assert ("--data", "my photos/store") in pairs
    assert ("--out", "runs/store") in pairs
    assert ("--device", "cpu") in pairs
    told = [after for before, after in pairs if before == "--set"]
    assert tuple(told) == plan.changes
    assert "--device" not in plan_for(candidate(), plan_request()).command


GOOD = entry("good", curves=(curve((10_000, 20), (1_000_000, 10)),))
LATE = entry("late", curves=(curve((10**8, 5), (10**9, 4)),))


def planned(*entries):
    return [plan_for(candidate(recipe(), one), plan_request(hours=0.1)) for one in entries]


def test_of_several_recipes_the_one_with_the_best_images_is_proposed():
    plan = best_of(planned(entry(), GOOD))
    assert plan.recipe == "good"
    assert plan.notes[-1].startswith("small would suit, too, and give FID")
    assert best_of(planned(GOOD, entry())).recipe == "good"


def test_speed_decides_too():
    slow = plan_for(candidate(recipe(), GOOD, speed(64, 1.0)), plan_request(hours=1.0))
    fast = plan_for(candidate(recipe(), entry(), speed(64, 10_000.0)), plan_request(hours=1.0))
    assert slow.quality is not None
    assert slow.quality.bound == "not as good"
    assert best_of([slow, fast]).recipe == "small"


def test_what_is_never_good_in_this_time_is_not_taken_for_good():
    assert best_of(planned(LATE, entry())).recipe == "small"


@pytest.mark.parametrize(
    "curves",
    [
        (),
        (curve((10_000, 20), (1_000_000, 10), data="others-28"),),
        (dataclasses.replace(GOOD.curves[0], protocol="another"),),
    ],
    ids=["never measured", "on other photos", "in another way"],
)
def test_what_cannot_be_compared_stays_in_the_tables_order(curves):
    plan = best_of(planned(entry(), entry("other", curves=curves)))
    assert plan.recipe == "small"
    assert plan.notes[-1].startswith("other would suit")


def test_one_recipe_has_no_rivals():
    (plan,) = planned(entry())
    assert best_of([plan]) == plan

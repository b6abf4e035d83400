"""The recipe's batch, in micro-batches, or a smaller one: whatever the memory allows."""

import pytest

from facewright import settings
from facewright.config import Config
from facewright.errors import RunError
from facewright.planning.fit import fit
from facewright.planning.speed import Speed
from facewright.training.memory import OVERHEAD, estimate
from facewright.training.shortage import FILLED
from tests.planning.conftest import PLAIN, candidate, plan_request, recipe, speed

BESIDE = OVERHEAD["cpu"]
LARGE = "train.batch=2048"  # so that images take more than the program itself
WHOLE, DIVISIBLE = recipe(LARGE), recipe(LARGE, PLAIN)


def need(config: Config) -> int:
    """By estimate."""
    return estimate(config, (3, 28, 28)).total


def room_for(config: Config) -> int:
    """Just enough, where estimates are right."""
    return int((need(config) + BESIDE) / FILLED) + 1


def speeds(config: Config) -> tuple[Speed, ...]:
    """Half of the batch and all of it, with the memory of the estimate."""
    return speed(1024, 900.0, need(config)), speed(2048, 1_000.0, need(config))


def test_what_fits_stays_as_it_is():
    found = fit(
        candidate(WHOLE, None, *speeds(WHOLE)), plan_request(available_memory=room_for(WHOLE))
    )
    assert (found.changes, found.lacking, found.reason) == ((), 0, "")
    assert found.speed.batch == 2048
    assert found.memory_bytes == need(WHOLE) + BESIDE


def test_where_memory_is_not_known_everything_fits():
    found = fit(
        candidate(WHOLE, None, speed(2048, memory=2**40)), plan_request(available_memory=None)
    )
    assert found.changes == ()
    assert found.memory_bytes == 2**40 + BESIDE


def test_a_batch_that_can_be_divided_goes_in_micro_batches():
    available = room_for(recipe("train.batch=1100", PLAIN))
    found = fit(
        candidate(DIVISIBLE, None, *speeds(DIVISIBLE)), plan_request(available_memory=available)
    )
    assert found.changes == ("train.micro_batch=1024",)
    assert found.speed.batch == 1024
    assert found.reason == ""
    assert found.lacking == need(DIVISIBLE) + BESIDE
    divided = need(recipe(LARGE, PLAIN, "train.micro_batch=1024"))
    assert found.memory_bytes == divided + BESIDE


def test_batch_norm_takes_a_smaller_batch_and_says_why():
    available = room_for(recipe("train.batch=1100"))
    found = fit(candidate(WHOLE, None, *speeds(WHOLE)), plan_request(available_memory=available))
    assert found.changes == ("train.batch=1024",)
    assert found.memory_bytes == need(recipe("train.batch=1024")) + BESIDE
    assert "batch norm" in found.reason


def test_what_runs_beside_the_training_leaves_less_for_a_batch():
    asked = candidate(WHOLE, None, *speeds(WHOLE))
    enough = room_for(recipe("train.batch=1024"))
    assert fit(asked, plan_request(available_memory=enough + 2)).changes == ("train.batch=1024",)
    assert fit(asked, plan_request(available_memory=enough - 2)).changes == ("train.batch=512",)


def test_the_measurement_counts_and_not_the_estimate():
    greedy, available = (speed(2048, memory=3 * need(WHOLE)),), 2 * room_for(WHOLE)
    found = fit(candidate(WHOLE, None, *greedy), plan_request(available_memory=available))
    smaller = need(settings.override(WHOLE, found.changes))
    assert 3 * smaller + BESIDE <= FILLED * available
    assert found.memory_bytes == 3 * smaller + BESIDE
    just = int((3 * need(recipe("train.batch=1024")) + BESIDE) / FILLED) + 9
    assert fit(candidate(WHOLE, None, *greedy), plan_request(available_memory=just)).changes == (
        "train.batch=1024",
    )
    modest = (speed(2048, memory=need(WHOLE) // 2),)
    available = int((need(WHOLE) / 2 + BESIDE) / FILLED) + 1
    assert (
        fit(candidate(WHOLE, None, *modest), plan_request(available_memory=available)).changes == ()
    )


def test_a_batch_that_was_not_reached_is_estimated():
    found = fit(
        candidate(WHOLE, None, speed(2, memory=2**20)), plan_request(available_memory=2**40)
    )
    assert found.memory_bytes == need(WHOLE) + BESIDE
    assert found.speed.batch == 2


def test_what_runs_beside_the_training_is_counted_on_a_cpu_alone():
    available = int(need(WHOLE) / FILLED) + 1
    asked = candidate(WHOLE, None, *speeds(WHOLE))
    assert fit(asked, plan_request(available_memory=available)).changes
    found = fit(asked, plan_request(available_memory=available, device="cuda"))
    assert (found.changes, found.memory_bytes) == ((), need(WHOLE))


def test_where_nothing_fits_the_way_out_is_said():
    with pytest.raises(RunError) as refusal:
        fit(candidate(WHOLE, None, *speeds(WHOLE)), plan_request(available_memory=2**20))
    assert "batch of 2048" in refusal.value.what
    assert "--size 28" in refusal.value.fix


def test_the_nearest_speed_is_nearest_by_ratio():
    both = (speed(8, 1.0), speed(100, 2.0))
    assert fit(candidate(recipe("train.batch=32"), None, *both), plan_request()).speed.batch == 100
    both = (speed(8, 1.0), speed(200, 2.0))
    assert fit(candidate(recipe("train.batch=32"), None, *both), plan_request()).speed.batch == 8


def test_a_recipe_in_micro_batches_was_measured_in_micro_batches():
    divided = recipe(PLAIN, "train.batch=256", "train.micro_batch=32")
    found = fit(candidate(divided, None, speed(32, 1.0), speed(256, 2.0)), plan_request())
    assert found.speed.batch == 256

"""The estimate before a run is near what the run then takes."""

import gc
from itertools import accumulate
from typing import Any, cast

import pytest
import torch
from benchmarks.step_memory import SHAPE, cases, two_steps

from facewright import machine, settings
from facewright.config import Config
from facewright.training.memory import OVERHEAD, available_memory, estimate, memory_overhead
from tests.training.conftest import small

CONFIG = small("model.width=64", "train.batch=256", "model.z_dim=100")
MICRO_BATCHED = settings.override(CONFIG, ["model.normalisation=none", "train.micro_batch=64"])
CASES = cases(16)
BOUND = 1.4
"""The farthest are 1.27 and 0.88. At this batch the weights are a good part of the whole: 1.8, as
for resident memory, would hide activations that are counted twice."""


def test_more_width_and_a_larger_batch_need_more():
    base = estimate(CONFIG, SHAPE)
    wider = estimate(small("model.width=128", "train.batch=256"), SHAPE)
    assert wider.weights > base.weights
    larger = estimate(small("model.width=64", "train.batch=512", "model.z_dim=100"), SHAPE)
    assert larger.activations == 2 * base.activations


@pytest.mark.parametrize("slope", ["exact", "finite-difference"])
def test_every_penalty_on_slopes_keeps_two_more_passes_of_the_discriminator(slope):
    def activations(*penalties: str) -> int:
        weights = [f"loss.{penalty}=1" for penalty in penalties]
        config = settings.override(CONFIG, [f"loss.slope={slope}", *weights])
        return estimate(config, SHAPE).activations

    one = activations("r1") - activations()
    assert one > 2 * 4 * 256 * (64 * 14 * 14 + 128 * 7 * 7)  # its convolutions alone, twice
    assert activations("r2") == activations("gradient_penalty") == activations("r1")
    assert activations("r1", "r2") == activations() + 2 * one
    assert activations("r1", "r2", "gradient_penalty") == activations() + 3 * one


def test_antithetic_noise_keeps_half_of_what_other_penalties_keep():
    def more(slope: str, *penalties: str) -> int:
        lines = [f"loss.slope={slope}", *(f"loss.{penalty}=1" for penalty in penalties)]
        config = settings.override(CONFIG, lines)
        return estimate(config, SHAPE).activations - estimate(CONFIG, SHAPE).activations

    assert 2 * more("antithetic-noise", "r1", "r2") == more("finite-difference", "r1", "r2")
    assert more("antithetic-noise", "gradient_penalty") == more("exact", "gradient_penalty")


def test_those_who_look_on_are_in_one_of_the_processes_alone():
    assert memory_overhead("cpu") == OVERHEAD["cpu"] > 0
    assert memory_overhead("cpu", 2) == OVERHEAD["cpu"] // 2
    assert memory_overhead("cuda") == 0


def test_micro_batches_need_less_and_processes_share_the_images():
    whole = estimate(settings.override(MICRO_BATCHED, ["train.micro_batch=0"]), SHAPE)
    assert estimate(MICRO_BATCHED, SHAPE).weights == whole.weights
    assert estimate(MICRO_BATCHED, SHAPE).activations < whole.activations / 3
    assert estimate(CONFIG, SHAPE, 2).activations == estimate(CONFIG, SHAPE).activations / 2


def test_a_container_has_what_it_may_have_and_processes_share_it(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "CONTAINER_LIMITS", (limit,))
    whole = available_memory(torch.device("cpu"))
    for words, bytes_ in (("max", whole), (str(2**20), 2**20), (str(2**62), whole)):
        limit.write_text(f"{words}\n")
        assert available_memory(torch.device("cpu")) == bytes_
    limit.write_text("1000")
    assert available_memory(torch.device("cpu"), devices=4) == 250


def most_allotted(config: Config) -> int:
    """Bytes that torch holds at the fullest moment of two steps, whatever it held before.

    Counted, and so the same on a busy machine and after other tests. `benchmarks/step_memory.py`
    measures the resident memory of a process of its own.
    """
    gc.collect()  # what an earlier test left would be freed, and counted, in between
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as watched:
        two_steps(config)
    # What torch's own tables are made of: they sum over a function, and the peak is in time.
    events: list[Any] = cast(Any, watched.profiler).kineto_results.events()
    changes = sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns())
    return max(accumulate(change.nbytes() for change in changes))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_the_estimate_is_near_what_two_steps_hold(name, precision):
    config = settings.override(CASES[name], [f"train.precision={precision}"])
    need, measured = estimate(config, SHAPE), most_allotted(config)
    assert measured / BOUND < need.weights + need.activations < measured * BOUND


def test_parameters_are_counted_on_paper():
    # G: 100 -> 128x7x7, 128 -> 64, 64 -> 3; D: 3 -> 64 -> 128 -> 1; 5x5 filters.
    counts = estimate(small("model.width=64", "model.z_dim=100"), SHAPE).parameters
    weights = 100 * 6272 + 128 * 64 * 25 + 64 * 3 * 25 + 3 * 64 * 25 + 64 * 128 * 25 + 6272
    assert counts == pytest.approx(weights, rel=0.01)  # biases and batch norm are the rest

"""The estimate before a run is near what the run then takes."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from facewright import machine, settings
from facewright.config import Config
from facewright.data.stream import BatchStream
from facewright.training.memory import OVERHEAD, available_memory, estimate, memory_overhead
from tests.processes import FORKED
from tests.training.conftest import small

CONFIG = small("model.width=64", "train.batch=256", "model.z_dim=100")
TRIED = settings.override(
    CONFIG, ["model.width=32", "loss.r1=1", "loss.r2=1", "loss.slope=finite-difference"]
)
ANTITHETIC = settings.override(TRIED, ["loss.slope=antithetic-noise", "loss.instance_noise=0.1"])
EXACT = settings.override(TRIED, ["loss.slope=exact"])
RESIDUAL = small(
    *("model.name=resnext", "model.widths=[64, 64, 32]", "model.group_width=16"),
    *("train.batch=64", "loss.game=relativistic", "loss.r1=1", "loss.slope=finite-difference"),
)
PORTIONS = settings.override(CONFIG, ["model.normalisation=none", "train.micro_batch=64"])
SHAPE = (3, 28, 28)
STATUS = Path("/proc/self/status")


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
    whole = estimate(settings.override(PORTIONS, ["train.micro_batch=0"]), SHAPE)
    assert estimate(PORTIONS, SHAPE).weights == whole.weights
    assert estimate(PORTIONS, SHAPE).activations < whole.activations / 3
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


def peak_of_one_step(queue, config: Config) -> None:
    """The child: how far the peak of resident memory rises in two steps, in bytes."""
    from facewright.training.launch import fabric_of
    from facewright.training.loop import train_until
    from facewright.training.state import fresh_state

    torch.set_num_threads(1)
    cpu = fabric_of(config, "cpu")
    photos = np.random.default_rng(0).integers(0, 256, (300, 28, 28, 3), np.uint8)

    def two_steps(config: Config) -> None:
        train_until(
            fresh_state(config, SHAPE, cpu.device),
            settings.override(config, [f"train.images={2 * config.train.batch}"]),
            batches=BatchStream(photos, batch=config.train.batch, seed=0, flip=False),
            fabric=cpu,
            callbacks=(),
            should_stop=lambda: False,
        )

    # Once in small: what torch sets up at its first convolution belongs to the program.
    two_steps(settings.override(config, ["train.batch=4", "train.micro_batch=0"]))
    before = peak()
    two_steps(config)
    queue.put(peak() - before)


def peak() -> int:
    """Of this process alone; `getrusage` would count the parent that it was forked from."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(line) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    "config",
    [CONFIG, PORTIONS, TRIED, ANTITHETIC, EXACT, RESIDUAL],
    ids=[
        "whole",
        "in micro-batches",
        "slopes tried",
        "antithetic noise",
        "exact slopes",
        "residual",
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_estimate_is_near_the_measured_peak(config, precision):
    config = settings.override(config, [f"train.precision={precision}"])
    queue = FORKED.SimpleQueue()
    child = FORKED.Process(target=peak_of_one_step, args=(queue, config))
    child.start()
    measured = queue.get()
    child.join()
    need = estimate(config, SHAPE)
    assert measured / 1.8 < need.weights + need.activations < measured * 1.8


def test_parameters_are_counted_on_paper():
    # G: 100 -> 128x7x7, 128 -> 64, 64 -> 3; D: 3 -> 64 -> 128 -> 1; 5x5 filters.
    counts = estimate(small("model.width=64", "model.z_dim=100"), SHAPE).parameters
    weights = 100 * 6272 + 128 * 64 * 25 + 64 * 3 * 25 + 3 * 64 * 25 + 64 * 128 * 25 + 6272
    assert counts == pytest.approx(weights, rel=0.01)  # biases and batch norm are the rest

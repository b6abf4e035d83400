"""The estimate before a run is near what the run then takes."""

import multiprocessing
import re
from pathlib import Path

import pytest

from facewright.training.memory import estimate
from tests.training.conftest import small

CONFIG = small("model.width=64", "train.batch=256", "model.z_dim=100")
SHAPE = (3, 28, 28)
STATUS = Path("/proc/self/status")


def test_more_width_and_a_larger_batch_need_more():
    base = estimate(CONFIG, SHAPE)
    wider = estimate(small("model.width=128", "train.batch=256"), SHAPE)
    assert wider.weights > base.weights
    larger = estimate(small("model.width=64", "train.batch=512", "model.z_dim=100"), SHAPE)
    assert larger.activations == 2 * base.activations


def peak_of_one_step(queue) -> None:
    """The child: how far the peak of resident memory rises in two steps, in bytes."""
    import torch
    from lightning_fabric import Fabric

    from facewright.training.state import fresh_state
    from facewright.training.step import Rules, discriminator_step, generator_step

    torch.set_num_threads(1)
    before = peak()
    state = fresh_state(CONFIG, SHAPE, torch.device("cpu"))
    rules = Rules.of(CONFIG.loss, Fabric(accelerator="cpu", devices=1))
    for _ in range(2):
        real, z = torch.rand(256, *SHAPE), torch.randn(256, 100)
        fake = state.generator.network(z)
        discriminator_step(state.discriminator, real, fake.detach(), torch.rand(256), rules)
        generator_step(state.generator, state.discriminator, real, fake, rules)
    queue.put(peak() - before)


def peak() -> int:
    """Of this process alone; `getrusage` would count the parent that it was forked from."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(line) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="the peak is read from /proc")
def test_the_estimate_is_within_a_factor_of_two_of_the_measured_peak():
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    child = context.Process(target=peak_of_one_step, args=(queue,))
    child.start()
    measured = queue.get()
    child.join()
    need = estimate(CONFIG, SHAPE)
    assert measured / 2 < need.weights + need.activations < measured * 2


def test_parameters_are_counted_on_paper():
    # G: 100 -> 128x7x7, 128 -> 64, 64 -> 3; D: 3 -> 64 -> 128 -> 1; 5x5 filters.
    counts = estimate(small("model.width=64", "model.z_dim=100"), SHAPE).parameters
    weights = 100 * 6272 + 128 * 64 * 25 + 64 * 3 * 25 + 3 * 64 * 25 + 64 * 128 * 25 + 6272
    assert counts == pytest.approx(weights, rel=0.01)  # biases and batch norm are the rest

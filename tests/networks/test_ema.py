"""The EMA of the generator."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from facewright.networks.ema import Ema


def network(value) -> Any:
    layers: Any = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, affine=False))
    nn.init.constant_(layers[0].weight, value)
    return layers


def weight(network):
    return next(network.parameters())


def old(half_life):
    """An average that no longer is young."""
    ema = Ema(network(0.0), half_life)
    ema.age = 10**12
    return ema


def test_after_a_half_life_the_average_has_gone_half_the_way():
    ema = old(640.0)
    for _ in range(10):
        ema.update(network(1.0), images=64)
    assert weight(ema.network).item() == pytest.approx(0.5)


def test_the_average_depends_on_images_not_on_batches():
    small, large = old(100.0), old(100.0)
    for _ in range(8):
        small.update(network(1.0), images=16)
    large.update(network(1.0), images=128)
    torch.testing.assert_close(weight(small.network), weight(large.network))


@pytest.mark.parametrize("half_life", [1e9, 200.0])
def test_of_a_young_average_the_first_half_hardly_counts(half_life):
    """A half-life of t / 10 leaves (s / t) ** (10 ln 2) of what was before s."""
    ema = Ema(network(0.0), half_life)
    for seen in range(1, 1001):
        ema.update(network(0.0 if seen <= 500 else 1.0), images=1)
    assert 1 - weight(ema.network).item() == pytest.approx(0.5 ** (10 * math.log(2)), rel=0.02)


@pytest.mark.parametrize(("half_life", "age"), [(50.0, 450), (50.0, 10**6), (80.0, 450)])
def test_the_half_life_stops_growing_when_it_is_the_one_set(half_life, age):
    ema = Ema(network(0.0), half_life)
    ema.age = age
    ema.update(network(1.0), images=50)
    assert weight(ema.network).item() == pytest.approx(0.5)


def test_the_random_weights_of_the_beginning_are_forgotten_at_once():
    ema = Ema(network(0.0), half_life=1e9)
    for _ in range(10):
        ema.update(network(1.0), images=64)
    assert ema.age == 640
    assert weight(ema.network).item() > 0.999


def test_without_a_half_life_the_average_is_the_latest_generator():
    ema = old(0.0)
    ema.update(network(3.0), images=64)
    assert weight(ema.network).item() == 3


def test_buffers_are_copied_not_averaged():
    latest = network(1.0)
    latest(torch.tensor([[4.0], [8.0]]))
    ema = Ema(network(0.0), half_life=1e9)
    ema.update(latest, images=1)
    assert torch.equal(dict(ema.network.named_buffers())["1.running_mean"], latest[1].running_mean)
    assert dict(ema.network.named_buffers())["1.num_batches_tracked"] == 1


def test_the_average_neither_learns_nor_touches_the_generator():
    generator = network(2.0)
    ema = Ema(generator, half_life=10.0)
    ema.update(network(5.0), images=10)
    assert generator[0].weight.item() == 2
    assert not any(p.requires_grad for p in ema.network.parameters())
    assert not ema.network.training

"""The averaged generator."""

from typing import Any

import pytest
import torch
from torch import nn

from facewright.models.ema import Ema


def network(value) -> Any:
    layers: Any = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, affine=False))
    nn.init.constant_(layers[0].weight, value)
    return layers


def weight(network):
    return next(network.parameters())


def test_after_a_half_life_the_average_has_gone_half_the_way():
    ema = Ema(network(0.0), half_life=640.0)
    for _ in range(10):
        ema.update(network(1.0), images=64)
    assert weight(ema.network).item() == pytest.approx(0.5)


def test_the_average_depends_on_images_not_on_batches():
    small, large = Ema(network(0.0), half_life=100.0), Ema(network(0.0), half_life=100.0)
    for _ in range(8):
        small.update(network(1.0), images=16)
    large.update(network(1.0), images=128)
    torch.testing.assert_close(weight(small.network), weight(large.network))


def test_without_a_half_life_the_average_is_the_latest_generator():
    ema = Ema(network(0.0), half_life=0.0)
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

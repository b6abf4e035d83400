"""Slopes, flat and dead activations, gradients: against values known on paper."""

import pytest
import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.lessons.neurons import (
    activation_inputs,
    dead_share,
    flat_share,
    gradient_sizes,
    slopes,
)
from facewright.networks.build import build_discriminator
from facewright.rng import rng_for


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sigmoid", [1 / 4, 0.196612]),
        ("tanh", [1, 0.419974]),
        ("relu", [0, 1]),
        ("leaky-relu", [0.2, 1]),
    ],
)
def test_slopes_are_the_derivatives(name, expected):
    inputs = torch.tensor([-1.0 if "relu" in name else 0.0, 1.0])
    assert slopes(name, inputs).tolist() == pytest.approx(expected, abs=1e-5)


def test_sigmoid_counts_as_flat_relative_to_its_own_steepest_slope():
    # At 3 its slope is 0.045: 18 % of the steepest, hence not flat; at 6 it is 1 %.
    inputs = torch.tensor([-6.0, 0.0, 3.0, 6.0])
    assert flat_share("sigmoid", inputs) == 1 / 2


@pytest.mark.parametrize(("name", "share"), [("relu", 0.5), ("leaky-relu", 0), ("tanh", 0)])
def test_only_relu_is_flat_on_one_side(name, share):
    assert flat_share(name, torch.tensor([-0.5, 0.5])) == share


def test_a_unit_is_dead_when_no_image_and_no_place_wakes_it():
    maps = -torch.ones(5, 4, 3, 3)
    maps[2, 1, 0, 2] = 1  # one place of one image wakes channel 1
    maps[:, 3] = 1
    assert dead_share("relu", maps) == 2 / 4
    assert dead_share("leaky-relu", maps) == 0


def test_the_inputs_of_activations_are_seen_before_the_activation_overwrites_them():
    config = ModelConfig(width=4, activation="relu", normalisation="none")
    network = build_discriminator(config, (1, 16, 16), rng_for(0, 0, "d"))
    images = torch.randn(2, 1, 16, 16, generator=rng_for(0, 0, "x"))
    layers = activation_inputs(network, images)
    assert [tuple(maps.shape) for maps in layers] == [(2, 4, 8, 8), (2, 8, 4, 4)]
    assert layers[0].min() < 0
    assert activation_inputs(network, images)[0].equal(layers[0])


def test_gradients_are_listed_from_the_first_layer_to_the_last():
    first, second = nn.Linear(2, 1, bias=False), nn.Linear(1, 1, bias=False)
    network = nn.Sequential(first, second)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 2.0]]))
        second.weight.fill_(10)
    # y = 10 (x1 + 2 x2) at x = (3, 4): dy/dw1 = (30, 40), dy/dw2 = 11.
    loss = network(torch.tensor([[3.0, 4.0]])).sum()
    assert gradient_sizes(network, loss) == pytest.approx([(2500 / 2) ** 0.5, 11])

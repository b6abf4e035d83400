"""Batch norm of an EMA generator against what it does to its own activations."""

import copy

import pytest
import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.networks.build import build_generator
from facewright.networks.statistics import batch_norms, take_statistics
from facewright.rng import rng_for

NOTHING = torch.zeros(512, 0)


def latents(size: int = 8) -> torch.Tensor:
    return torch.randn(512, size, generator=rng_for(0, 0, "test"))


def generator(**settings) -> nn.Module:
    config = ModelConfig(width=4, z_dim=8, **settings)
    return build_generator(config, (3, 16, 16), rng_for(0, 0, "g")).eval()


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(network.state_dict())


def test_what_comes_out_has_the_mean_and_the_spread_that_the_layer_says():
    layer = nn.BatchNorm2d(3)
    nn.init.normal_(layer.weight, 1, 0.2, generator=rng_for(0, 0, "weight"))
    nn.init.normal_(layer.bias, generator=rng_for(0, 0, "bias"))
    network = nn.Sequential(nn.Linear(8, 48), nn.Unflatten(1, (3, 4, 4)), layer).eval()
    take_statistics(network, latents(), NOTHING)
    found = network(latents())
    torch.testing.assert_close(found.mean((0, 2, 3)), layer.bias, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std((0, 2, 3)), layer.weight.abs(), rtol=0.01, atol=0)


def test_with_other_weights_it_draws_as_bright_as_in_training():
    """In train mode batch norm goes by the batch, whatever the weights are."""
    network = generator()
    with torch.no_grad():
        for weight in network.parameters():
            nn.init.normal_(weight, 0, 0.5, generator=rng_for(0, 0, "other"))
        trained = copy.deepcopy(network).train()(latents()).mean((0, 2, 3))
        before = network(latents()).mean((0, 2, 3))
        take_statistics(network, latents(), NOTHING)
        after = network(latents()).mean((0, 2, 3))
    assert (before - trained).abs().max() > 0.05
    assert (after - trained).abs().max() < 0.01


def test_nothing_else_changes():
    network = generator()
    before, momenta = state(network), [norm.momentum for norm in batch_norms(network)]
    take_statistics(network, latents(), NOTHING)
    after = state(network)
    changed = {name for name, tensor in after.items() if not tensor.equal(before[name])}
    assert changed
    assert all("running" in name or "tracked" in name for name in changed)
    assert not any(layer.training for layer in network.modules())
    assert [norm.momentum for norm in batch_norms(network)] == momenta


def test_what_was_there_before_leaves_no_trace():
    first, second = generator(), generator()
    for name, buffer in second.named_buffers():
        if "running" in name or "tracked" in name:
            buffer.fill_(100)
    for network in (first, second):
        take_statistics(network, latents(), NOTHING)
    assert all(tensor.equal(state(second)[name]) for name, tensor in state(first).items())


@pytest.mark.parametrize("normalisation", ["none", "virtual"])
def test_a_generator_without_batch_norm_is_left_alone(normalisation):
    network = generator(normalisation=normalisation)
    before = state(network)
    take_statistics(network, latents(), NOTHING)
    assert all(tensor.equal(before[name]) for name, tensor in state(network).items())

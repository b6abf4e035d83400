"""Building both players: what decides their first weights, and what is refused."""

from typing import Any

import pytest
import torch

from facewright.config import ModelConfig
from facewright.errors import ConfigError
from facewright.networks.build import build_discriminator, build_generator, unfilled_generator
from facewright.rng import rng_for

BUILDERS = [build_generator, build_discriminator]
SHAPE = (3, 16, 16)
SMALL: dict[str, Any] = {"width": 4, "minibatch_kernels": 2}


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    "settings",
    [
        {"name": "mlp"},
        {"normalisation": "batch"},
        {"normalisation": "spectral"},
        {"normalisation": "virtual"},
    ],
    ids=str,
)
def test_first_weights_follow_from_the_given_source_alone(build, settings):
    config = ModelConfig(**SMALL, **settings)
    torch.manual_seed(1)
    one = build(config, SHAPE, rng_for(0, 0, "init")).state_dict()
    torch.manual_seed(2)
    same = build(config, SHAPE, rng_for(0, 0, "init")).state_dict()
    other = build(config, SHAPE, rng_for(1, 0, "init")).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("build", BUILDERS)
def test_torchs_own_random_source_is_left_as_it_was(build):
    before = torch.get_rng_state()
    build(ModelConfig(**SMALL), SHAPE, rng_for(0, 0, "init"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("settings", "shape", "what"),
    [
        ({"kernel": 4}, SHAPE, "model.kernel = 4"),
        ({"width": 0}, SHAPE, "model.width = 0"),
        ({"z_dim": 0}, SHAPE, "model.z_dim = 0"),
        ({"dropout": 1.0}, SHAPE, "model.dropout = 1.0"),
        ({"minibatch_kernels": -1}, SHAPE, "model.minibatch_kernels = -1"),
        ({}, (3, 15, 28), "images of 15x28 pixels for dcgan"),
        ({}, (3, 28, 257), "images of 28x257 pixels for dcgan"),
    ],
)
@pytest.mark.parametrize("build", BUILDERS)
def test_impossible_settings_are_refused_by_name(build, settings, shape, what):
    with pytest.raises(ConfigError) as refusal:
        build(ModelConfig(**settings), shape, rng_for(0, 0, "init"))
    assert refusal.value.what == what
    assert refusal.value.expected


def test_the_mlp_takes_images_of_any_size():
    config = ModelConfig(name="mlp", width=2)
    generator = build_generator(config, (1, 5, 300), rng_for(0, 0, "init"))
    assert generator(torch.randn(1, 100)).shape == (1, 1, 5, 300)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "mlp"},
        {"name": "resnext", "widths": (16, 16, 16)},
        {"normalisation": "batch"},
        {"normalisation": "virtual"},
    ],
    ids=str,
)
def test_an_unfilled_generator_has_no_numbers_until_it_is_given_some(settings):
    config = ModelConfig(**SMALL, **settings)
    filled = build_generator(config, SHAPE, rng_for(0, 0, "init")).eval()
    empty = unfilled_generator(config, SHAPE)
    assert all(tensor.is_meta for tensor in empty.state_dict().values())
    empty.load_state_dict(filled.state_dict(), assign=True)
    z = torch.randn(4, config.z_dim)
    assert torch.equal(empty.eval()(z), filled(z))


def test_an_unfilled_generator_takes_no_memory_and_draws_nothing_at_random():
    before = torch.get_rng_state()
    empty = unfilled_generator(ModelConfig(width=10**6), SHAPE)
    assert sum(weight.numel() for weight in empty.parameters()) > 10**12
    assert torch.equal(torch.get_rng_state(), before)

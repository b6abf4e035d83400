"""The pair of 2014 against its published sizes."""

from typing import Any

import pytest
import torch

from facewright.config import ModelConfig
from facewright.networks.build import build_discriminator, build_generator
from facewright.rng import rng_for


def pair(shape=(1, 28, 28), **settings) -> tuple[Any, Any]:
    config = ModelConfig(name="mlp", **settings)
    return (
        build_generator(config, shape, rng_for(0, 0, "g")),
        build_discriminator(config, shape, rng_for(0, 0, "d")),
    )


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_width_240_is_the_pair_of_the_paper():
    generator, discriminator = pair(width=240)
    # 1200 rectified units twice, then 784 pixels.
    assert parameters(generator) == 101 * 1200 + 1201 * 1200 + 1201 * 784
    # 240 maxout units of 5 pieces twice, then the verdict.
    assert parameters(discriminator) == 785 * 1200 + 241 * 1200 + 241


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 17, 30), (3, 64, 64)])
def test_the_pair_fits_any_size(shape):
    generator, discriminator = pair(shape, width=4, minibatch_kernels=3)
    fake = generator(torch.randn(5, 100))
    assert fake.shape == (5, *shape)
    assert fake.abs().max() < 1
    assert discriminator(fake).shape == (5,)
    assert discriminator.features(fake).shape == (5, 4)


def test_a_generator_without_weights_draws_mid_gray():
    generator, _ = pair(width=4)
    for parameter in generator.parameters():
        parameter.data.zero_()
    # sigmoid(0) = 0.5, the middle of [-1, 1].
    assert not generator(torch.randn(2, 100)).count_nonzero()


def test_dropout_drops_its_share_of_hidden_units_and_two_fifths_as_many_pixels():
    _, discriminator = pair(width=2, dropout=0.5)
    pixels, units = discriminator.hidden[1], discriminator.verdict.dropout
    assert (pixels.p, units.p) == (pytest.approx(0.2), 0.5)


def test_dropout_acts_in_training_alone():
    _, discriminator = pair(width=16, dropout=0.5)
    real = torch.rand(4, 1, 28, 28)
    assert not torch.equal(discriminator(real), discriminator(real))
    discriminator.eval()
    assert torch.equal(discriminator(real), discriminator(real))

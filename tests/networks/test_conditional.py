"""What a player makes of labels: exactly the projection, and nothing without them."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.networks.build import build_discriminator, build_generator
from facewright.networks.conditional import EMBEDDED, FAINT, conditioned
from facewright.rng import rng_for

SHAPE, LENGTH, COUNT = (3, 16, 16), 5, 6
PAIRS = {
    "dcgan": {},
    "mlp": {"name": "mlp"},
    "no normalisation": {"normalisation": "none"},
    "spectral": {"normalisation": "spectral"},
    "resnext": {"name": "resnext", "widths": (8, 8)},
    "virtual": {"normalisation": "virtual"},
    "minibatch discrimination": {"normalisation": "none", "minibatch_kernels": 3},
}


def pair(settings, conditions=LENGTH) -> tuple[Any, Any]:
    config = ModelConfig(z_dim=8, **({"width": 4} | settings))
    return (
        build_generator(config, SHAPE, rng_for(0, 0, "g"), conditions).eval(),
        build_discriminator(config, SHAPE, rng_for(0, 0, "d"), conditions).eval(),
    )


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("settings", PAIRS.values(), ids=PAIRS)
def test_the_logit_is_the_verdict_and_the_projection_on_paper(settings):
    _, discriminator = pair(settings)
    images, told = normal(COUNT, *SHAPE).tanh(), normal(COUNT, LENGTH, seed=2)
    plain = discriminator.network(images)
    features = discriminator.network.features(images)
    weight = discriminator.embed.weight  # (F, C)
    projection = torch.einsum("bf,fc,bc->b", features, weight, told)
    torch.testing.assert_close(discriminator(images, told), plain + projection)
    assert projection.abs().min() > 1e-6


def test_other_labels_move_a_logit_by_their_projection_alone():
    _, discriminator = pair({})
    images, told = normal(COUNT, *SHAPE).tanh(), normal(COUNT, LENGTH, seed=2)
    order = torch.tensor([1, 2, 3, 4, 5, 0])
    moved = discriminator(images, told[order]) - discriminator(images, told)
    vectors = discriminator.embed(told[order] - told)
    torch.testing.assert_close(moved, (discriminator.features(images) * vectors).sum(1))


def test_an_image_of_which_nothing_is_known_is_judged_without_labels():
    _, discriminator = pair({})
    images = normal(COUNT, *SHAPE).tanh()
    nothing = torch.zeros(COUNT, LENGTH)
    assert torch.equal(discriminator(images, nothing), discriminator.network(images))


@pytest.mark.parametrize("settings", PAIRS.values(), ids=PAIRS)
def test_the_generator_draws_from_latent_and_embedding_side_by_side(settings):
    generator, _ = pair(settings)
    z, told = normal(COUNT, 8), normal(COUNT, LENGTH, seed=2)
    longer = torch.cat([z, told @ generator.embed.weight.T], dim=1)
    assert longer.shape == (COUNT, 8 + EMBEDDED)
    images = generator(z, told)
    torch.testing.assert_close(images, generator.network(longer))
    assert images.shape == (COUNT, *SHAPE)
    assert not torch.allclose(images, generator(z, told.flip(0)))


def test_what_is_asked_for_does_not_drown_the_latent():
    generator, _ = pair({})
    asked = torch.eye(LENGTH)  # of length 1, as where every label is known
    spread = float(generator.embed(asked).std().detach())
    assert spread == pytest.approx(FAINT, rel=4 / math.sqrt(2 * LENGTH * EMBEDDED))
    assert EMBEDDED * FAINT**2 < 1  # less than one number of a latent says


@pytest.mark.parametrize("settings", PAIRS.values(), ids=PAIRS)
def test_a_label_is_felt_and_learned_by_both_players(settings):
    generator, discriminator = pair(settings)
    told = normal(COUNT, LENGTH, seed=2)
    discriminator(generator(normal(COUNT, 8), told), told).sum().backward()
    for player in (generator, discriminator):
        gradients = [w.grad for w in player.embed.parameters()]
        assert all(g is not None and g.abs().max() > 0 for g in gradients)


def test_without_labels_the_networks_are_those_they_always_were():
    plain, known = pair({}, 0), pair({})
    assert [type(p).__name__ for p in plain] == ["DcganGenerator", "DcganDiscriminator"]
    weights = known[1].network.state_dict()
    assert all(torch.equal(w, weights[name]) for name, w in plain[1].state_dict().items())


def test_spectral_normalisation_binds_the_projection_too():
    _, discriminator = pair({"normalisation": "spectral"})
    with torch.no_grad():
        discriminator.embed.parametrizations.weight.original.mul_(10)
    discriminator.train()
    for _ in range(50):
        discriminator(normal(COUNT, *SHAPE), normal(COUNT, LENGTH))
    largest = torch.linalg.matrix_norm(discriminator.eval().embed.weight, 2)
    assert float(largest.detach()) == pytest.approx(1, abs=0.1)


def test_a_player_is_told_only_where_there_is_something_to_tell():
    network = nn.Identity()
    assert conditioned(network, None) is network
    assert conditioned(network, torch.zeros(3, 0)) is network
    added = conditioned(torch.add, torch.ones(3, 2))
    assert torch.equal(added(torch.ones(3, 2)), torch.full((3, 2), 2.0))

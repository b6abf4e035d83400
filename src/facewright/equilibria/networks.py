"""Two networks and one batch, seen as a game of two vectors."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from facewright.config import LossConfig
from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.equilibria.response import as_trained
from facewright.networks.conditional import conditioned
from facewright.objective.adversarial import Game
from facewright.objective.discriminator_inputs import UNCHANGED
from facewright.objective.losses import discriminator_loss, generator_loss
from facewright.objective.penalties import UNPENALISED
from facewright.rng import rng_for


def flat(network: nn.Module, dtype: torch.dtype = torch.float32) -> Tensor:
    """All parameters of a network as one vector, in the order of `parameters()`."""
    return torch.cat([weight.detach().flatten() for weight in network.parameters()]).to(dtype)


def as_game(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    game: Game,
    real: Tensor,
    z: Tensor,
    conditions: Tensor | None = None,
    weights: LossConfig = UNPENALISED,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> TwoPlayerGame:
    """The game that two networks play on one fixed batch.

    They play as in training, but for dropout, which is off: batch norm goes by the batch. With
    running statistics it would be another game: the loss of the discriminator of
    `classic-celeba28` is 0.17 in training and 0.53 with them.

    Args:
        generator: maps (B, Z) latents to (B, C, H, W) images. Copied, never changed.
        discriminator: maps images to (B,) logits. Copied, never changed.
        game: both losses.
        real: (B, C, H, W) photos in [-1, 1].
        z: (B, Z) latents, as many as photos.
        conditions: (B, C) of the photos, for both players; nothing if not given.
        weights: of the penalties in the discriminator's loss, whose gradients are measured
            exactly. Feature matching, historical averaging and instance noise are left out.
        seed: of the places between real and generated images.
        dtype: of the computation.

    Returns:
        A game of two vectors as `flat` makes them.
    """
    generator, discriminator = (as_trained(net).to(dtype) for net in (generator, discriminator))
    real, z = real.to(dtype), z.to(dtype)
    conditions = torch.zeros(len(real), 0) if conditions is None else conditions.to(dtype)
    mix = torch.rand(len(real), generator=rng_for(seed, 0, "mix")).to(real)
    inputs = UNCHANGED.given(conditions)
    weights = replace(weights, feature_matching=False)

    def losses(x: Tensor, y: Tensor) -> Pair:
        critic = _with_weights(discriminator, y)
        fake = conditioned(_with_weights(generator, x), conditions)(z)
        d_loss = discriminator_loss(
            critic, real, fake, mix, game=game, weights=weights, inputs=inputs, method="attached"
        )
        g_loss = generator_loss(
            critic,
            real,
            fake,
            game=game,
            weights=weights,
            logits=(d_loss.real_logits, d_loss.fake_logits),
        )
        return g_loss, d_loss.total

    return TwoPlayerGame(name=game.name, losses=losses, source=game.source)


def _with_weights(network: nn.Module, vector: Tensor) -> Callable[..., Tensor]:
    """The network with other weights, differentiable by them."""
    named = dict(network.named_parameters())
    parts = vector.split([weight.numel() for weight in named.values()])
    weights = {
        name: part.view_as(weight)
        for (name, weight), part in zip(named.items(), parts, strict=True)
    }
    return lambda *inputs: functional_call(network, weights, inputs)

"""Two networks and one batch, seen as a game of two vectors."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.equilibria.response import as_trained
from facewright.networks.conditional import informed
from facewright.objective.adversarial import Game
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
    r1: float = 0.0,
    r2: float = 0.0,
    gradient_penalty: float = 0.0,
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
        conditions: (B, C) what both players are told of the photos; nothing if not given.
        r1: weight gamma of gamma / 2 * squared slope at photos, in the discriminator's loss.
        r2: the same at generated images.
        gradient_penalty: weight of (slope - 1)^2 between the two.
        seed: of the places between real and generated images.
        dtype: of the computation.

    Returns:
        A game of two vectors as `flat` makes them.
    """
    painter, critic = (as_trained(network).to(dtype) for network in (generator, discriminator))
    real, z = real.to(dtype), z.to(dtype)
    told = torch.zeros(len(real), 0) if conditions is None else conditions.to(dtype)
    mix = torch.rand(len(real), generator=rng_for(seed, 0, "mix")).to(real).view(-1, 1, 1, 1)

    def losses(x: Tensor, y: Tensor) -> Pair:
        draw, judge = (informed(_with_weights(*p), told) for p in ((painter, x), (critic, y)))
        fake = draw(z)
        real_logits, fake_logits = judge(real), judge(fake)
        d_loss = game.d_loss(real_logits, fake_logits).mean()
        if r1:
            d_loss = d_loss + r1 / 2 * _slopes(judge, real).square().sum(1).mean()
        if r2:
            d_loss = d_loss + r2 / 2 * _slopes(judge, fake).square().sum(1).mean()
        if gradient_penalty:
            steepness = torch.linalg.vector_norm(_slopes(judge, torch.lerp(real, fake, mix)), dim=1)
            d_loss = d_loss + gradient_penalty * (steepness - 1).square().mean()
        return game.g_loss(real_logits, fake_logits).mean(), d_loss

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


def _slopes(judge: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(B, C * H * W) gradient of each logit by its image.

    Not those of `losses.penalties`: a training step must cut generated images off from the
    generator there, but the Jacobian also says how the discriminator's penalty changes when
    the generator moves.
    """
    if not images.requires_grad:
        images = images.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(judge(images).sum(), images, create_graph=True)
    return slopes.flatten(1)

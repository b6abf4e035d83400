"""How different are generated and real images to a discriminator that is trained from nothing?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from facewright.config import ModelConfig
from facewright.equilibria.budget import FULL, Budget
from facewright.equilibria.image_rows import (
    Pictures,
    check_pictures,
    chunked_logits,
    halves,
    random_rows,
    rows,
)
from facewright.equilibria.response import Effort, Response, Score, best_response
from facewright.networks.build import build_discriminator
from facewright.objective.penalties import r1_penalty
from facewright.rng import rng_for

FRESH = ModelConfig(name="dcgan", width=32, kernel=5, normalisation="none")
"""No batch norm: a logit must not depend on which images share the batch."""
LR, BETAS, R1 = 2e-3, (0.5, 0.99), 1.0
BIAS = 0.02
"""Bits by which training on few images may pull the estimate down where there is no difference."""
Z95 = 1.959964

BuildDiscriminator = Callable[[tuple[int, int, int], torch.Generator], nn.Module]


@dataclass(frozen=True)
class FreshReading:
    """What a fresh discriminator made of the images.

    Args:
        js_bits: Jensen-Shannon divergence, estimated from below. Never clipped: around 0 it
            may be negative.
        js_error: its standard error from the number of held-out images.
        null_band: between these numbers `js_bits` is no sign of a difference.
        accuracy: share of held-out images that it classifies right, real and generated ones
            weighing the same.
        accuracy_null_band: where 95 % of accuracies lie if there is nothing to see.
        n_test: held-out images of each kind that these numbers rest on.
        search: how it was trained; scores are values of the minimax game.
    """

    js_bits: float
    js_error: float
    null_band: tuple[float, float]
    accuracy: float
    accuracy_null_band: tuple[float, float]
    n_test: int
    search: Response


def js_from_fresh_discriminator(
    real_search: Pictures,
    real_test: Pictures,
    fake_search: Pictures,
    fake_test: Pictures,
    *,
    seed: int = 0,
    budget: Budget = FULL,
    build: BuildDiscriminator | None = None,
    device: torch.device | None = None,
) -> FreshReading:
    """How many bits does one image tell about whether it is real?

    A small discriminator is trained from nothing on one part of the images and evaluated on
    another. Its value of the minimax game, put into V = -log 4 + 2 JS, gives the
    divergence that it can prove. The training loss of the generator plays no part.

    Which photos may it learn from? None that the generator was trained on, if there are others. A
    generator that replays its training set makes images that the discriminator would otherwise
    meet under both labels, and could not tell apart, however few there are.

    Args:
        real_search: photos to learn from, (N, H, W, C) uint8 or (N, C, H, W) float.
        real_test: other photos, that neither it nor the generator has seen.
        fake_search: generated images to learn from. As stored pixels, if photos are.
        fake_test: other generated images.
        seed: of its first weights and of the batches.
        budget: uses `fresh_steps`, `every` and `batch`.
        build: another discriminator, from (C, H, W) and a random source; no batch norm.
        device: where it is trained; that of the photos if not given.

    Returns:
        0 bits: indistinguishable for this discriminator; 1 bit: no overlap.

    Raises:
        MetricError: images of different shapes, or too few.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, theorem 1; accuracy as Lopez-Paz & Oquab
    2017, arXiv:1610.06545. R1 (Mescheder et al. 2018, arXiv:1801.04406) against overfitting.
    Blind spot: a lower bound. Missing modes that are rare, or differences that a small
    network does not learn in so many steps, go unseen.
    """
    check_pictures(
        real_search=real_search, real_test=real_test, fake_search=fake_search, fake_test=fake_test
    )
    example = rows(real_test, slice(0, 1))
    device = device or example.device
    shape = (example.shape[1], example.shape[2], example.shape[3])
    fresh = (build or fresh_discriminator)(shape, rng_for(seed, 0, "judge")).to(device)

    def payoff(player: nn.Module, step: int) -> Tensor:
        real = random_rows(real_search, budget.batch, seed=seed, step=step, use="judge real").to(
            device
        )
        fake = random_rows(fake_search, budget.batch, seed=seed, step=step, use="judge fake").to(
            device
        )
        value = minimax_value(player(real), player(fake)).mean()
        return value - R1 / 2 * r1_penalty(player, real).mean()

    (real_a, real_b), (fake_a, fake_b) = halves(real_test), halves(fake_test)
    n = min(len(real_a), len(fake_a))

    def value_on(real: Tensor, fake: Tensor) -> Score:
        return lambda player: minimax_value(
            chunked_logits(player, real), chunked_logits(player, fake)
        )

    found = best_response(
        fresh,
        payoff,
        score=value_on(real_a[:n], fake_a[:n]),
        report=value_on(real_b[:n], fake_b[:n]),
        effort=Effort(budget.fresh_steps, budget.every, LR, BETAS),
        start="fresh",
    )
    return _reading(
        found, chunked_logits(found.player, real_b[:n]), chunked_logits(found.player, fake_b[:n])
    )


def fresh_discriminator(shape: tuple[int, int, int], rng: torch.Generator) -> nn.Module:
    """A small discriminator that has seen nothing yet: its logit of every image is 0."""
    discriminator = build_discriminator(FRESH, shape, rng)
    with torch.no_grad():
        for layer in discriminator.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                # Without batch norm, the players' small weights would cost a hundred steps.
                layer.weight.mul_(math.sqrt(2 / layer.weight[0].numel()) / layer.weight.std())
        *_, last = (layer for layer in discriminator.modules() if isinstance(layer, nn.Linear))
        last.weight.zero_()
    return discriminator


def minimax_value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """(N,) log D(real) + log(1 - D(fake)); its mean is -log 4 for one that cannot tell."""
    return -softplus(-real_logits) - softplus(fake_logits)


def bits(value: float) -> float:
    """A value of the minimax game as Jensen-Shannon divergence, in bits."""
    return (value + math.log(4)) / (2 * math.log(2))


def _reading(found: Response, real_logits: Tensor, fake_logits: Tensor) -> FreshReading:
    error = found.reported.error / (2 * math.log(2))
    half = BIAS + Z95 * error
    # A logit of exactly 0 is a guess, right half of the time.
    right = (1 + torch.cat([real_logits, -fake_logits]).sign()) / 2
    chance = Z95 * math.sqrt(1 / (4 * len(right)))
    return FreshReading(
        js_bits=bits(found.reported.value),
        js_error=error,
        null_band=(-half, half),
        accuracy=float(right.mean()),
        accuracy_null_band=(0.5 - chance, 0.5 + chance),
        n_test=len(real_logits),
        search=found,
    )

"""The smallest GANs: the position of one point, or the mean and spread of a line of them."""

import math

import numpy as np
import torch
from torch import Tensor

from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.objective.adversarial import Game

NODES = 32
"""Points that stand for a normal distribution: averages of smooth losses are then exact to
about ten digits."""


def dirac_gan(
    game: Game,
    *,
    r1: float = 0.0,
    r2: float = 0.0,
    gradient_penalty: float = 0.0,
    noise: float = 0.0,
    clip: float = math.inf,
) -> TwoPlayerGame:
    """One real point at 0, one generated point at theta, a discriminator that is a line.

    The generator moves theta, the discriminator the slope psi of its line D(x) = psi x. Real
    and generated agree at theta = 0, and the discriminator has nothing to say at psi = 0. The
    smallest GAN that shows whether a game and its regularisers come to rest there.

    Args:
        game: any of `objective.adversarial.GAMES`.
        r1: gamma of gamma / 2 * slope^2 at the real point.
        r2: the same at the generated point.
        gradient_penalty: lambda of lambda * (|slope| - 1)^2 between them.
        noise: standard deviation of normal noise added to both points.
        clip: the slope is kept within [-clip, clip].

    Returns:
        A game of one number each. With a gradient penalty there is no equilibrium: it wants
        the slope 1 where the generator needs slope 0.

    Source: Mescheder et al. 2018, arXiv:1801.04406, sections 2 to 4; with two penalties and
    the relativistic game: Huang et al. 2024, arXiv:2501.05441.
    """
    offsets, weights = _normal_points(noise)
    pair_weights = torch.outer(weights, weights).flatten()

    def losses(x: Tensor, y: Tensor) -> Pair:
        real, fake = torch.meshgrid(y * offsets, y * (x + offsets), indexing="ij")
        real, fake = real.flatten(), fake.flatten()
        # The slope of the line is psi everywhere, at real and at generated points.
        penalty = (r1 + r2) / 2 * y.square() + gradient_penalty * (y.abs() - 1).square()
        return (
            pair_weights @ game.g_loss(real, fake),
            pair_weights @ game.d_loss(real, fake) + penalty.sum(),
        )

    settings = {
        "R1": r1,
        "R2": r2,
        "gradient penalty": gradient_penalty,
        "noise": noise,
        "clip": 0.0 if math.isinf(clip) else clip,
    }
    extras = [f", {name} {value:g}" for name, value in settings.items() if value]
    origin = torch.zeros(1, dtype=torch.float64)
    return TwoPlayerGame(
        name=f"Dirac-GAN, {game.name}{''.join(extras)}",
        losses=losses,
        equilibrium=None if gradient_penalty else (origin, origin),
        limits=(math.inf, clip),
        source="Mescheder et al. 2018, arXiv:1801.04406",
    )


def _normal_points(std: float) -> Pair:
    """Points and weights whose averages are those over N(0, std^2) (Gauss-Hermite)."""
    points, weights = np.polynomial.hermite_e.hermegauss(NODES if std else 1)
    return torch.from_numpy(std * points), torch.from_numpy(weights / weights.sum())

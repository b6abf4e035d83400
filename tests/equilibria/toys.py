"""Data of a few numbers, in the shape of images, and players small enough for seconds."""

import dataclasses

import torch
from torch import Tensor, nn

from facewright.equilibria.budget import FULL
from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.objective.adversarial import GAMES
from facewright.rng import rng_for

SCALE = 10.0
"""A photo is about 30 long. Data of that size leaves the judge's R1 the weight it has there."""

BUDGET = dataclasses.replace(FULL, fresh_steps=200, warm_steps=40, generator_steps=40, every=20)


def as_images(rows: Tensor) -> Tensor:
    """(N, F) numbers as (N, F, 1, 1) images."""
    return SCALE * rows[:, :, None, None]


def gaussian(count: int, seed: int, *, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Images of one number from N(mean, std)."""
    return as_images(mean + std * torch.randn(count, 1, generator=rng_for(seed, count, "gaussian")))


def one_hot(count: int, seed: int, modes: range, *, of: int = 10) -> Tensor:
    """Images that are one of several well separated points, all equally likely."""
    rng = rng_for(seed, len(modes), "one hot")
    chosen = modes.start + torch.randint(len(modes), (count,), generator=rng)
    return as_images(torch.eye(of)[chosen] + 0.02 * torch.randn(count, of, generator=rng))


class Judge(nn.Module):
    """A discriminator of two hidden layers."""

    def __init__(self, inputs: int, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def features(self, images: Tensor) -> Tensor:
        """The last hidden layer."""
        return self.layers[:-1](images.flatten(1) / SCALE)

    def forward(self, images: Tensor) -> Tensor:
        """(B, F, 1, 1) to (B,)."""
        return self.layers(images.flatten(1) / SCALE).squeeze(1)


class Maker(nn.Module):
    """A generator of one hidden layer."""

    def __init__(self, z_dim: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(z_dim, 32), nn.ReLU(), nn.Linear(32, outputs))

    def forward(self, z: Tensor) -> Tensor:
        """(B, z_dim) to (B, F, 1, 1)."""
        return as_images(self.layers(z))


def seeded(kind: type[nn.Module], *sizes: int, seed: int = 0) -> nn.Module:
    """A network whose first weights follow from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(*sizes)


def build_fresh(shape: tuple[int, int, int], rng: torch.Generator) -> nn.Module:
    """The judge of toys."""
    seed = int(torch.randint(2**31, (), generator=rng))
    return seeded(Judge, shape[0] * shape[1] * shape[2], seed=seed)


def linear_quadratic_gan(mean: float, std: float, *, r1: float = 0.0) -> TwoPlayerGame:
    """A Wasserstein GAN that learns the mean and the spread of numbers.

    Real numbers are N(mean, std^2), the generator makes a z + b from a standard normal z, the
    discriminator says D(x) = u x^2 + w x. The players' vectors are (a, b) and (u, w).

    Args:
        mean: of the real numbers.
        std: of the real numbers, above 0.
        r1: gamma of gamma / 2 * E[D'(x)^2] over real numbers.

    Returns:
        A game with its equilibrium at a = std, b = mean, u = w = 0.

    Source: Nagarajan & Kolter 2017, arXiv:1706.04156, section 3, with a linear term added.
    """
    square = mean**2 + std**2

    def losses(x: Tensor, y: Tensor) -> Pair:
        (a, b), (u, w) = x, y
        real = u * square + w * mean
        fake = u * (a.square() + b.square()) + w * b
        steepness = 4 * u.square() * square + 4 * u * w * mean + w.square()
        wasserstein = GAMES["wasserstein"]
        return (
            wasserstein.g_loss(real[None], fake[None]).sum(),
            wasserstein.d_loss(real[None], fake[None]).sum() + r1 / 2 * steepness,
        )

    at_rest = torch.tensor([[std, mean], [0.0, 0.0]], dtype=torch.float64)
    return TwoPlayerGame(
        name="linear-quadratic WGAN" + (f", R1 {r1:g}" if r1 else ""),
        losses=losses,
        equilibrium=(at_rest[0], at_rest[1]),
        source="Nagarajan & Kolter 2017, arXiv:1706.04156",
    )

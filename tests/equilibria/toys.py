"""Data of a few numbers, in the shape of images, and players small enough for seconds."""

import dataclasses

import torch
from torch import Tensor, nn

from facewright.equilibria.budget import FULL
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

"""Points from mixtures of Gaussians, and discriminators that learn to tell two of them apart.

The densities are known, so the best discriminator is known, too.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from facewright.config import ModelConfig
from facewright.networks.build import build_discriminator
from facewright.objective.adversarial import GAMES
from facewright.rng import rng_for

REACH = 8.0
"""Standard deviations around every mode that an integral covers."""
CELLS = {1: 8_000, 2: 200}
"""Cells of the grid along each axis, by the number of axes."""

MAXOUT = ModelConfig(name="mlp", width=32)
BATCH, LR, BETAS = 512, 0.01, (0.5, 0.99)
MEASURED_AT = frozenset(round(1.3**k) for k in range(40))
"""Steps after which a discriminator is measured: closer at first, where it learns fast."""


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Equally likely isotropic Gaussians.

    Args:
        modes: (K, d) centres, d = 1 or 2.
        std: of each, along each axis.
    """

    modes: Tensor
    std: float

    @classmethod
    def normal(cls, mean: float, std: float) -> "GaussianMixture":
        """The normal distribution of numbers."""
        return cls(torch.tensor([[mean]]), std)

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        """(count, d) points."""
        chosen = self.modes[torch.randint(len(self.modes), (count,), generator=rng)]
        return chosen + self.std * torch.randn(chosen.shape, generator=rng)

    def log_density(self, points: Tensor) -> Tensor:
        """(N,) logarithms of the density at (N, d) points, in double precision."""
        square = torch.cdist(points.double(), self.modes.double()).square() / self.std**2
        norm = points.shape[1] / 2 * math.log(2 * math.pi * self.std**2) + math.log(len(self.modes))
        return torch.logsumexp(-square / 2, dim=1) - norm


def ring2d() -> GaussianMixture:
    """Eight Gaussians evenly spaced on a circle, the first one on the positive x axis.

    Source: Metz et al. 2017, arXiv:1611.02163; the constants are those of the experiments of
    Sidheekh et al. 2020, arXiv:2012.06723: radius 2, standard deviation 0.02, both over 1.414.
    """
    angle = 2 * math.pi * torch.arange(8) / 8
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return GaussianMixture(modes=circle * (2.0 / 1.414), std=0.02 / 1.414)


@dataclass(frozen=True)
class MixturePair:
    """Real and generated points: the best discriminator, and the value of any other.

    Args:
        name: in figures and tables.
        real: where real points come from.
        fake: where generated ones come from.
    """

    name: str
    real: GaussianMixture
    fake: GaussianMixture

    def best_logits(self, points: Tensor) -> Tensor:
        """(N,) of D*(x) = p(x) / (p(x) + q(x)), whose logit is log p(x) - log q(x)."""
        return self.real.log_density(points) - self.fake.log_density(points)

    def value(self, logits: Tensor) -> float:
        """E log D over real points + E log(1 - D) over generated ones.

        Args:
            logits: (N,) of D at the points of `grid`.

        Returns:
            The value for infinitely many points, by summing over the grid.
        """
        p, q = (mixture.log_density(self.grid()).exp() for mixture in (self.real, self.fake))
        return -float((p * softplus(-logits) + q * softplus(logits)).sum()) * self._cell()

    def best_value(self) -> float:
        """-log 4 + 2 JSD: what the best discriminator makes of it."""
        return self.value(self.best_logits(self.grid()))

    def js(self) -> float:
        """Jensen-Shannon divergence in nats, straight from its definition."""
        p, q = (mixture.log_density(self.grid()) for mixture in (self.real, self.fake))
        middle = torch.logaddexp(p, q) - math.log(2)
        both = p.exp() * (p - middle) + q.exp() * (q - middle)
        return float(both.sum()) * self._cell() / 2

    def distance(self, logits: Tensor) -> float:
        """Mean |D - D*| over points of which half are real and half generated.

        Args:
            logits: (N,) of D at the points of `grid`.
        """
        points = self.grid()
        p, q = (mixture.log_density(points).exp() for mixture in (self.real, self.fake))
        apart = (logits.sigmoid() - self.best_logits(points).sigmoid()).abs()
        return float(((p + q) / 2 * apart).sum()) * self._cell()

    def grid(self) -> Tensor:
        """(N, d) centres of small cells that cover both mixtures, row by row from below."""
        low, high = self._limits()
        count = CELLS[self.real.modes.shape[1]]
        axes = [
            start + (torch.arange(count, dtype=torch.float64) + 0.5) * (end - start) / count
            for start, end in zip(low.tolist(), high.tolist(), strict=True)
        ]
        return torch.cartesian_prod(*axes).view(-1, len(axes))

    def _cell(self) -> float:
        """Length or area of a cell."""
        low, high = self._limits()
        return float(((high - low) / CELLS[self.real.modes.shape[1]]).prod())

    def _limits(self) -> tuple[Tensor, Tensor]:
        mixtures = (self.real, self.fake)
        low = torch.stack([each.modes.amin(0) - REACH * each.std for each in mixtures]).amin(0)
        high = torch.stack([each.modes.amax(0) + REACH * each.std for each in mixtures]).amax(0)
        return low.double(), high.double()


@dataclass(frozen=True)
class TrainedDiscriminator:
    """One discriminator that learned from samples.

    Args:
        steps: made when it was measured, the last time at the end.
        values: of the game at these steps, for infinitely many points.
        distance: at the end, mean |D - D*| where the points are.
        logits: at the end, on the pair's grid.
    """

    steps: list[int]
    values: list[float]
    distance: float
    logits: Tensor


class LinearDiscriminator(nn.Module):
    """A discriminator that separates at a single point: sigmoid(w x + b)."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.offset = (nn.Parameter(torch.tensor(start)) for start in (1.0, 0.5))

    def forward(self, points: Tensor) -> Tensor:
        """(B, 1, 1, 1) numbers to (B,) logits."""
        return self.slope * points.flatten(1).sum(1) + self.offset


def maxout(pair: MixturePair, seed: int) -> nn.Module:
    """The library's discriminator of 2014, for images of one or two pixels."""
    shape = (1, 1, pair.real.modes.shape[1])
    return build_discriminator(MAXOUT, shape, rng_for(seed, 0, "lesson judge"))


def learn(
    pair: MixturePair, discriminator: nn.Module, steps: int, seed: int
) -> TrainedDiscriminator:
    """Learn from new points in every step, so that no point can be memorised.

    Args:
        pair: where the points come from.
        discriminator: images of one or two pixels to logits; its weights change.
        steps: of Adam.
        seed: of the points.
    """
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=LR, betas=BETAS)
    # The rate falls to 0, so that the last steps average out the noise of single batches.
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    measured, values = [], []
    for step in range(steps):
        if step in MEASURED_AT:
            measured.append(step)
            values.append(pair.value(_on_grid(pair, discriminator)))
        rng = rng_for(seed, step, "lesson points")
        real, fake = (_pictures(mixture.sample(BATCH, rng)) for mixture in (pair.real, pair.fake))
        loss = GAMES["minimax"].d_loss(discriminator(real), discriminator(fake)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    logits = _on_grid(pair, discriminator)
    return TrainedDiscriminator(
        [*measured, steps], [*values, pair.value(logits)], pair.distance(logits), logits
    )


def _pictures(points: Tensor) -> Tensor:
    """(N, d) points as (N, 1, 1, d) images."""
    return points[:, None, None]


@torch.no_grad()
def _on_grid(pair: MixturePair, discriminator: nn.Module) -> Tensor:
    return discriminator(_pictures(pair.grid().float())).double()

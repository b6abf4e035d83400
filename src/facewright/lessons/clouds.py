"""Clouds of points whose densities are known, so that the best discriminator is, too."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

REACH = 8.0
"""Standard deviations around every mode that an integral covers."""
CELLS = {1: 8_000, 2: 200}
"""Cells of the grid along each axis, by the number of axes."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """Equally likely round Gaussians.

    Args:
        modes: (K, d) centres, d = 1 or 2.
        std: of each, along each axis.
    """

    modes: Tensor
    std: float

    @classmethod
    def normal(cls, mean: float, std: float) -> "Cloud":
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


def ring2d() -> Cloud:
    """Eight Gaussians evenly spaced on a circle, the first one on the positive x axis.

    Source: Metz et al. 2017, arXiv:1611.02163; the constants are those of the experiments of
    Sidheekh et al. 2020, arXiv:2012.06723: radius 2, standard deviation 0.02, both over 1.414.
    """
    angle = 2 * math.pi * torch.arange(8) / 8
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return Cloud(modes=circle * (2.0 / 1.414), std=0.02 / 1.414)


@dataclass(frozen=True)
class Duel:
    """Real and generated points, the best answer to them, and what any answer is worth.

    Args:
        name: in figures and tables.
        real: where real points come from.
        fake: where generated ones come from.
    """

    name: str
    real: Cloud
    fake: Cloud

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
        p, q = (cloud.log_density(self.grid()).exp() for cloud in (self.real, self.fake))
        return -float((p * softplus(-logits) + q * softplus(logits)).sum()) * self._cell()

    def best_value(self) -> float:
        """-log 4 + 2 JSD: what the best discriminator makes of it."""
        return self.value(self.best_logits(self.grid()))

    def js(self) -> float:
        """Jensen-Shannon divergence in nats, straight from its definition."""
        p, q = (cloud.log_density(self.grid()) for cloud in (self.real, self.fake))
        middle = torch.logaddexp(p, q) - math.log(2)
        both = p.exp() * (p - middle) + q.exp() * (q - middle)
        return float(both.sum()) * self._cell() / 2

    def distance(self, logits: Tensor) -> float:
        """Mean |D - D*| over points of which half are real and half generated.

        Args:
            logits: (N,) of D at the points of `grid`.
        """
        points = self.grid()
        p, q = (cloud.log_density(points).exp() for cloud in (self.real, self.fake))
        apart = (logits.sigmoid() - self.best_logits(points).sigmoid()).abs()
        return float(((p + q) / 2 * apart).sum()) * self._cell()

    def grid(self) -> Tensor:
        """(N, d) centres of small cells that cover both clouds, row by row from below."""
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
        clouds = (self.real, self.fake)
        low = torch.stack([cloud.modes.amin(0) - REACH * cloud.std for cloud in clouds]).amin(0)
        high = torch.stack([cloud.modes.amax(0) + REACH * cloud.std for cloud in clouds]).amax(0)
        return low.double(), high.double()

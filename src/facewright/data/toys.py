"""Two-dimensional toys on which mode collapse can be counted exactly."""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mixture:
    """Equally likely round Gaussians in the plane, whose centres are known.

    Args:
        modes: (K, 2) float centres.
        std: of every Gaussian, along each axis.
    """

    modes: Tensor
    std: float

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        """Real samples.

        Returns:
            (count, 2) float32.
        """
        chosen = torch.randint(len(self.modes), (count,), generator=rng)
        return self.modes[chosen] + self.std * torch.randn(count, 2, generator=rng)

    def hits(self, samples: Tensor) -> Tensor:
        """How many samples lie within three standard deviations of each mode?

        A sample counts for its nearest mode only. Of real samples a share of
        1 - exp(-9/2) = 98.9 % counts.

        Args:
            samples: (N, 2) float.

        Returns:
            (K,) int64.

        Source: Srivastava et al. 2017, arXiv:1705.07761 (VEEGAN), who draw 2,500 samples.
        """
        distance, nearest = torch.cdist(samples, self.modes).min(dim=1)
        return torch.bincount(nearest[distance <= 3 * self.std], minlength=len(self.modes))

    def captured_modes(self, samples: Tensor) -> int:
        """How many modes have at least one sample within three standard deviations?

        Returns:
            0 to K; fewer than K is mode collapse, if there were enough samples.

        Blind spot: a single stray sample captures a mode, so this says nothing on balance.
        """
        return int((self.hits(samples) > 0).sum())

    def high_quality_share(self, samples: Tensor) -> float:
        """Which share of the samples lies within three standard deviations of some mode?

        Returns:
            0 to 1; 0.989 for the mixture itself.

        Blind spot: one perfect mode repeated scores 1. Read it beside `captured_modes`.
        """
        return int(self.hits(samples).sum()) / len(samples)


def ring2d(
    count: int = 8, *, radius: float = 2.0, std: float = 0.02, scale: float = 1.414
) -> Mixture:
    """Gaussians evenly spaced on a circle, the first one on the positive x axis.

    Args:
        count: modes.
        radius: of the circle, before scaling.
        std: of each mode, before scaling.
        scale: everything is divided by it.

    Source: Metz et al. 2017, arXiv:1611.02163; the constants are those of the experiments of
    Sidheekh et al. 2020, arXiv:2012.06723.
    """
    angle = 2 * pi * torch.arange(count) / count
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return Mixture(modes=circle * (radius / scale), std=std / scale)


def grid2d(side: int = 5, *, spacing: float = 2.0, std: float = 0.05) -> Mixture:
    """Gaussians on a square grid around the origin.

    Args:
        side: modes in a row; the grid has side * side.
        spacing: between neighbours.
        std: of each mode.

    Source: Lin et al. 2018, arXiv:1712.04086 (PacGAN): centres from -4 to 4 in steps of 2.
    """
    ticks = spacing * (torch.arange(side) - (side - 1) / 2)
    return Mixture(modes=torch.cartesian_prod(ticks, ticks), std=std)

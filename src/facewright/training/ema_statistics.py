"""Batch statistics of the EMA generator, and images from it."""

from dataclasses import dataclass

import numpy as np
import torch

from facewright.conditions import Conditioning
from facewright.config import Config
from facewright.images import at_once, to_pixels
from facewright.networks.conditional import conditioned
from facewright.networks.statistics import take_statistics
from facewright.rng import rng_for
from facewright.training.recorder import due
from facewright.training.state import TrainState
from facewright.training.step import Stats

LATENTS = 1024
"""From which batch norm takes its statistics: less than a second at 28 pixels."""

AT_ONCE = 256
"""Images generated together, at most."""


@dataclass(frozen=True)
class EmaStatistics:
    """The callback that computes the EMA generator's own batch statistics before it is used.

    Args:
        config: of the run: when sheets and checkpoints are due, and its seed.
        conditioning: conditions are drawn from it, as often as photos have them.
        shown: images in a step.
    """

    config: Config
    conditioning: Conditioning
    shown: int

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Compute them when a sheet or a checkpoint is due."""
        settings = self.config.record
        moments = (settings.sample_images, settings.checkpoint_images)
        if any(due(state.images_seen, self.shown, every) for every in moments):
            self.take(state)

    def take(self, state: TrainState) -> None:
        """Compute them now."""
        rng = rng_for(self.config.train.seed, 0, "statistics")
        z = torch.randn(LATENTS, self.config.model.z_dim, generator=rng)
        take_statistics(state.ema.network, z, self.conditioning.draw(LATENTS, rng))


@torch.no_grad()
def generated(
    state: TrainState, z: torch.Tensor, conditions: torch.Tensor, shape: tuple[int, int, int]
) -> np.ndarray:
    """Its images for latents and conditions, on the CPU.

    Args:
        state: of the run.
        z: (N, z_dim).
        conditions: (N, C).
        shape: (C, H, W) of one image.

    Returns:
        (N, H, W, C) uint8.
    """
    network = state.ema.network
    device, chunk = next(network.parameters()).device, min(AT_ONCE, at_once(shape))
    parts = zip(z.to(device).split(chunk), conditions.to(device).split(chunk), strict=True)
    return np.concatenate([to_pixels(conditioned(network, given)(part)) for part, given in parts])

"""The fully connected pair of 2014: ReLU generator against maxout discriminator.

Source: Goodfellow et al. 2014, arXiv:1406.2661, and its published settings for MNIST:
1200 units twice in the generator, 240 units of 5 pieces twice in the discriminator. Both
follow from `width = 240`.
"""

import math

import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.networks.blocks import Maxout, Verdict
from facewright.shapes import Features, Images, Latents, Logits

UNITS_PER_WIDTH = 5
"""Hidden units of the generator for each unit of `width`."""
PIECES = 5
"""Linear functions per maxout unit."""
PIXEL_DROPOUT = 0.4
"""Dropout of pixels relative to that of hidden units: 0.2 to 0.5 in the paper's settings."""


class MlpGenerator(nn.Module):
    """Two hidden layers of 5 * width ReLU units; sigmoid pixels, mapped to [-1, 1].

    Args:
        config: uses `z_dim` and `width`.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        units = UNITS_PER_WIDTH * config.width
        self.shape = shape
        self.layers = nn.Sequential(
            nn.Linear(config.z_dim, units),
            nn.ReLU(),
            nn.Linear(units, units),
            nn.ReLU(),
            nn.Linear(units, math.prod(shape)),
        )
        _initialise(self, bound=0.05)

    def forward(self, z: Latents) -> Images:
        """(B, z_dim) latents to (B, C, H, W) images in [-1, 1]."""
        brightness = torch.sigmoid(self.layers(z))
        return (2 * brightness - 1).unflatten(1, self.shape)


class MlpDiscriminator(nn.Module):
    """Two maxout layers of `width` units with 5 pieces, with dropout.

    Dropout is the one thing that depends on the number of processes: each draws the masks
    of its own images from a source of its own.

    Args:
        config: uses `width`, `dropout` and `minibatch_kernels`.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(PIXEL_DROPOUT * config.dropout),
            Maxout(math.prod(shape), config.width, PIECES),
            nn.Dropout(config.dropout),
            Maxout(config.width, config.width, PIECES),
        )
        self.verdict = Verdict(config.width, config.minibatch_kernels, config.dropout)
        _initialise(self, bound=0.005)

    def features(self, images: Images) -> Features:
        """The last hidden layer, (B, width)."""
        return self.hidden(images)

    def forward(self, images: Images) -> Logits:
        """(B, C, H, W) images in [-1, 1] to (B,) logits."""
        return self.verdict(self.features(images))


def _initialise(network: nn.Module, bound: float) -> None:
    """Uniform weights in +-bound and zero biases, as in the paper's settings."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)

"""Strided convolutions against strided transposed convolutions, for any image size.

Source: Radford et al. 2016, arXiv:1511.06434. We differ in that the number of stages
follows the image size, and in the choice of kernel, activation and normalisation.

All maps are kept channels-last, from the first to the last layer: it is the order in which
the convolutions compute, on CPUs and GPUs alike, and one tensor in another order makes
everything after it slow (docs/experiments, "Training speed"). Hence vectors and maps are
turned into each other by `permute`, which moves nothing.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from facewright.config import ActivationName, ModelConfig, NormalisationName
from facewright.networks.blocks import BatchNorm2d, Verdict
from facewright.networks.colour import half_colour
from facewright.networks.polyphase import (
    DoublingConvTranspose2d,
    HalvingConv2d,
    ImageConv2d,
    ImageConvTranspose2d,
)
from facewright.networks.salimans import VirtualBatchNorm2d
from facewright.shapes import Features, Images, Latents, Logits

SMALLEST_SIDE = 7
"""Maps are halved until their shorter side is at most this, which leaves 4 to 7 pixels."""
WIDEST = 8
"""Channels double with each halving, up to this multiple of `width`."""

# In place where the layer before, a convolution or a normalisation, can do without its output:
# writing to fresh memory takes longer than the activation itself.
ACTIVATIONS: dict[ActivationName, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky-relu": lambda: nn.LeakyReLU(0.2, inplace=True),
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}

# Spectral normalisation concerns the discriminator's Lipschitz constant: the generator beside
# it keeps batch norm (Miyato et al. 2018, arXiv:1802.05957). Batch norm in the discriminator
# lets it judge an image by the others of its batch; without it, small batches do far better
# (docs/experiments, "The search for fast-28").
GENERATOR_NORMS: dict[NormalisationName, Callable[[int], nn.Module] | None] = {
    "batch": BatchNorm2d,
    "generator-batch": BatchNorm2d,
    "none": None,
    "spectral": BatchNorm2d,
    "virtual": VirtualBatchNorm2d,
}


def map_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the maps from the image to the smallest one, each half of the one before.

    An odd side is halved upwards: 45 pixels become 23.
    """
    sizes = [(height, width)]
    while min(sizes[-1]) > SMALLEST_SIDE:
        height, width = -(-height // 2), -(-width // 2)
        sizes.append((height, width))
    return sizes


def map_widths(config: ModelConfig, channels: int, stages: int) -> list[int]:
    """Channels of the maps from the largest one, or the image, to the smallest one."""
    return [config.full_width or channels] + [
        config.width * min(2**stage, WIDEST) for stage in range(stages)
    ]


class ChannelsLast(nn.Module):
    """Puts images into the order of all maps."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to the same numbers."""
        return images.contiguous(memory_format=torch.channels_last)


class DcganGenerator(nn.Module):
    """A linear layer to the smallest map, then one transposed convolution per stage.

    The last of them makes the image. With `full_width` it makes maps of that size, which a 3x3
    convolution turns into the image: one linear filter over maps of half the size draws no fine
    detail. With `colour = "half"` the colour of what the layers draw is halved. Normalised
    everywhere but at the image. With `virtual` it works only inside `salimans.WithReference`.

    Args:
        config: uses all settings but `dropout` and `minibatch_kernels`.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        sizes = map_sizes(*shape[1:])
        widths = map_widths(config, shape[0], len(sizes) - 1)
        normalise = GENERATOR_NORMS[config.normalisation]
        self.smallest = (*sizes[-1], widths[-1])
        self.halves_colour = config.colour == "half"
        self.project = nn.Linear(config.z_dim, math.prod(self.smallest), bias=normalise is None)
        layers: list[nn.Module] = []

        def activate(channels: int) -> None:
            layers.extend([normalise(channels)] if normalise else [])
            layers.append(ACTIVATIONS[config.activation]())

        for stage in range(len(sizes) - 1, 0, -1):
            activate(widths[stage])
            before, after, size = widths[stage], widths[stage - 1], sizes[stage - 1]
            if stage > 1 or config.full_width:
                bias = normalise is None
                layers.append(_doubling(before, after, config.kernel, size, bias=bias))
            else:
                layers.append(ImageConvTranspose2d(before, after, config.kernel, size))
        if config.full_width:
            activate(config.full_width)
            layers.append(nn.Conv2d(config.full_width, shape[0], 3, padding=1))
        self.layers = nn.Sequential(*layers)
        _initialise(self)

    def forward(self, z: Latents) -> Images:
        """(B, z_dim) latents to (B, C, H, W) images in [-1, 1]."""
        maps = self.project(z).unflatten(1, self.smallest).permute(0, 3, 1, 2)
        images = self.layers(maps)
        return torch.tanh(half_colour(images) if self.halves_colour else images)


class DcganDiscriminator(nn.Module):
    """One strided convolution per stage, then a linear layer to the logit.

    With `full_width` a 3x3 convolution at full size comes first; with `colour = "half"` images
    are seen with their colour halved. Batch norm is left out next to the image. `spectral` divides
    the weights of every convolution and of the last layer by their largest singular value (Miyato
    et al. 2018, arXiv:1802.05957). It leaves the projections of minibatch discrimination alone,
    whose length says how near is near; no bound on it would bound their sum over a batch.
    `virtual` normalises the generator only.

    Args:
        config: uses all settings but `z_dim` and `dropout`.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        sizes = map_sizes(*shape[1:])
        widths = map_widths(config, shape[0], len(sizes) - 1)
        activation = ACTIVATIONS[config.activation]
        self.halves_colour = config.colour == "half"
        layers: list[nn.Module]
        if config.full_width:
            layers = [ChannelsLast(), nn.Conv2d(shape[0], config.full_width, 3, padding=1)]
            layers += [activation(), _halving(config.full_width, widths[1], config.kernel)]
        else:
            layers = [ImageConv2d(shape[0], widths[1], config.kernel)]
        layers.append(activation())
        for stage in range(2, len(sizes)):
            bias = config.normalisation != "batch"
            before, after = widths[stage - 1], widths[stage]
            layers.append(_halving(before, after, config.kernel, bias=bias))
            if config.normalisation == "batch":
                layers.append(BatchNorm2d(widths[stage]))
            layers.append(activation())
        self.layers = nn.Sequential(*layers)
        self.verdict = Verdict(widths[-1] * math.prod(sizes[-1]), config.minibatch_kernels)
        _initialise(self)
        if config.normalisation == "spectral":
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    spectral_norm(layer)

    def features(self, images: Images) -> Features:
        """The last hidden layer, flattened: (B, F)."""
        images = half_colour(images) if self.halves_colour else images
        return self.layers(images).permute(0, 2, 3, 1).flatten(1)

    def forward(self, images: Images) -> Logits:
        """(B, C, H, W) images in [-1, 1] to (B,) logits."""
        return self.verdict(self.features(images))


def _halving(inputs: int, outputs: int, kernel: int, *, bias: bool = True) -> nn.Module:
    """A convolution that halves maps, an odd side upwards."""
    return HalvingConv2d(inputs, outputs, kernel, bias=bias)


def _doubling(
    inputs: int, outputs: int, kernel: int, size: tuple[int, int], *, bias: bool
) -> nn.Module:
    """A transposed convolution that doubles maps to (height, width)."""
    return DoublingConvTranspose2d(inputs, outputs, kernel, size, bias=bias)


def _initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), batch-norm scales from N(1, 0.02), zero biases."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, BatchNorm2d | VirtualBatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)

"""Residual grouped convolutions, from a few pixels to as many as wanted, and back.

Generator and discriminator mirror each other: a stage for each map size, each with some
bottleneck blocks; nothing is normalised. Everything follows from the image size, one width
for each stage, the number of blocks in a stage and the side of a patch.

Source: Huang et al. 2024, arXiv:2501.05441 (R3GAN), whose published sizes come out with
their numbers of parameters; the blocks are those of Xie et al. 2017, arXiv:1611.05431, begun
as Zhang et al. 2019, arXiv:1901.09321, propose. We differ in three ways: maps are averaged
and interpolated by torch's own operations, the smallest map may have any size, and patches
(as in Dosovitskiy et al. 2021, arXiv:2010.11929) take the place of stages at full size,
which CPUs cannot afford.

Modules are named by the size of their maps, so that weights trained at one image size fit
into networks for another one.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, pixel_shuffle, pixel_unshuffle

from facewright.config import ModelConfig
from facewright.errors import ConfigError
from facewright.networks.blocks import Verdict
from facewright.shapes import Features, Images, Latents, Logits

EXPANSION = 2
"""Channels inside a block over those outside."""
SLOPE = 0.2
"""Of the leaky ReLU for negative numbers."""


def stage_sizes(config: ModelConfig, height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the maps, from the smallest to that of the patches.

    Raises:
        ConfigError: the image cannot be halved so often, or a width is no multiple of the
            groups.
    """
    if not config.widths:
        raise ConfigError(
            "model.widths is empty",
            expected="channels of each stage, from the smallest map to the image",
            fix="--set 'model.widths=[128, 64, 32]'",
        )
    shrink = config.patch * 2 ** (len(config.widths) - 1)
    if height % shrink or width % shrink:
        raise ConfigError(
            f"{len(config.widths)} stages and patches of {config.patch} for {height}x{width}",
            expected=f"sides that are multiples of {shrink}",
            fix="another number of widths, or facewright prepare with another --size",
        )
    for channels in config.widths:
        if channels * EXPANSION % config.group_width:
            raise ConfigError(
                f"model.widths = {list(config.widths)}",
                expected=f"multiples of {max(1, config.group_width // EXPANSION)}",
                fix=f"--set model.group_width={EXPANSION}, or other widths",
            )
    smallest = height // shrink, width // shrink
    return [(smallest[0] * 2**i, smallest[1] * 2**i) for i in range(len(config.widths))]


class ResnextBlock(nn.Module):
    """A bottleneck: out to more channels, filters in groups, back; added to what came in.

    Its last layer begins at 0, so that at first the block changes nothing.

    Args:
        channels: of the maps.
        group_width: channels that one filter sees.
        depth: blocks in the whole network, which the first weights become smaller with.
    """

    def __init__(self, channels: int, group_width: int, depth: int) -> None:
        super().__init__()
        inner = EXPANSION * channels
        self.widen = nn.Conv2d(channels, inner, 1)
        self.filter = nn.Conv2d(inner, inner, 3, padding=1, groups=inner // group_width)
        self.narrow = nn.Conv2d(inner, channels, 1, bias=False)
        # Three layers in a block: L^(-1/(2m - 2)) with m = 3 (Zhang et al. 2019).
        _initialise(self.widen, math.sqrt(2) * depth ** (-1 / 4))
        _initialise(self.filter, math.sqrt(2) * depth ** (-1 / 4))
        nn.init.zeros_(self.narrow.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        inner = leaky_relu(self.widen(maps), SLOPE, inplace=True)
        inner = leaky_relu(self.filter(inner), SLOPE, inplace=True)
        return maps + self.narrow(inner)


class ResnextGenerator(nn.Module):
    """A learned map for each latent, then stages that double it up to the image.

    Args:
        config: uses z_dim, widths, blocks, group_width and patch.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        sizes, widths = stage_sizes(config, *shape[1:]), config.widths
        self.patch = config.patch
        self.mix = nn.Linear(config.z_dim, widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], *sizes[0]))
        self.adapt = nn.ModuleDict(
            {
                _name(size): _adapter(before, after)
                for size, (before, after) in zip(sizes[1:], pairwise(widths), strict=True)
            }
        )
        self.stages = _stages(config, sizes)
        self.to_image = _edge(widths[-1], shape[0] * self.patch**2, self.patch, gain=1.0)
        _initialise(self.mix, 1.0)

    def forward(self, z: Latents) -> Images:
        """(B, z_dim) latents to (B, C, H, W) images; [-1, 1] is learned, not forced."""
        maps = self.mix(z)[:, :, None, None] * self.basis
        maps = maps.contiguous(memory_format=torch.channels_last)
        for size, stage in self.stages.items():
            if size in self.adapt:
                maps = interpolate(self.adapt[size](maps), scale_factor=2, mode="bilinear")
            maps = stage(maps)
        return pixel_shuffle(self.to_image(maps), self.patch)


class ResnextDiscriminator(nn.Module):
    """The generator reversed: stages that halve the image, then a logit.

    Args:
        config: uses widths, blocks, group_width, patch and minibatch_kernels.
        shape: (C, H, W) of the images.
    """

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        sizes, widths = stage_sizes(config, *shape[1:]), config.widths
        self.patch = config.patch
        self.from_image = _edge(shape[0] * self.patch**2, widths[-1], self.patch, gain=1.0)
        self.stages = _stages(config, sizes)
        self.adapt = nn.ModuleDict(
            {
                _name(size): _adapter(after, before)
                for size, (before, after) in zip(sizes[1:], pairwise(widths), strict=True)
            }
        )
        self.gather = nn.Conv2d(widths[0], widths[0], sizes[0], groups=widths[0], bias=False)
        self.verdict = Verdict(widths[0], config.minibatch_kernels)
        _initialise(self.gather, 1.0)
        _initialise(self.verdict.linear, 1.0)

    def features(self, images: Images) -> Features:
        """The last hidden layer: (B, F), one number for each channel of the smallest map."""
        patches = pixel_unshuffle(images, self.patch)
        maps = self.from_image(patches.contiguous(memory_format=torch.channels_last))
        for size, stage in reversed(list(self.stages.items())):
            maps = stage(maps)
            if size in self.adapt:
                maps = self.adapt[size](avg_pool2d(maps, 2))
        return self.gather(maps).flatten(1)

    def forward(self, images: Images) -> Logits:
        """(B, C, H, W) images in [-1, 1] to (B,) logits."""
        return self.verdict(self.features(images))


def _stages(config: ModelConfig, sizes: list[tuple[int, int]]) -> nn.ModuleDict:
    depth = config.blocks * len(sizes)
    return nn.ModuleDict(
        {
            _name(size): nn.Sequential(
                *(ResnextBlock(channels, config.group_width, depth) for _ in range(config.blocks))
            )
            for size, channels in zip(sizes, config.widths, strict=True)
        }
    )


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _adapter(inputs: int, outputs: int) -> nn.Module:
    """Between stages of different widths."""
    if inputs == outputs:
        return nn.Identity()
    return _initialise(nn.Conv2d(inputs, outputs, 1, bias=False), 1.0)


def _edge(inputs: int, outputs: int, patch: int, gain: float) -> nn.Module:
    """Between maps and pixels; patches overlap their neighbours, or their borders would show."""
    kernel = 1 if patch == 1 else 3
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return _initialise(layer, gain)


def _initialise(layer: nn.Module, gain: float) -> nn.Module:
    """Weights from N(0, gain / sqrt(fan in)), biases 0."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer

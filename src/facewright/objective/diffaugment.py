"""Distortions that keep a discriminator from learning few photos by heart.

Real and generated images are distorted in the same ways and by independent chance, in both
players' steps, so the generator gains nothing by making distorted images as long as some
images are left as they are. Every distortion is differentiable (twice, for penalties), and
every random number is handed in: nothing here draws.
"""

from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional

from facewright.shapes import Features, Images, PerImage

SHIFT = 1 / 8
"""Largest translation, as a share of the side."""

HOLE = 1 / 2
"""Side of the cut-out square, as a share of the image's."""


def recoloured(
    images: Images, brightness: PerImage, saturation: PerImage, contrast: PerImage
) -> Images:
    """Brighter or darker, more or less colourful, with more or less contrast.

    Args:
        images: (B, C, H, W).
        brightness: (B,) in [0, 1): adds -0.5 to 0.5.
        saturation: (B,) in [0, 1): multiplies the distance of the channels to their mean by
            0 to 2. One channel is its own mean and stays as it is.
        contrast: (B,) in [0, 1): multiplies the distance of the pixels to the image's mean
            by 0.5 to 1.5.
    """
    images = images + _per_image(brightness - 0.5)
    images = torch.lerp(images.mean(1, keepdim=True), images, _per_image(2 * saturation))
    return torch.lerp(images.mean((1, 2, 3), keepdim=True), images, _per_image(contrast + 0.5))


def translated(images: Images, down: PerImage, right: PerImage) -> Images:
    """Moved by whole pixels, at most `SHIFT` of the side; grey (0) comes in.

    Args:
        images: (B, C, H, W).
        down: (B,) in [0, 1): from the farthest up to the farthest down.
        right: (B,) in [0, 1): from the farthest left to the farthest right.
    """
    for axis, amount in ((2, down), (3, right)):
        side = images.shape[axis]
        reach = int(side * SHIFT + 0.5)
        shift = (amount * (2 * reach + 1)).long() - reach
        # Where each pixel comes from, in an image with a margin of `reach` around it.
        source = torch.arange(side, device=images.device) - shift[:, None] + reach
        shape = [len(images), 1, 1, 1]
        shape[axis] = side
        margins = (0, 0, reach, reach) if axis == 2 else (reach, reach)
        images = torch.take_along_dim(functional.pad(images, margins), source.view(shape), axis)
    return images


def cut_out(images: Images, down: PerImage, right: PerImage) -> Images:
    """A square with `HOLE` of the side becomes grey (0); it may lie partly outside.

    Args:
        images: (B, C, H, W).
        down: (B,) in [0, 1): where the middle of the square lies, from top to bottom.
        right: (B,) in [0, 1): the same from left to right.
    """
    height, width = images.shape[2:]
    rows, columns = _hole(height, down), _hole(width, right)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _hole(side: int, place: Tensor) -> Tensor:
    """(B, side): which rows, or columns, does the square cover?"""
    length = int(side * HOLE + 0.5)
    # An even length has its middle between two pixels, so there is one place more for it.
    middle = (place * (side + 1 - length % 2)).long()
    offset = torch.arange(side, device=place.device) - (middle - length // 2)[:, None]
    return (offset >= 0) & (offset < length)


def _per_image(amount: Tensor) -> Tensor:
    return amount.view(-1, 1, 1, 1)


_DISTORTIONS = {
    "colour": (recoloured, slice(3, 6)),
    "translation": (translated, slice(6, 8)),
    "cutout": (cut_out, slice(8, 10)),
}
"""By name: the function, and which of an image's random numbers it takes."""

POLICIES = tuple(_DISTORTIONS)
"""Every distortion, in the order in which they are applied."""

NUMBERS = 10
"""Random numbers that each image takes, whichever distortions are on."""


def distorted(
    images: Images, policies: Collection[str], probability: float, chance: Features
) -> Images:
    """Show images to the discriminator so that it cannot learn them by heart.

    Each policy spares or distorts each image by its own chance.

    Args:
        images: (B, C, H, W) in [-1, 1], real or generated.
        policies: some of `POLICIES`.
        probability: in [0, 1], how likely each policy is to distort each image. 1 is the
            paper's; far above 0.8 the generator may begin to make distorted images.
        chance: (B, `NUMBERS`) uniform in [0, 1): three that decide, three for colour, two
            for translation, two for cutout.

    Returns:
        (B, C, H, W), not clipped to [-1, 1]; gradients reach `images`.

    Source: Zhao et al. 2020, arXiv:2006.10738 (DiffAugment). The probability, and its
    limit, are those of Karras et al. 2020, arXiv:2006.06676, who change it while training.
    """
    meets = chance[:, : len(POLICIES)] < probability
    for (name, (distort, columns)), met in zip(_DISTORTIONS.items(), meets.unbind(1), strict=True):
        if name in policies:
            changed = distort(images, *chance[:, columns].unbind(1))
            images = torch.where(met.view(-1, 1, 1, 1), changed, images)
    return images

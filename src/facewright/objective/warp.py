"""Distortions that move parts of a face: nearer or farther, and tilted.

Faces tolerate both. Half turns and stretching, which Karras et al. have too, make images that
are no faces any more, and a generator that copies one such image is spoilt; they are left out.
"""

import math
from collections.abc import Collection

import torch
from torch import Tensor

from facewright.shapes import Features, Images, PerImage

ZOOM = 1.25
"""Greatest magnification; the least is its inverse."""

TILT = 10
"""Greatest rotation to either side, in degrees."""

POLICIES = ("scale", "rotation")
"""Both distortions; they are applied together, so that an image is resampled once."""

NUMBERS = 4
"""Random numbers that each image takes, whichever distortions are on."""


def warped(
    images: Images, policies: Collection[str], probability: float, chance: Features
) -> Images:
    """Show images to the discriminator from nearer or farther, and tilted.

    Args:
        images: (B, C, H, W) in [-1, 1], real or generated.
        policies: some of `POLICIES`.
        probability: in [0, 1], how likely each policy is to distort each image.
        chance: (B, `NUMBERS`) uniform in [0, 1): two that decide, one for the scale, whose
            logarithm is uniform, and one for the angle, which is uniform.

    Returns:
        (B, C, H, W); images that no policy meets are as they were, to the bit.

    Source: Karras et al. 2020, arXiv:2006.06676, appendix B: "isotropic scaling" and
    "rotation", with bounded uniform chances of about the spread of their scaling, with
    bilinear interpolation in place of a wavelet filter, and with edges that are repeated.
    """
    meets = chance[:, : len(POLICIES)] < probability
    meets = meets & torch.tensor([name in policies for name in POLICIES], device=meets.device)
    exponent, turn = (2 * chance[:, len(POLICIES) :] - 1).where(meets, 0).unbind(1)
    return resampled(images, ZOOM**exponent, math.radians(TILT) * turn)


def resampled(images: Images, scale: PerImage, angle: PerImage) -> Images:
    """Magnified and turned about the middle; what comes in repeats the edge.

    Written out because torch's `grid_sample` has no second derivative in the older versions
    that we support (pytorch issue 34704), and exact penalties need it.

    Args:
        images: (B, C, H, W).
        scale: (B,) above 1 magnifies; 1 and angle 0 return the images to the bit.
        angle: (B,) in radians, anticlockwise.
    """
    height, width = images.shape[2:]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    down = torch.arange(height, device=images.device)[:, None] - middle_row
    right = torch.arange(width, device=images.device)[None, :] - middle_column
    # Where each pixel comes from: turned back and shrunk.
    cos, sin = (part(angle).div(scale)[:, None, None] for part in (torch.cos, torch.sin))
    rows = (cos * down + sin * right + middle_row).clamp(0, height - 1)
    columns = (cos * right - sin * down + middle_column).clamp(0, width - 1)
    top, left = rows.floor(), columns.floor()
    lower, outer = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    across, along = (columns - left)[:, None], (rows - top)[:, None]
    above = torch.lerp(_taken(images, top, left), _taken(images, top, outer), across)
    below = torch.lerp(_taken(images, lower, left), _taken(images, lower, outer), across)
    return torch.lerp(above, below, along)


def _taken(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The pixels at (B, H, W) whole rows and columns, as (B, C, H, W)."""
    places = (rows * images.shape[3] + columns).long().flatten(1)[:, None]
    return torch.take_along_dim(images.flatten(2), places, 2).view_as(images)

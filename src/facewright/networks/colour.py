"""Colour at half the resolution of brightness, as JPEG files often keep it.

From one pixel to the next photos change in brightness far more than in colour. A generator's
colours do not, at first, and a discriminator that sees fine colour looks at little else: it
wins by noise that no viewer would notice (docs/experiments, "What the discriminator of `fast-28`
looks at"). So neither player handles it.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor


def half_colour(images: Tensor) -> Tensor:
    """The same images, with means of four pixels, interpolated, for what is not brightness.

    Args:
        images: (B, C, H, W), in any range. Brightness is the mean of the channels, so one
            channel stays as it is. The last row and column of an odd side are means of fewer.

    Returns:
        (B, C, H, W), in that order in memory too.
    """
    rows, columns = (torch.from_numpy(_mixed(side)).to(images) for side in images.shape[2:])
    # Two products of matrices take half the time of pooling and interpolation, gradients
    # included (docs/experiments, "Half colour as two products"), where each image is in one piece.
    images = images.contiguous()
    brightness = images.mean(1, keepdim=True)
    return brightness + rows @ (images - brightness) @ columns.T


@cache
def _mixed(side: int) -> np.ndarray:
    """(side, side) float32: how each pixel of a row is mixed from the means of its pairs."""
    means = np.zeros((-(-side // 2), side))
    means[np.arange(side) // 2, np.arange(side)] = 1
    means /= means.sum(1, keepdims=True)
    places = (np.arange(side) + 0.5) / 2 - 0.5
    columns = [np.interp(places, np.arange(len(means)), column) for column in means.T]
    return np.stack(columns, axis=1).astype(np.float32)

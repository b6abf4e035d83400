"""Generated images beside the training photos that they resemble most.

The sheets show photographs of people. They are for the holder of the photos only:
never publish one, nor put it into a repository.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from facewright.errors import MetricError
from facewright.images import grid
from facewright.metrics.closeness import NEAREST, calibrated_ratio
from facewright.metrics.estimate import check_pixels
from facewright.metrics.neighbours import nearest_neighbours

SIDE = 112
"""Pixels; smaller images are enlarged by a whole number to about this side."""

CAPTION = 18
"""Height in pixels of the line below a pair."""


@dataclass(frozen=True)
class Pair:
    """A generated image and its nearest training photo.

    Args:
        fake: row of the generated image.
        train: row of the training photo.
        mirrored: whether it is nearest when mirrored.
        ratio: its distance over the mean distance to the nearest 50; a copy's is near 0,
            and half of all fresh photos have more than about 0.85.
    """

    fake: int
    train: int
    mirrored: bool
    ratio: float


def pairs_sheet(
    fake: np.ndarray, train: np.ndarray, pairs: Sequence[Pair], *, columns: int = 4
) -> np.ndarray:
    """Are these copies? A sheet to judge by eye: generated left, training photo right.

    Args:
        fake: (M, H, W, C) uint8 generated images.
        train: (N, H, W, C) uint8 training photos, N and M as the pairs' rows count them.
        pairs: in the order in which they are shown, at least one.
        columns: pairs in a row.

    Returns:
        (height, width, C) uint8. Below each pair stand its ratio and the two rows. A photo
        that is nearest when mirrored is shown mirrored, and marked with "m". Never publish it.

    Raises:
        MetricError: no pair, or images of different sizes.
    """
    for pixels in (fake, train):
        check_pixels(pixels)
    if not pairs or fake.shape[1:] != train.shape[1:]:
        raise MetricError(
            f"{len(pairs)} pairs of images of {fake.shape[1:]} and {train.shape[1:]}",
            expected="at least one pair, and images of one size",
            fix="pairs of images of one model and its own photos",
        )
    tiles = np.stack([_tile(fake[pair.fake], train[pair.train], pair) for pair in pairs])
    return grid(tiles, columns=min(columns, len(pairs)), gap=10)


def nearest_pairs(fake: Tensor, train: Tensor) -> tuple[Pair, ...]:
    """Each generated image with the training photo that is nearest to it.

    Args:
        fake: (M, F) features of generated images.
        train: (N, F) features of training photos, two or more.
    """
    near = nearest_neighbours(fake, train, min(NEAREST, len(train)))
    ratios = calibrated_ratio(near).tolist()
    photos = near.indices[:, 0].tolist()
    return tuple(
        Pair(row, photo, False, ratio)
        for row, (photo, ratio) in enumerate(zip(photos, ratios, strict=True))
    )


def _tile(fake: np.ndarray, photo: np.ndarray, pair: Pair) -> np.ndarray:
    """Two images side by side, with a line of text below."""
    photo = photo[:, ::-1] if pair.mirrored else photo
    scale = max(1, SIDE // max(fake.shape[:2]))
    both = np.stack([fake, photo]).repeat(scale, axis=1).repeat(scale, axis=2)
    images = grid(both, columns=2, gap=2)
    line = Image.new("L", (images.shape[1], CAPTION), 255)
    text = f"{pair.ratio:.2f}   {pair.fake} | {pair.train}{' m' if pair.mirrored else ''}"
    ImageDraw.Draw(line).text((2, 1), text, fill=0, font=ImageFont.load_default(13))
    caption = np.asarray(line)[:, :, None].repeat(images.shape[2], axis=2)
    return np.concatenate([images, caption])

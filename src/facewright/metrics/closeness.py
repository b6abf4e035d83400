"""How close do generated images come to the training photos, and how close do fresh photos?

Neighbours are searched once, here; every formula about memorisation is fed from them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from facewright.errors import MetricError
from facewright.metrics.estimate import check_features, check_pixels
from facewright.metrics.neighbours import Neighbours, nearest_neighbours

NEAREST = 50
"""Training photos that say how close together photos lie around an image."""

LARGEST_SIDE = 32
"""Pixels; larger images are averaged down. A copy shows at this size, and it bounds the work."""


@dataclass(frozen=True)
class AuditSpace:
    """Training photos, held-out photos and generated images as rows of numbers.

    Args:
        train: (N, F) the photos that were trained on, more than `NEAREST`.
        val: (V, F) photos that were held out.
        fake: (M, F) generated images.
        mirrored: (N, F) the training photos mirrored, in the same order. Training mirrors
            photos, so a generator can replay them that way, too; `None` to leave it out.
    """

    train: Tensor
    val: Tensor
    fake: Tensor
    mirrored: Tensor | None = None

    def __post_init__(self) -> None:
        check_features(self.train, self.fake)
        check_features(self.val, self.fake)
        if len(self.train) <= NEAREST:
            raise MetricError(
                f"{len(self.train)} training photos",
                expected=f"more than {NEAREST}",
                fix="a store with more photos",
            )
        if self.mirrored is not None:
            check_features(self.mirrored, self.fake)
            if len(self.mirrored) != len(self.train):
                raise MetricError(
                    f"{len(self.mirrored)} mirrored and {len(self.train)} training photos",
                    expected="as many",
                    fix="the mirrored training photos themselves",
                )


def pixel_space(
    train: np.ndarray, val: np.ndarray, fake: np.ndarray, *, mirror: bool = True
) -> AuditSpace:
    """The pixels themselves, in [0, 1].

    Args:
        train: (N, H, W, C) uint8, and `val` and `fake` alike.
        val: held-out photos.
        fake: generated images.
        mirror: whether a mirrored training photo counts as a training photo.

    Raises:
        MetricError: of different sizes, or no images.
    """
    for pixels in (train, val, fake):
        check_pixels(pixels)
        if pixels.shape[1:] != train.shape[1:]:
            raise MetricError(
                f"images of {pixels.shape[1:]} and training photos of {train.shape[1:]}",
                expected="one size",
                fix="the store that the generator was trained on (--data)",
            )
    mirrored = _flat(train[:, :, ::-1]) if mirror else None
    return AuditSpace(_flat(train), _flat(val), _flat(fake), mirrored)


def _flat(pixels: np.ndarray) -> Tensor:
    """(N, H, W, C) uint8 as (N, F) in [0, 1], a chunk at a time to spare memory."""
    size = min(pixels.shape[1], LARGEST_SIDE), min(pixels.shape[2], LARGEST_SIDE)
    chunks = []
    for start in range(0, len(pixels), 1024):
        images = torch.from_numpy(pixels[start : start + 1024].astype(np.float32) / 255)
        chunks.append(adaptive_avg_pool2d(images.permute(0, 3, 1, 2), size).flatten(1))
    return torch.cat(chunks) if chunks else torch.empty(0, size[0] * size[1] * pixels.shape[3])


@dataclass(frozen=True)
class Closeness:
    """How far everything is from the training photos.

    Args:
        fake: the `NEAREST` training photos of each generated image. Index i + N stands for
            training photo i mirrored.
        val: those of each held-out photo.
        own: (N,) how far each training photo is from the nearest other one; NaN for
            photos that are nearest to no image, as nothing needs it.
    """

    fake: Neighbours
    val: Neighbours
    own: Tensor

    @cached_property
    def fake_ratio(self) -> Tensor:
        """(M,) distance to the nearest over mean distance to the nearest `NEAREST`."""
        return calibrated_ratio(self.fake)

    @cached_property
    def val_ratio(self) -> Tensor:
        """(V,) the same of the held-out photos."""
        return calibrated_ratio(self.val)


def calibrated_ratio(neighbours: Neighbours) -> Tensor:
    """(Q,) distance to the nearest over mean distance to all that were found, 0 to 1."""
    around = neighbours.distances.mean(dim=1)
    # 0 / 0: as many training photos are equal, and this image equals them. It is a copy.
    return torch.where(around > 0, neighbours.distances[:, 0] / around, 0.0)


def closeness(space: AuditSpace) -> Closeness:
    """Search all neighbours that the audit needs, once."""
    train, count = space.train, len(space.train)
    points = train if space.mirrored is None else torch.cat([train, space.mirrored])
    fake = nearest_neighbours(space.fake, points, NEAREST)
    val = nearest_neighbours(space.val, points, NEAREST)
    queried = (torch.cat([fake.indices, val.indices])[:, 0] % count).unique()
    # A photo is at most as far from itself and its own mirror image as from others, or
    # it equals others; so one more neighbour than those always holds another photo.
    nearest = nearest_neighbours(train[queried], points, 1 + len(points) // count)
    other = nearest.indices % count != queried[:, None]
    own = torch.full((count,), torch.nan, dtype=torch.float64)
    own[queried] = torch.where(other, nearest.distances, torch.inf).amin(dim=1)
    return Closeness(fake, val, own)

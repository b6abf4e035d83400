"""Images as stored pixels or as floats, read a batch at a time."""

import numpy as np
import torch
from torch import Tensor, nn

from facewright.errors import MetricError
from facewright.images import at_once, to_model_range
from facewright.rng import rng_for

Pictures = np.ndarray | Tensor
"""(N, H, W, C) uint8, or (N, C, H, W) float in [-1, 1]."""

CHUNK = 256
"""Images evaluated at once when no gradient is wanted, at most."""


def rows(pictures: Pictures, which: slice | Tensor) -> Tensor:
    """Some of the images as the networks see them, (B, C, H, W) float."""
    if isinstance(pictures, Tensor):
        return pictures[which]
    return to_model_range(pictures[which if isinstance(which, slice) else which.numpy()])


def random_rows(pictures: Pictures, count: int, *, seed: int, step: int, use: str) -> Tensor:
    """A batch drawn with replacement; the same for the same address."""
    rng = rng_for(seed, step, use)
    return rows(pictures, torch.randint(len(pictures), (count,), generator=rng))


def halves(pictures: Pictures) -> tuple[Tensor, Tensor]:
    """The images in two disjoint sets of one size, every other image in each."""
    even = len(pictures) // 2 * 2
    return rows(pictures, slice(0, even, 2)), rows(pictures, slice(1, even, 2))


@torch.no_grad()
def chunked_logits(discriminator: nn.Module, images: Tensor) -> Tensor:
    """(N,) float32 logits of (N, C, H, W) images, some at a time."""
    chunk = min(CHUNK, at_once(images.shape[1:]))
    device = next(discriminator.parameters()).device
    return torch.cat([discriminator(part.to(device)).float() for part in images.split(chunk)])


def check_pictures(**sets: Pictures) -> None:
    """Refuse images that a discriminator could tell apart by their form.

    Raises:
        MetricError: of different shapes or kinds, or too few.
    """
    shapes = {name: (tuple(p.shape[1:]), type(p).__name__) for name, p in sets.items()}
    if len(set(shapes.values())) > 1:
        sizes = ", ".join(f"{name} {shape}" for name, (shape, _) in shapes.items())
        raise MetricError(
            f"images of different kinds: {sizes}",
            expected="one shape and type",
            fix="images of one size, as they come from one model",
        )
    for name, pictures in sets.items():
        if len(pictures) < FEWEST:
            raise MetricError(
                f"{len(pictures)} images in {name}",
                expected=f"at least {FEWEST}",
                fix="more photos in the store: facewright prepare ... --val-fraction 0.2",
            )


FEWEST = 8
"""Images in a set below which halves of it say nothing."""

"""Gaussian clouds as photos and generated images, with and without copies; intervals."""

import torch
from torch import Tensor

from facewright.metrics.closeness import AuditSpace
from facewright.metrics.estimate import Estimate


def cloud(count: int, width: int, seed: int) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def gaussian_space(
    seed: int,
    *,
    width: int,
    copied: float = 0.0,
    train: int = 2000,
    val: int = 2000,
    fake: int = 2000,
    noise: float = 0.02,
) -> AuditSpace:
    """Everything from one Gaussian; a share of the fakes are training rows with noise."""
    photos, fresh, generated = (
        cloud(count, width, 10 * seed + i) for i, count in enumerate((train, val, fake))
    )
    copies = round(copied * fake)
    generated[:copies] = photos[:copies] + noise * cloud(copies, width, 10 * seed + 3)
    return AuditSpace(photos, fresh, generated)


def holds(estimate: Estimate | None, truth: float) -> bool:
    """Whether the interval holds this number."""
    assert estimate is not None
    assert estimate.interval is not None
    low, high = estimate.interval
    return low <= truth <= high

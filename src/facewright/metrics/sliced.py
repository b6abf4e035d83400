"""A cheap distance between two sets of images that needs no network."""

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from facewright.errors import FacewrightError
from facewright.images import to_model_range


def sliced_wasserstein(
    real: np.ndarray, fake: np.ndarray, *, directions: int = 256, scales: int = 3, seed: int = 0
) -> float:
    """How far apart are two sets of images, seen through random one-dimensional views?

    Along one direction in pixel space the best way to move one set onto the other is to
    sort both. The mean cost over many directions is a distance; it is taken of the images
    as they are and of coarser copies, where the arrangement of the face dominates.

    Args:
        real: (N, H, W, C) uint8.
        fake: (N, H, W, C) uint8, as many.
        directions: random views at each scale.
        scales: sizes looked at, each half the one before.
        seed: of the directions; compare numbers of the same seed only.

    Returns:
        Root mean squared cost in pixel values of [-1, 1] per standard deviation 1 of a
        random direction, averaged over scales; 0 for equal sets. Two sets of photos of
        the same kind differ by a floor that depends on N.

    Raises:
        FacewrightError: sets of different shapes, or fewer than two images.

    Source: Rabin et al. 2011 (sliced Wasserstein); its use to watch a GAN at several
    scales follows Karras et al. 2018, arXiv:1710.10196, who look at patches instead.

    Blind spot: sees pixels, not faces; blur and small shifts weigh more than identity.
    """
    if real.shape != fake.shape or len(real) < 2:
        raise FacewrightError(
            f"{real.shape} real and {fake.shape} generated images",
            expected="two sets of equal shape with at least two images",
            fix="as many of the one as of the other",
        )
    rng = torch.Generator().manual_seed(seed)
    a, b = to_model_range(real), to_model_range(fake)
    costs = []
    for scale in range(scales):
        if scale > 0:
            a, b = avg_pool2d(a, 2, ceil_mode=True), avg_pool2d(b, 2, ceil_mode=True)
        views = torch.randn(a[0].numel(), directions, generator=rng)
        views /= views.norm(dim=0)
        gaps = (a.flatten(1) @ views).sort(dim=0).values - (b.flatten(1) @ views).sort(dim=0).values
        costs.append(gaps.square().mean().sqrt())
    return float(torch.stack(costs).mean())

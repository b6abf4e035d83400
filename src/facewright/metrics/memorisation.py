"""Four questions about copies, each answered for generated images and for fresh photos.

The answer for fresh photos is what an honest generator is compared with. It is no fixed
number: how often a photo that was not trained on lies close to a training photo depends on the
set, on its size and on the features. The fourth question has a file of its own, `copying`.
"""

import numpy as np
import torch
from torch import Tensor

from facewright.metrics.closeness import Closeness
from facewright.metrics.comparison import Comparison
from facewright.metrics.estimate import Estimate

CALIBRATION = 0.5
"""An image closer to its nearest training photo than this share of the mean distance to the
nearest 50 is suspected. Carlini et al. call it alpha. Of fresh CelebA and UTKFace photos at
28 pixels 0 to 0.5 % fall below it, of copies with noise 0.02 of the range all do in pixels
and 88 % in face features."""

TAIL = 0.05
"""Share of all images that counts as lying closest."""

QUANTILES = (0.01, 0.05, 0.5)
RESAMPLES = 2000


def authenticity(near: Closeness) -> Comparison:
    """How often is an image farther from its nearest training photo than that photo from others?

    Args:
        near: the neighbours.

    Returns:
        Shares that are authentic. The share itself says nothing: for a perfect generator it
        is 39 % in 2 dimensions and 82 % in 64. The difference is about 0 for an honest
        generator and negative where images are closer to training photos than fresh ones.

    Source: Alaa et al. 2022, arXiv:2102.08921. We always compare with held-out photos. A
    mirrored training photo counts as a neighbour, but never as the "other" of its original.

    Blind spot: copies of one image in ten lower it by a few percent only.
    """
    own = near.own

    def authentic(distances: Tensor, indices: Tensor) -> Tensor:
        return own[indices[:, 0] % len(own)] < distances[:, 0]

    return Comparison.of(
        authentic(near.fake.distances, near.fake.indices),
        authentic(near.val.distances, near.val.indices),
    )


def calibrated(near: Closeness) -> Comparison:
    """How many images are far closer to one training photo than to all others around?

    Args:
        near: the neighbours.

    Returns:
        Shares whose ratio (distance to the nearest over mean distance to the nearest 50) is
        below `CALIBRATION`; the difference estimates the share of copies.

    Source: Carlini et al. 2023, arXiv:2301.13188.

    Blind spot: needs 32 dimensions or more; below, fresh photos fall under the limit, too.
    A photo that is in the training set dozens of times is close to all of them at once. Most
    copies that were shifted by a pixel stay above the limit in pixels, and blurred ones in
    face features, so the two see more than either.
    """
    return Comparison.of(near.fake_ratio < CALIBRATION, near.val_ratio < CALIBRATION)


def closest_tail(near: Closeness) -> Comparison:
    """Among the images that lie closest, are there too many generated ones?

    Args:
        near: the neighbours.

    Returns:
        Shares that belong to the lowest `TAIL` of all ratios, generated images and held-out
        photos ranked together. An honest generator has as large a share as the photos.

    Source: our own; the rank test of 2004.05675 on the part where copies are, and on
    ratios, which blur moves little.

    Blind spot: as the ratio changes with the kind of image, too, an excess is a reason to
    look and no proof.
    """
    limit = torch.cat([near.fake_ratio, near.val_ratio]).quantile(TAIL)
    return Comparison.of(near.fake_ratio < limit, near.val_ratio < limit)


def quantile_ratios(near: Closeness, *, seed: int = 0) -> dict[float, Estimate | None]:
    """How far are the closest generated images, compared with the closest fresh photos?

    Args:
        near: the neighbours.
        seed: of the resampling that gives the interval.

    Returns:
        For each of `QUANTILES`: this quantile of the distances to the nearest training
        photo, of generated images over that of held-out photos. About 1 for an honest
        generator, towards 0 with copies; `None` where the photos' own is 0.

    Blind spot: a quantile sees nothing of copies that are rarer than itself's share; the
    median in particular stays near 1 with one copy in ten.
    """
    rng = np.random.default_rng(seed)
    fake, val = (np.sort(n.distances[:, 0].numpy()) for n in (near.fake, near.val))
    return {share: _quantile_ratio(fake, val, share, rng) for share in QUANTILES}


def _quantile_ratio(
    fake: np.ndarray, val: np.ndarray, share: float, rng: np.random.Generator
) -> Estimate | None:
    """The ratio of two sorted sets' quantiles, with a bootstrap interval."""
    if np.quantile(val, share) == 0:
        return None

    def resampled(distances: np.ndarray) -> np.ndarray:
        # The quantile of a resample is the number whose rank has a binomial distribution.
        ranks = rng.binomial(len(distances), share, RESAMPLES)
        return distances[np.minimum(ranks, len(distances) - 1)]

    value = float(np.quantile(fake, share) / np.quantile(val, share))
    below, above = resampled(fake), resampled(val)
    if above.min() == 0:  # so many held-out photos equal training photos that no limit is known
        return Estimate(value)
    low, high = np.quantile(below / above, (0.025, 0.975))
    return Estimate(value, (float(low), float(high)))

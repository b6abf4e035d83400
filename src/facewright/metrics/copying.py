"""The data-copying test: do generated images crowd around training photos?"""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from facewright.metrics.closeness import AuditSpace, Closeness
from facewright.metrics.estimate import Estimate

CELLS = 10
"""Regions that the training photos are divided into."""

FEWEST = 20
"""Generated images, and held-out photos, that a region needs to be tested."""

CELL_WIDTH = 64
"""Wider features are reduced to so many principal components before regions are formed."""


@dataclass(frozen=True)
class Copying:
    """The test over everything, and region by region.

    Args:
        whole: standard deviations by which the generated images' ranks differ from those of
            images as far from the training photos as held-out ones are.
        average: C_T, the mean over regions, weighted with the held-out photos in each.
        regions: the value in each region tested, closest first.
    """

    whole: Estimate
    average: Estimate
    regions: tuple[float, ...]


def copying(space: AuditSpace, near: Closeness, *, seed: int = 0) -> Copying:
    """Are generated images closer to the training photos than fresh photos are?

    Args:
        space: where everything lies; divided into regions by k-means of the training photos.
        near: its neighbours.
        seed: of k-means.

    Returns:
        About 0 (whole: within -2..2) where they are as far as fresh photos; below -3 they
        crowd around training photos, far above 0 they stay away (underfitting). It grows
        with the number of images; the average over R regions is about sqrt(R) times smaller.

    Source: Meehan et al. 2020, arXiv:2004.05675. Sets of different sizes are fine for the
    rank test; ours has the correction for ties, and only the regions use fewer dimensions.

    Blind spot: one copy in ten moves it by a few standard deviations only, and blur brings
    images closer to everything: a smooth honest generator scores like a copying one.
    """
    fake, val = near.fake.distances[:, 0].numpy(), near.val.distances[:, 0].numpy()
    whole = rank_difference(fake, val)
    fake_cells, val_cells = _cells(space, seed)
    tested: list[tuple[int, float, float]] = []  # held-out photos, z, variance
    for cell in range(CELLS):
        in_fake, in_val = fake[fake_cells == cell], val[val_cells == cell]
        if min(len(in_fake), len(in_val)) >= FEWEST:
            tested.append((len(in_val), *_z_and_variance(in_fake, in_val)))
    if not tested:  # then everything is one region
        return Copying(whole, whole, ())
    counts, scores, variances = np.array(tested).T
    weights = counts / counts.sum()
    average = Estimate.normal(float(weights @ scores), float(weights**2 @ variances))
    return Copying(whole, average, tuple(np.sort(scores).tolist()))


def rank_difference(fake: np.ndarray, val: np.ndarray) -> Estimate:
    """By how many standard deviations are the ranks of the first lower than chance has them?

    Args:
        fake: (M,) distances.
        val: (V,) distances.

    Returns:
        The z of Mann and Whitney's U, with continuity and ties corrected; negative where
        `fake` are smaller. The interval uses the variance of U where the two differ (DeLong
        1988); it shrinks to nothing when they do not overlap.
    """
    return Estimate.normal(*_z_and_variance(fake, val))


def _z_and_variance(fake: np.ndarray, val: np.ndarray) -> tuple[float, float]:
    m, v = len(fake), len(val)
    total = m + v
    _, ties = np.unique(np.concatenate([fake, val]), return_counts=True)
    tied = float((ties.astype(np.float64) ** 3 - ties).sum())
    variance = m * v / 12 * (total + 1 - tied / (total * (total - 1)))
    if variance <= 0:  # all distances are equal
        return 0.0, 0.0
    above_val, above_fake = _share_below(fake, val), _share_below(val, fake)
    u = v * above_val.sum()
    of_share = above_val.var(ddof=1) / m + above_fake.var(ddof=1) / v
    z = (u - (m * v / 2 - 0.5)) / math.sqrt(variance)
    return float(z), float(of_share * (m * v) ** 2 / variance)


def _share_below(numbers: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each number: the share of the others below it, equal ones counted by half."""
    others = np.sort(others)
    below, up_to = (np.searchsorted(others, numbers, side) for side in ("left", "right"))
    return (below + up_to) / 2 / len(others)


def _cells(space: AuditSpace, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The region of each generated image and of each held-out photo."""
    train, fake, val = space.train.numpy(), space.fake.numpy(), space.val.numpy()
    if train.shape[1] > CELL_WIDTH and len(train) > CELL_WIDTH:
        axes = PCA(CELL_WIDTH, svd_solver="randomized", random_state=seed).fit(train)
        train, fake, val = (axes.transform(rows) for rows in (train, fake, val))
    regions = KMeans(CELLS, random_state=seed).fit(train)
    return np.asarray(regions.predict(fake)), np.asarray(regions.predict(val))

"""How alike two random images of a set are, by structural similarity."""

import numpy as np
import torch
from scipy.ndimage import uniform_filter

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate, check_pixels

WINDOW = 7
"""Side in pixels of the uniform window."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""The constants of 2004 for bytes; they keep flat and black windows from dividing by 0."""
FEWEST = 40
"""Images below which a normal interval over pairs would be a guess."""


def ssim_diversity(pixels: np.ndarray, *, pairs: int = 1000, seed: int = 0) -> Estimate:
    """How alike are two random images of this set?

    A generator that always makes the same face has more similar pairs than photos have.

    Args:
        pixels: (N, H, W, C) uint8 of one set of images, at least 40 of 7 x 7 pixels.
        pairs: of distinct images to compare; no image is in two pairs, so that the pairs
            are independent and N/2 is the most there are.
        seed: of the choice of pairs.

    Returns:
        Mean structural similarity: 1 when all images are equal, near 0 when they have
        nothing in common; lower is more diverse. Compare with the photos' number at the
        same image size. Two images of one colour each are as similar as their brightness:
        1 when equal.

    Raises:
        MetricError: not (N, H, W, C) uint8, too few or too small images.

    Source: Wang et al. 2004 (SSIM); for diversity Odena et al. 2017, arXiv:1610.09585, who
    use five scales, which needs 176 pixels. Here one scale with a uniform 7 x 7 window,
    population variances, constants 0.01 and 0.03, windows inside the image only, each
    channel alone: the numbers of scikit-image with `use_sample_covariance=False`.

    Blind spot: alignment. Faces cropped alike are similar, and shifted copies are not.
    Noise counts as diversity, and a set of few very different images passes.
    """
    check_pixels(pixels)
    count, height, width, _ = pixels.shape
    if min(height, width) < WINDOW:
        raise MetricError(
            f"images of {height} x {width} pixels",
            expected=f"at least {WINDOW} x {WINDOW}",
            fix="another metric: these images are too small for windows",
        )
    if count < FEWEST:
        raise MetricError(
            f"{count} images", expected=f"at least {FEWEST}", fix="more images (--count N)"
        )
    chosen = np.random.default_rng(seed).permutation(count)
    pairs = min(pairs, count // 2)
    similarities = [
        _ssim(pixels[left], pixels[right])
        for left, right in zip(chosen[:pairs], chosen[pairs : 2 * pairs], strict=True)
    ]
    return Estimate.mean(torch.tensor(similarities)).within(-1, 1)


def _ssim(left: np.ndarray, right: np.ndarray) -> float:
    """The mean of the index over all windows and channels of two (H, W, C) uint8 images."""
    # Bytes would overflow in the products below.
    x, y = left.astype(np.float64), right.astype(np.float64)
    mean_x, mean_y = _window_means(x), _window_means(y)
    var_x = _window_means(x * x) - mean_x**2
    var_y = _window_means(y * y) - mean_y**2
    covariance = _window_means(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    contrast_and_structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return float((luminance * contrast_and_structure).mean())


def _window_means(values: np.ndarray) -> np.ndarray:
    """(H, W, C) -> the mean of every window that lies inside the image, channel by channel."""
    means = uniform_filter(values, size=WINDOW, axes=(0, 1))
    # The filter continues the image beyond its edges; those windows are no part of the index.
    edge = WINDOW // 2
    return means[edge:-edge, edge:-edge]

"""The log-likelihood of 2014, under Gaussian windows around generated images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate

SIGMAS = tuple(np.logspace(-1, 0, 10).tolist())
"""Window widths of the 2014 paper, of which the best on validation images is taken."""

WARNING = (
    "historical: centres of k-means score better than real images, so a higher Parzen "
    "log-likelihood does not mean a better generator (Theis et al. 2016, arXiv:1511.01844)"
)
"""To be shown wherever the number is."""

_ENTRIES = 1 << 24
"""Distances held at once; each takes 8 bytes, and about three copies of them exist."""


@dataclass(frozen=True)
class ParzenResult:
    """A log-likelihood, and the window that it was computed with.

    Args:
        log_likelihood: mean over test images, in nats. The "±" of papers is one standard
            error, the half-width of the interval divided by 1.96.
        sigma: standard deviation of the windows, in units of the pixels' range 0 to 1.
    """

    log_likelihood: Estimate
    sigma: float


def parzen_log_likelihood(
    fake: Tensor, validation: Tensor, test: Tensor, *, sigmas: Sequence[float] = SIGMAS
) -> ParzenResult:
    """How likely are test images under a Gaussian window around each generated one?

    This is how generators were compared in 2014. Kept to read those papers, not to compare
    generators: see `WARNING`.

    Args:
        fake: (N, D) flattened generated images in [0, 1]; 10,000 in the paper.
        validation: (V, D) real images that choose the window's width; 1,000 in the paper.
        test: (T, D) other real images, at least 2.
        sigmas: widths to choose from.

    Returns:
        Mean over the test images of the log density, in nats; higher is what 2014 called
        better. Depends on D, N and the scale of the pixels. The interval is that of other
        test images, with the generated ones and the width as they are.

    Raises:
        MetricError: not such images.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 5 (MNIST: 225 ± 2), and the
    protocol of their code: 10 widths from .1 to 1, the first 1,000 validation images.

    Blind spot: nearly everything. In hundreds of dimensions 10,000 windows are far from
    every test image, so the number rewards being close to the average digit: blurred
    images, or centres of k-means, beat real images. Memorised images score well.
    """
    sets = {"generated": fake, "validation": validation, "test": test}
    for kind, images in sets.items():
        _check(kind, images, width=fake.shape[-1])
    if not sigmas or min(sigmas) <= 0:
        raise MetricError(
            f"window widths {tuple(sigmas)}",
            expected="numbers above 0",
            fix="sigmas from 0.01 to 1",
        )
    by_sigma = log_densities(fake, validation, sigmas).mean(dim=1)
    sigma = sigmas[int(by_sigma.argmax())]
    return ParzenResult(Estimate.mean(log_densities(fake, test, [sigma])[0]), sigma)


def log_densities(centres: Tensor, points: Tensor, sigmas: Sequence[float]) -> Tensor:
    """How dense are Gaussian windows around the centres at each point?

    Args:
        centres: (N, D), one window around each, all of equal weight.
        points: (M, D).
        sigmas: S standard deviations of the windows.

    Returns:
        (S, M) log densities in nats, float64.
    """
    # In single precision the squared distances of near images would be mostly rounding.
    centres, points = centres.double(), points.double()
    count, dimensions = centres.shape
    norms = centres.square().sum(dim=1)
    found = torch.empty(len(sigmas), len(points), dtype=torch.float64)
    rows = max(1, _ENTRIES // count)
    for start in range(0, len(points), rows):
        block = points[start : start + rows]
        squared = torch.addmm(norms, block, centres.T, alpha=-2)
        squared += block.square().sum(dim=1, keepdim=True)
        for found_here, sigma in zip(found, sigmas, strict=True):
            normaliser = math.log(count) + dimensions / 2 * math.log(2 * math.pi * sigma**2)
            exponents = squared / (-2 * sigma**2)
            found_here[start : start + rows] = exponents.logsumexp(dim=1) - normaliser
    return found


def _check(kind: str, images: Tensor, *, width: int) -> None:
    if images.ndim != 2 or images.shape[1] != width:
        raise MetricError(
            f"{kind} images of shape {tuple(images.shape)}",
            expected=f"(N, {width}), flattened",
            fix="images.reshape(len(images), -1)",
        )
    least = 2 if kind == "test" else 1
    if len(images) < least:
        raise MetricError(
            f"{len(images)} {kind} images", expected=f"at least {least}", fix="more images"
        )
    # Written so that what is not a number is refused, too.
    if not ((images >= 0) & (images <= 1)).all():
        raise MetricError(
            f"{kind} images outside [0, 1]", expected="pixels divided by 255", fix="images / 255"
        )

"""How fast images change while the latent moves steadily."""

import math
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate

BATCH = 50
"""Points on paths whose images are computed at once."""
FEWEST = 100
"""Pairs of latents below which there is no percentile to drop."""
TRIM = 0.01
"""Share of the slowest, and of the fastest, points that is left out."""


def path_length(
    generator: Callable[[Tensor], Tensor],
    embed: Callable[[Tensor], Tensor] | None = None,
    *,
    z_dim: int,
    pairs: int = 2000,
    seed: int = 0,
) -> Estimate:
    """How abruptly do images change on the way from one latent to another?

    A point moves along the great circle between two random latents, from one at time 0 to
    the other at time 1. The number is the squared speed of its image on the way. Where
    faces turn into each other without detours, paths are short.

    Args:
        generator: (B, z_dim) standard normal latents to (B, C, H, W) images in [-1, 1],
            each from its own latent: put batch norm and dropout into evaluation mode.
        embed: images to (B, ...) features in which distances mean something; pixels if not
            given. It sees the images as the generator gave them, never rounded to 256
            levels, and must be differentiable as the generator must be.
        z_dim: length of a latent, at least 2.
        pairs: of latents, one point on the way between each two.
        seed: of the latents.

    Returns:
        Mean squared speed, in squared units of the features, without the slowest and the
        fastest percent of points. High: somewhere on the way images jump. Compare among
        generators of one image size and one embedding, and only beside a measure of
        diversity: nothing is smoother than a generator that always gives the same face.

    Raises:
        MetricError: too few pairs or latent dimensions, a speed that is not finite, or no
            derivative.
        RuntimeError: from torch, of numpy or inference mode between latent and features.

    Source: Karras et al. 2019, arXiv:1812.04948, whose features (LPIPS) need weights that
    are not shipped here. They divide the squared distance of two images by the square of a step
    of 1e-4 in time; this is the limit of small steps, by forward differentiation. For
    `classic-celeba28` both agree to 1e-4, but a step's size must be chosen: smaller steps are lost
    in float32 rounding. As there, latents are brought to one length: here sqrt(z_dim), close
    to that of a normal latent.

    Blind spot: collapse, and what the features do not see. In pixels, a moved edge costs
    more than another person.
    """
    if pairs < FEWEST or z_dim < 2:
        raise MetricError(
            f"{pairs} pairs of latents with {z_dim} dimensions",
            expected=f"at least {FEWEST} pairs and 2 dimensions",
            fix=f"{FEWEST} pairs or more",
        )

    def features(latents: Tensor) -> Tensor:
        images = generator(latents)
        return (images if embed is None else embed(images)).flatten(1)

    rng = torch.Generator().manual_seed(seed)
    points, velocities = _departures(pairs, z_dim, rng)
    speeds = torch.cat(
        [
            _squared_speeds(features, point, velocity)
            for point, velocity in zip(points.split(BATCH), velocities.split(BATCH), strict=True)
        ]
    )
    if not torch.isfinite(speeds).all():
        raise MetricError(
            "a speed that is not finite",
            expected="numbers from the generator",
            fix="an earlier checkpoint: --checkpoint best",
        )
    _refuse_missing_derivative(features, speeds, points)
    return _trimmed_mean(speeds)


def _departures(pairs: int, z_dim: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Where the way from one latent to another begins, and its velocity, (pairs, z_dim) each.

    The way is a great circle of radius sqrt(z_dim) and takes time 1. Looking at its
    beginning is enough: wherever one stands on it, point and direction are equally likely.
    """
    start, end = torch.randn(2, pairs, z_dim, generator=rng, dtype=torch.float64)
    start /= start.norm(dim=1, keepdim=True)
    along = (start * end).sum(dim=1, keepdim=True)
    aside = end - along * start
    across = aside.norm(dim=1, keepdim=True)
    angle = torch.atan2(across, along)
    radius = math.sqrt(z_dim)
    return (radius * start).float(), (radius * angle / across * aside).float()


def _squared_speeds(
    features: Callable[[Tensor], Tensor], points: Tensor, velocities: Tensor
) -> Tensor:
    """(B,) squared length of how each point's features change with time."""
    with warnings.catch_warnings():
        # Torch's own, when it loads its rules for forward differentiation.
        warnings.filterwarnings("ignore", message=".*jit.script", category=DeprecationWarning)
        changes = torch.func.jvp(features, (points,), (velocities,))[1]
    return changes.double().square().sum(dim=1)


def _refuse_missing_derivative(
    features: Callable[[Tensor], Tensor], speeds: Tensor, points: Tensor
) -> None:
    """Still images of different latents are equal, or the derivative was lost on the way."""
    if speeds.any():
        return
    with torch.no_grad():
        some = features(points[:BATCH])
    if (some != some[0]).any():
        raise MetricError(
            "images differ, yet none changes with its latent",
            expected="a generator and an embedding that torch can differentiate",
            fix="no rounding to pixels, no numpy and no detach() between latent and features",
        )


def _trimmed_mean(numbers: Tensor) -> Estimate:
    """The mean without the lowest and highest percent of (N,) independent numbers.

    The ends that are left out still matter for its error: they count as the nearest number
    that is left in (Tukey & McLaughlin 1963).
    """
    cut = int(TRIM * len(numbers))
    kept = numbers.sort().values[cut : len(numbers) - cut]
    variance = float(numbers.clamp(kept[0], kept[-1]).var())
    return Estimate.normal(
        float(kept.mean()), variance / (len(numbers) * (1 - 2 * TRIM) ** 2)
    ).within(0, math.inf)

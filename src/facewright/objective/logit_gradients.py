"""How steeply the discriminator's verdict changes around one kind of images, in one update."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from facewright.config import SlopeName
from facewright.objective.discriminator_inputs import View
from facewright.objective.penalties import (
    NEAREST,
    Judge,
    antithetic_penalty,
    nudge_for,
    nudged_penalty,
)

LEAST_NOISE = NEAREST
"""Antithetic noise is tried no nearer than other slopes, for the same reasons."""


@dataclass(frozen=True)
class Side:
    """The real images of an update, or the generated ones, and what was said of them.

    Args:
        images: (B, C, H, W) in [-1, 1].
        view: through which the discriminator saw them.
        opposite: the same with antithetic noise.
        noise: standard deviation of it.
        logits: (B,) what the discriminator said.
        directions: (B, C, H, W) standard normal, along which slopes are tried by finite
            differences; `None` where they are not.
        exact: `r1_penalty` or `r2_penalty`.
    """

    images: Tensor
    view: View
    opposite: View
    noise: float
    logits: Tensor
    directions: Tensor | None
    exact: Callable[[Judge, Tensor], Tensor]


def squared_slopes(judge: Judge, side: Side, how: SlopeName) -> Tensor:
    """The squared slope at each image.

    With exact slopes, and finite differences, it is taken with respect to the images before
    they are distorted; with antithetic noise, after it.

    Args:
        judge: the discriminator, which knows the labels.
        side: of the update.
        how: slopes are measured.

    Returns:
        (B,), to be used as that of `r1_penalty`.
    """

    def through(images: Tensor) -> Tensor:
        return judge(side.view(images))

    if how == "exact":
        return side.exact(through, side.images)
    if how == "finite-difference":
        assert side.directions is not None
        nudge = nudge_for(*side.images.shape[2:])
        return nudged_penalty(through, side.images, side.directions, nudge)
    behind = judge(side.opposite(side.images)).float()
    return antithetic_penalty(side.logits, behind, side.noise)

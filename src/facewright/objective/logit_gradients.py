"""The gradient of a discriminator's logit with respect to the image, measured in four ways.

One backward pass gives it for a whole batch as long as each logit depends on its own image
only; batch statistics in the discriminator (batch norm, minibatch discrimination) mix the
gradients of a batch. Whatever differentiates by the image runs in fp32, also under autocast:
squares of bf16 gradients are too coarse to be differentiated again. For that to hold, a
discriminator that turns autocast on in its own forward must be passed unwrapped, and `backward`
be called outside autocast. `finite_difference` and `antithetic_difference` do without gradients
with respect to images, and without these rules.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from facewright.config import SlopeName
from facewright.shapes import Images, Logits, PerImage

LogitFunction = Callable[[Images], Logits]
"""A discriminator that is given its conditions, or one that sees images transformed: the
gradient is then that with respect to the images as they were before."""

ImageTransform = Callable[[Tensor], Tensor]
"""(B, C, H, W) images as they are to what the discriminator sees; the same each time."""

GradientMethod = SlopeName | Literal["attached"]
"""How gradients are measured: as `loss.slope` says, or exactly and still attached to the generator
that made the images. A training step has to detach them: the penalty belongs to the discriminator.
The local analysis must not: the Jacobian also says how the discriminator's penalty changes when
the generator moves."""

LARGEST_EPSILON = 0.1
"""How far each pixel is moved to both sides, where an image spans 2; farther away the gradient is
that of another place."""
SMALLEST_EPSILON = 0.03
"""Below it the rounding of bf16, and the kinks of leaky ReLUs, drown the gradient in noise. Holds
for antithetic noise too."""
LARGEST_EPSILON_SIZE = 28
"""Images up to this size are moved as far as that; larger ones so that the distance over all pixels
together stays the same."""


@dataclass(frozen=True)
class EvaluatedImages:
    """The real images of an update, or the generated ones, with their logits.

    Args:
        images: (B, C, H, W) in [-1, 1].
        transform: through which the discriminator saw them.
        antithetic: the same transform with the noise of opposite sign.
        noise: standard deviation of it.
        logits: (B,) of the transformed images.
        directions: (B, C, H, W) standard normal, along which finite differences are taken;
            `None` where they are not.
    """

    images: Tensor
    transform: ImageTransform
    antithetic: ImageTransform
    noise: float
    logits: Tensor
    directions: Tensor | None


def squared_gradients(
    discriminator: LogitFunction,
    at: EvaluatedImages,
    method: GradientMethod,
    *,
    exact: Callable[[LogitFunction, Tensor], Tensor],
) -> Tensor:
    """The squared length of the logit's gradient at each image.

    Exactly, and by finite differences, it is taken with respect to the images before they are
    transformed; with antithetic noise, after it.

    Args:
        discriminator: given its conditions.
        at: the images.
        method: how to measure.
        exact: `r1_penalty` or `r2_penalty`, for the methods that differentiate.

    Returns:
        (B,), to be used as that of `r1_penalty`.
    """

    def through(images: Tensor) -> Tensor:
        return discriminator(at.transform(images))

    if method == "antithetic-noise":
        opposite = discriminator(at.antithetic(at.images)).float()
        return antithetic_difference(at.logits, opposite, at.noise)
    if method == "finite-difference":
        assert at.directions is not None
        return finite_difference(
            through, at.images, at.directions, epsilon_for(*at.images.shape[2:])
        )
    return exact(through, at.images)


def logit_gradients(
    discriminator: LogitFunction, images: Tensor, *, attached: bool = False
) -> Tensor:
    """(B, C * H * W) gradient of each logit with respect to its image, itself differentiable.

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        images: (B, C, H, W). Left untouched.
        attached: whether gradients go on to what made the images. If not, they are detached,
            and in fp32.
    """
    if not attached:
        images = images.detach().float()
    if not images.requires_grad:
        images = images.detach().requires_grad_(True)
    with torch.autocast(images.device.type, enabled=False):
        logits = discriminator(images)
        (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.flatten(1)


def epsilon_for(height: int, width: int) -> float:
    """How far should each pixel be moved to both sides in images of this size?

    At 28 px, 0.1 sees nearly all of the gradient; at 64 px less of it than 0.044 does, and ever
    less as training goes on. So the distance over all pixels together is kept: a rule of thumb
    from these two sizes (docs/decisions/0010).

    Args:
        height: of the images in pixels.
        width: likewise.

    Returns:
        The distance in each pixel, from 0.03 to 0.1.
    """
    scaled = LARGEST_EPSILON * LARGEST_EPSILON_SIZE / math.sqrt(height * width)
    return min(LARGEST_EPSILON, max(SMALLEST_EPSILON, scaled))


def finite_difference(
    discriminator: LogitFunction, images: Images, directions: Images, epsilon: float
) -> PerImage:
    """How steep is the logit around images, measured along one random line through each?

    On average over directions it is `r1_penalty`, or `r2_penalty`, of a discriminator smoothed
    over epsilon, plus what curves within epsilon more than a parabola does; the same holds for
    its gradients. Nothing is differentiated twice, so it may be compiled, and runs in the
    precision and the memory format of the rest of the training.

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits, the same each time: dropout
            would be taken for a gradient.
        images: (B, C, H, W) real or generated images in [-1, 1]. Left untouched, and no
            gradient reaches the generator.
        directions: (B, C, H, W) standard normal, drawn by the caller.
        epsilon: how far to go in each pixel; `epsilon_for` their size.

    Returns:
        (B,) squared directional derivative, to be used as the squared length of `r1_penalty`. A
        single one has a standard deviation of 1.4 times its mean, because of the direction.

    Source: Lin et al. 2025, arXiv:2501.08316, who compare with the logit of the image itself.
    That costs half as much, but takes curvature for a gradient: docs/decisions/0010.
    """
    step = epsilon * directions
    ahead, behind = (discriminator(images.detach() + move).float() for move in (step, -step))
    return ((ahead - behind) / (2 * epsilon)).square()


def antithetic_difference(ahead: Logits, behind: Logits, noise: float) -> PerImage:
    """How steep is the logit around images, from one side of the instance noise to the other?

    For a discriminator that sees noisy images, and is evaluated once more with antithetic noise:
    on average over the noise it is what `finite_difference` is.

    Args:
        ahead: (B,) logits of images + noise * e, where e is standard normal.
        behind: (B,) logits of images - noise * e.
        noise: standard deviation of the noise; above 0.

    Returns:
        (B,) squared directional derivative along e, to be used as that of `r1_penalty`.

    Source: this project, docs/decisions/0010; antithetic variates are Hammersley & Morton's
    (1956, "A new Monte Carlo technique: antithetic variates").
    """
    return ((ahead - behind) / (2 * noise)).square()

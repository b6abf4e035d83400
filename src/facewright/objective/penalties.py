"""Keeping the discriminator smooth: penalties on its slope, and a bound on its weights.

The slope is the gradient of an image's logit with respect to its pixels. One backward
pass gives it for the whole batch as long as each logit depends on its own image only;
batch statistics in the discriminator (batch norm, minibatch discrimination) mix the
slopes of a batch. Every penalty made of slopes runs in fp32, also under autocast: squares of
bf16 gradients are too coarse to be differentiated again. For that to hold, a discriminator
that turns autocast on in its own forward must be passed unwrapped, and `backward` be
called outside autocast. `nudged_penalty` and `antithetic_penalty` do without gradients of
images, and without these rules.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from facewright.shapes import Images, Logits, PerImage

Judge = Callable[[Images], Logits]
"""A discriminator, or one that sees images through distortions: the slope is then that
with respect to the images as they were before."""


SLOPE_POWER = 3.1
"""R1 and R2 weigh as this power of the size: the line through the weights of Huang et al. 2024,
arXiv:2501.05441, at 64 and 256 px. Wanted before it is more than a beginning: runs at one more
size with this weight, and with a quarter and four times of it."""

FARTHEST = 0.1
"""How far the verdict is tried to both sides, in each pixel, where an image spans 2; beyond it the
slope is that of somewhere else."""
NEAREST = 0.03
"""Below it the rounding of bf16, and the kinks of leaky ReLUs, drown the gradient in noise."""
FARTHEST_SIZE = 28
"""Images of up to this size are tried as far as that; larger ones so that the way over all pixels
together is as long as theirs."""


def r1_penalty(discriminator: Judge, real: Images) -> PerImage:
    """How steeply does the verdict change around real images?

    Training settles only if the verdict becomes flat on real data; a value that keeps
    growing is an early sign of divergence.

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        real: (B, C, H, W) float images in [-1, 1]. Left untouched.

    Returns:
        (B,) squared length of each image's slope. The caller averages it and multiplies
        by gamma / 2.

    Source: Mescheder et al. 2018, arXiv:1801.04406 (R1). The sum, not the mean, over
    pixels: gamma therefore depends on resolution.
    """
    return _slopes(discriminator, real).square().sum(dim=1)


def r2_penalty(discriminator: Judge, fake: Images) -> PerImage:
    """How steeply does the verdict change around generated images?

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        fake: (B, C, H, W) generated images. Left untouched, and no gradient reaches the
            generator: the penalty belongs to the discriminator.

    Returns:
        (B,) squared length of each image's slope, to be used as that of `r1_penalty`.

    Source: Mescheder et al. 2018, arXiv:1801.04406 (R2).
    """
    return _slopes(discriminator, fake).square().sum(dim=1)


def nudge_for(height: int, width: int) -> float:
    """How far should the verdict be tried to both sides of images of this size?

    At 28 px, 0.1 sees nearly all of the slope; at 64 px less of it than 0.044 does, in training
    ever less. So the way over all pixels together is kept: a rule of thumb from these two sizes
    (docs/decisions/0010).

    Args:
        height: of the images in pixels.
        width: likewise.

    Returns:
        The way in each pixel, from 0.03 to 0.1.
    """
    return min(FARTHEST, max(NEAREST, FARTHEST * FARTHEST_SIZE / math.sqrt(height * width)))


def nudged_penalty(
    discriminator: Judge, images: Images, directions: Images, nudge: float
) -> PerImage:
    """How steeply does the verdict change around images, tried along one line each?

    On average over directions it is `r1_penalty`, or `r2_penalty`, of a discriminator smoothed
    over the nudge, and what bends within the nudge beyond a parabola comes on top; so with its
    gradients. Nothing is differentiated twice, so it may be compiled, and runs in the precision
    and the memory format of the rest of the training.

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits, the same each time: dropout
            would be taken for a slope.
        images: (B, C, H, W) real or generated images in [-1, 1]. Left untouched, and no
            gradient reaches the generator.
        directions: (B, C, H, W) standard normal, drawn by the caller.
        nudge: how far to go in each pixel; `nudge_for` their size.

    Returns:
        (B,) squared slope along the direction, to be used as that of `r1_penalty`. A single
        one scatters by 1.4 times its mean, because of the direction.

    Source: Lin et al. 2025, arXiv:2501.08316, who compare with the verdict on the image
    itself. That costs half as much, but takes curvature for slope: docs/decisions/0010.
    """
    step = nudge * directions
    ahead, behind = (discriminator(images.detach() + way).float() for way in (step, -step))
    return ((ahead - behind) / (2 * nudge)).square()


def antithetic_penalty(ahead: Logits, behind: Logits, distance: float) -> PerImage:
    """How steeply does the verdict change from one side of an image to the other?

    The penalty of a discriminator that sees noisy images, and looks once more with antithetic
    noise: on average over the noise it is what `nudged_penalty` is.

    Args:
        ahead: (B,) logits of images + distance * e, where e is standard normal.
        behind: (B,) logits of images - distance * e.
        distance: how far the sides are from the images; above 0.

    Returns:
        (B,) squared slope along e, to be used as that of `r1_penalty`.

    Source: this project, docs/decisions/0010; antithetic variates are Hammersley & Morton's
    (1956, "A new Monte Carlo technique: antithetic variates").
    """
    return ((ahead - behind) / (2 * distance)).square()


def gradient_penalty(discriminator: Judge, real: Images, fake: Images, mix: PerImage) -> PerImage:
    """How far is the slope between real and generated images from length 1?

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        real: (B, C, H, W) float images in [-1, 1]. Left untouched.
        fake: (B, C, H, W) generated images, one for each real one. Left untouched.
        mix: (B,) uniform in [0, 1], drawn by the caller: the share of the fake image.

    Returns:
        (B,) (length of the slope - 1) squared at the mixed images. The caller averages
        it and multiplies by lambda (10 in the paper).

    Source: Gulrajani et al. 2017, arXiv:1704.00028.
    """
    mixed = torch.lerp(real.detach().float(), fake.detach().float(), mix.view(-1, 1, 1, 1))
    # vector_norm has a gradient (0) at slope 0, where the square root of a sum has none.
    return (torch.linalg.vector_norm(_slopes(discriminator, mixed), dim=1) - 1).square()


@torch.no_grad()
def clip_weights(discriminator: nn.Module, bound: float) -> None:
    """Put every weight back into [-bound, bound], after each discriminator update.

    The crude way to bound the slope: weights gather at the two ends. Prefer
    `gradient_penalty`.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1 (0.01 there).
    """
    for weight in discriminator.parameters():
        weight.clamp_(-bound, bound)


def _slopes(discriminator: Judge, images: Tensor) -> Tensor:
    """(B, C * H * W) gradient of each logit by its image, itself differentiable."""
    images = images.detach().float().requires_grad_(True)
    with torch.autocast(images.device.type, enabled=False):
        logits = discriminator(images)
        (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slopes.flatten(1)

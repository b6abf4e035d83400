"""Keeping the discriminator smooth: penalties on its gradient, and a bound on its weights.

A new penalty is a function and a line of `PENALTIES` here, and a weight of the same name in
`config.LossConfig`. The losses, schedules, the memory estimate and the equilibrium's notes go
through the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.objective.logit_gradients import (
    EvaluatedImages,
    GradientMethod,
    LogitFunction,
    logit_gradients,
    squared_gradients,
)
from facewright.shapes import Images, PerImage

PENALTY_POWER = 3.1
"""R1 and R2 weigh as this power of the size: the line through the weights of Huang et al. 2024,
arXiv:2501.05441, at 64 and 256 px. Wanted before it is more than a beginning: runs at one more
size with this weight, and with a quarter and four times of it."""


def r1_penalty(discriminator: LogitFunction, real: Images, *, attached: bool = False) -> PerImage:
    """How steep is the discriminator's logit around real images?

    Training settles only if the logit becomes flat on real data; a value that keeps growing is
    an early sign of divergence.

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        real: (B, C, H, W) float images in [-1, 1]. Left untouched.
        attached: as in `logit_gradients`.

    Returns:
        (B,) squared length of each logit's gradient. The caller averages it and multiplies
        by gamma / 2.

    Source: Mescheder et al. 2018, arXiv:1801.04406 (R1). The sum, not the mean, over
    pixels: gamma therefore depends on resolution.
    """
    return logit_gradients(discriminator, real, attached=attached).square().sum(dim=1)


def r2_penalty(discriminator: LogitFunction, fake: Images, *, attached: bool = False) -> PerImage:
    """How steep is the discriminator's logit around generated images?

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        fake: (B, C, H, W) generated images. Left untouched, and no gradient reaches the
            generator unless `attached`: the penalty belongs to the discriminator.
        attached: as in `logit_gradients`.

    Returns:
        (B,) squared length of each logit's gradient, to be used as that of `r1_penalty`.

    Source: Mescheder et al. 2018, arXiv:1801.04406 (R2).
    """
    return logit_gradients(discriminator, fake, attached=attached).square().sum(dim=1)


def gradient_penalty(
    discriminator: LogitFunction,
    real: Images,
    fake: Images,
    mix: PerImage,
    *,
    attached: bool = False,
) -> PerImage:
    """How far is the gradient between real and generated images from length 1?

    Args:
        discriminator: maps (B, C, H, W) images to (B,) logits.
        real: (B, C, H, W) float images in [-1, 1]. Left untouched.
        fake: (B, C, H, W) generated images, one for each real one. Left untouched.
        mix: (B,) uniform in [0, 1], drawn by the caller: the share of the fake image.
        attached: as in `logit_gradients`.

    Returns:
        (B,) (length of the gradient - 1) squared at the mixed images. The caller averages
        it and multiplies by lambda (10 in the paper).

    Source: Gulrajani et al. 2017, arXiv:1704.00028.
    """
    if not attached:
        real, fake = real.detach().float(), fake.detach().float()
    mixed = torch.lerp(real, fake, mix.view(-1, 1, 1, 1))
    gradients = logit_gradients(discriminator, mixed, attached=attached)
    # vector_norm has a gradient (0) at length 0, where the square root of a sum has none.
    return (torch.linalg.vector_norm(gradients, dim=1) - 1).square()


@torch.no_grad()
def clip_weights(discriminator: nn.Module, bound: float) -> None:
    """Put every weight back into [-bound, bound], after each discriminator update.

    The crude way to bound the gradient: weights gather at the two ends. Prefer
    `gradient_penalty`.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1 (0.01 there).
    """
    for weight in discriminator.parameters():
        weight.clamp_(-bound, bound)


@dataclass(frozen=True)
class PenaltyInputs:
    """Everything that a penalty may depend on.

    Args:
        discriminator: given its conditions.
        real: the real images of the update.
        fake: the generated ones.
        mix: (B,) in [0, 1], where between the two `gradient_penalty` is taken.
        method: how gradients are measured.
    """

    discriminator: LogitFunction
    real: EvaluatedImages
    fake: EvaluatedImages
    mix: Tensor
    method: GradientMethod

    @property
    def attached(self) -> bool:
        """Whether exact gradients go on to the generator."""
        return self.method == "attached"


def _at_real(given: PenaltyInputs) -> Tensor:
    exact = partial(r1_penalty, attached=given.attached)
    return squared_gradients(given.discriminator, given.real, given.method, exact=exact)


def _at_fake(given: PenaltyInputs) -> Tensor:
    exact = partial(r2_penalty, attached=given.attached)
    return squared_gradients(given.discriminator, given.fake, given.method, exact=exact)


def _between(given: PenaltyInputs) -> Tensor:
    def through(images: Tensor) -> Tensor:
        return given.discriminator(given.real.transform(images))

    real, fake = given.real.images, given.fake.images
    return gradient_penalty(through, real, fake, given.mix, attached=given.attached)


@dataclass(frozen=True)
class Penalty:
    """One term that may be added to the discriminator's loss.

    Args:
        title: for readers, as in "sought under R1".
        per_image: its (B,) values, before weight and mean.
        factor: multiplies the weight.
        uses_slope: measured as `loss.slope` says; if not, always exactly.
    """

    title: str
    per_image: Callable[[PenaltyInputs], Tensor]
    factor: float = 1.0
    uses_slope: bool = False


PENALTIES = {
    "r1": Penalty("R1", _at_real, factor=1 / 2, uses_slope=True),
    "r2": Penalty("R2", _at_fake, factor=1 / 2, uses_slope=True),
    "gradient_penalty": Penalty("a gradient penalty", _between),
}
"""Every penalty, by the name of its weight in `LossConfig`, in the order of addition."""


UNPENALISED = LossConfig()
"""Weights that add nothing to a game."""


def active_penalties(weights: LossConfig) -> dict[str, Penalty]:
    """Those with a weight above 0."""
    return {name: one for name, one in PENALTIES.items() if getattr(weights, name) > 0}

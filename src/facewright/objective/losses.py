"""The two losses: what the discriminator and the generator minimise on one batch.

The training step, the equilibrium probe and the local analysis all call these two functions.
Where they differ (in precision, in how gradients are measured, in whether they want the mean or
each image's own value) the difference is an argument.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.networks.conditional import conditioned
from facewright.objective.adversarial import Game
from facewright.objective.discriminator_inputs import UNCHANGED, BatchInputs
from facewright.objective.logit_gradients import EvaluatedImages, GradientMethod
from facewright.objective.penalties import PenaltyInputs, active_penalties
from facewright.objective.techniques import HistoricalAverage, feature_matching_loss

Reduction = Callable[[Tensor], Tensor]
"""Of the (B,) values of a batch: their mean, or the values themselves."""


def each_image(values: Tensor) -> Tensor:
    """The reduction that keeps every image's own value."""
    return values


def mean_features(features: Tensor) -> Tensor:
    """(1, F) mean of (B, F) features."""
    return features.mean(0, keepdim=True)


@dataclass(frozen=True)
class DiscriminatorLoss:
    """What the discriminator minimises, in its two parts.

    Args:
        game: the loss of the game; a mean, or (B,) values.
        penalty: everything added to it, in the same form. A scalar 0 where nothing is added.
        real_logits: (B,) of the real images.
        fake_logits: (B,) of the generated ones.
    """

    game: Tensor
    penalty: Tensor
    real_logits: Tensor
    fake_logits: Tensor

    @property
    def total(self) -> Tensor:
        """Both parts together."""
        return self.game + self.penalty


def discriminator_loss(
    discriminator: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor,
    mix: Tensor,
    *,
    game: Game,
    weights: LossConfig,
    inputs: BatchInputs = UNCHANGED,
    method: GradientMethod = "exact",
    directions: Tensor | None = None,
    history: HistoricalAverage | None = None,
    reduction: Reduction = torch.mean,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> DiscriminatorLoss:
    """How badly does the discriminator tell real from fake, and how steep is it?

    Args:
        discriminator: maps (B, C, H, W) images, and conditions if it has any, to (B,) logits.
        real: (B, C, H, W) photos in [-1, 1].
        fake: (B, C, H, W) generated images in [-1, 1]. Gradients reach what made them, unless
            they are detached; those of penalties only with the method "attached".
        mix: (B,) in [0, 1], where between real and fake the gradient penalty is taken.
        game: both players' losses, label smoothing included.
        weights: of everything added to the game's loss.
        inputs: through which the discriminator sees the images, and its conditions.
        method: how penalties measure gradients.
        directions: (2, B, C, H, W) standard normal, for real and for generated images; needed
            for the method "finite-difference".
        history: of the discriminator's weights; `None` without historical averaging.
        reduction: of each term over the batch.
        autocast: gives the context in which networks are evaluated.
    """
    critic = conditioned(discriminator, inputs.conditions)
    with autocast():
        real_logits = _single(critic(inputs.real(real)))
        fake_logits = _single(critic(inputs.fake(fake)))
    loss = reduction(game.d_loss(real_logits, fake_logits))

    # Historical averaging comes first in the sum: rounding, and with it old runs, depend on it.
    penalty = historical_averaging(history, weights, like=real)
    opposite, noise = inputs.antithetic(), inputs.noise
    along_real, along_fake = (None, None) if directions is None else directions
    given = PenaltyInputs(
        critic,
        EvaluatedImages(real, inputs.real, opposite.real, noise, real_logits, along_real),
        EvaluatedImages(fake, inputs.fake, opposite.fake, noise, fake_logits, along_fake),
        mix,
        method,
    )
    for name, one in active_penalties(weights).items():
        # Each in a context of its own: within one, autocast keeps one bf16 copy of the weights,
        # and the gradients of everything evaluated there would add up in bf16. Exact gradients
        # turn autocast off for themselves.
        with autocast():
            values = one.per_image(given)
        penalty = penalty + one.factor * getattr(weights, name) * reduction(values)
    return DiscriminatorLoss(loss, penalty, real_logits, fake_logits)


def generator_loss(
    discriminator: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor,
    *,
    game: Game,
    weights: LossConfig,
    inputs: BatchInputs = UNCHANGED,
    reduction: Reduction = torch.mean,
    feature_mean: Reduction = mean_features,
    logits: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """How far are the generated images from being taken for real?

    Historical averaging is not in it: the curves of a run show the loss without.

    Args:
        discriminator: as for `discriminator_loss`. For feature matching it has `features`.
        real: (B, C, H, W) photos in [-1, 1].
        fake: (B, C, H, W) generated images in [-1, 1], attached to the generator.
        game: both players' losses.
        weights: says whether features are matched instead.
        inputs: through which the discriminator sees the images, and its conditions.
        reduction: of the game's loss over the batch.
        feature_mean: (B, F) features to their (1, F) mean; over all processes, if there are some.
        logits: (B,) of the real and of the generated images, where they have been computed. The
            loss is then differentiable by the discriminator's weights through both.

    Returns:
        The reduced loss; with feature matching always a scalar.
    """
    if weights.feature_matching:
        features = cast(Callable[[Tensor], Tensor], cast(nn.Module, discriminator).features)
        with torch.no_grad():
            real_mean = feature_mean(_single(features(inputs.real(real))))
        return feature_matching_loss(real_mean, feature_mean(_single(features(inputs.fake(fake)))))
    if logits is not None:
        return reduction(game.g_loss(*logits))
    critic = conditioned(discriminator, inputs.conditions)
    fake_logits = _single(critic(inputs.fake(fake)))
    # Most games do not use real logits here: then they are not computed.
    if not game.g_sees_real:
        return reduction(game.g_loss(torch.zeros_like(fake_logits), fake_logits))
    with torch.no_grad():
        real_logits = _single(critic(inputs.real(real)))
    return reduction(game.g_loss(real_logits, fake_logits))


def historical_averaging(
    history: HistoricalAverage | None, weights: LossConfig, *, like: Tensor
) -> Tensor:
    """What a player pays for the distance of its weights to their mean over time.

    Args:
        history: of the weights; `None` without historical averaging, which then costs 0.
        weights: of the terms.
        like: a tensor of the type and on the device wanted.
    """
    if history is None:
        return like.new_zeros(())
    return weights.historical_averaging * history()


def _single(values: Tensor) -> Tensor:
    """In fp32 at least: bf16 is too coarse for losses."""
    return values.to(torch.promote_types(values.dtype, torch.float32))

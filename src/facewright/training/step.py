"""One move of each player."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.networks.conditional import informed
from facewright.networks.processes import mean_over_processes
from facewright.objective.adversarial import Game, game_named
from facewright.objective.discriminator_inputs import AS_THEY_ARE, Views
from facewright.objective.logit_gradients import Side, squared_slopes
from facewright.objective.penalties import clip_weights, gradient_penalty, r1_penalty, r2_penalty
from facewright.objective.techniques import feature_matching_loss
from facewright.training.micro_batches import Portion, joined, portions
from facewright.training.state import Player

Stats = dict[str, Tensor]
"""Numbers of one step, still on the device so that nobody has to wait for them."""

Fakes = Callable[[slice], Tensor]
"""Makes, or gives out, some rows of a batch of generated images."""


@dataclass(frozen=True)
class Rules:
    """What each player is after, and on what hardware they play.

    Args:
        game: both losses, label smoothing included.
        loss: weights of everything added to them.
        fabric: device, precision and processes.
        micro_batch: images that go through a network at once; 0 for all of a batch.
    """

    game: Game
    loss: LossConfig
    fabric: Fabric
    micro_batch: int = 0

    @classmethod
    def of(cls, loss: LossConfig, fabric: Fabric, micro_batch: int = 0) -> "Rules":
        """The rules that a configuration names."""
        return cls(game_named(loss.game, loss.real_target), loss, fabric, micro_batch)

    def portions(self, images: int) -> list[Portion]:
        """How so many images of this process go through a network."""
        return portions(images, self.micro_batch)


@dataclass(frozen=True)
class Look:
    """What the discriminator said of a portion of a batch; without gradients.

    Args:
        loss: what the portion adds to the mean loss of the batch.
        penalty: the same for the penalties.
        real_logits: (N,) one for each real image of the portion.
        fake_logits: (N,) the same for the generated ones.
    """

    loss: Tensor
    penalty: Tensor
    real_logits: Tensor
    fake_logits: Tensor


def discriminator_step(
    player: Player,
    real: Tensor,
    fake: Tensor,
    mix: Tensor,
    rules: Rules,
    views: Views = AS_THEY_ARE,
    directions: Tensor | None = None,
) -> Stats:
    """The discriminator learns to tell real from fake.

    Args:
        player: the discriminator; its weights change.
        real: (B, C, H, W) photos in [-1, 1].
        fake: (B, C, H, W) generated images in [-1, 1], cut off from the generator.
        mix: (B,) in [0, 1], where between real and fake the gradient penalty looks.
        rules: of the game.
        views: through which the player sees the images.
        directions: (2, B, C, H, W) standard normal, along which slopes on real and on
            generated images are tried; needed where `rules` want finite differences.
            Antithetic noise needs views with noise instead.

    Returns:
        Scalars by the names of `records.record.STEP_FIELDS`, averaged over processes. They
        describe the discriminator as it was before this step.
    """
    looks: list[Look] = []

    def loss_of(portion: Portion) -> Tensor:
        rows, seen = portion.rows, views.of(portion.rows)
        judge = informed(player.network, seen.conditions)
        with rules.fabric.autocast():
            real_logits = judge(seen.real(real[rows])).float()
            fake_logits = judge(seen.fake(fake[rows])).float()
        loss = rules.game.d_loss(real_logits, fake_logits).mean()
        along = (None, None) if directions is None else directions[:, rows]
        other, noise = seen.antithetic(), seen.noise
        sides = (
            Side(real[rows], seen.real, other.real, noise, real_logits, along[0], r1_penalty),
            Side(fake[rows], seen.fake, other.fake, noise, fake_logits, along[1], r2_penalty),
        )
        penalty = _d_penalty(player, sides, mix[rows], rules, seen.conditions)
        said = (portion.of_whole(loss), portion.of_whole(penalty), real_logits, fake_logits)
        looks.append(Look(*(value.detach() for value in said)))
        return loss + penalty

    norm = _descend(player, rules.portions(len(real)), loss_of, rules.fabric)
    if rules.loss.clip > 0:
        clip_weights(player.network, rules.loss.clip)
    return _d_stats(looks, rules.fabric) | {"d_grad_norm": norm}


def _d_stats(looks: list[Look], fabric: Fabric) -> Stats:
    real_logits = joined([look.real_logits for look in looks])
    fake_logits = joined([look.fake_logits for look in looks])
    with torch.no_grad():
        means = {
            "d_loss": _total([look.loss for look in looks]),
            "d_penalty": _total([look.penalty for look in looks]),
            "d_real": real_logits.sigmoid().mean(),
            "d_fake": fake_logits.sigmoid().mean(),
            "real_logit": real_logits.mean(),
            "fake_logit": fake_logits.mean(),
            "paired_accuracy": (real_logits > fake_logits).float().mean(),
        }
        means = _over_processes(means, fabric)
        # Around the mean of the whole batch, so the processes have to agree on it first.
        variances = {
            "real_logit_std": (real_logits - means["real_logit"]).square().mean(),
            "fake_logit_std": (fake_logits - means["fake_logit"]).square().mean(),
        }
        variances = _over_processes(variances, fabric)
    return means | {name: variance.sqrt() for name, variance in variances.items()}


def generator_step(
    player: Player,
    judge: Player,
    real: Tensor,
    fakes: Fakes,
    rules: Rules,
    views: Views = AS_THEY_ARE,
) -> Stats:
    """The generator learns to be taken for real.

    Args:
        player: the generator; its weights change.
        judge: the discriminator; stays as it is.
        real: (B, C, H, W) photos in [-1, 1].
        fakes: (B, C, H, W) images in [-1, 1], still attached to the generator, by rows.
        rules: of the game.
        views: through which the judge sees the images.

    Returns:
        Scalars by the names of `records.record.STEP_FIELDS`, averaged over processes.
    """
    # The judge's own weight gradients would be thrown away: not computing them saves time.
    _let_learn(judge, False)
    losses: list[Tensor] = []

    def loss_of(portion: Portion) -> Tensor:
        rows = portion.rows
        with rules.fabric.autocast():
            loss = _g_loss(judge.network, real[rows], fakes(rows), rules, views.of(rows))
        losses.append(portion.of_whole(loss.detach()))
        return loss + _history_penalty(player, rules.loss)

    norm = _descend(player, rules.portions(len(real)), loss_of, rules.fabric)
    _let_learn(judge, True)
    return _over_processes({"g_loss": _total(losses)}, rules.fabric) | {"g_grad_norm": norm}


def _let_learn(player: Player, learns: bool) -> None:
    for weight in player.weights:
        weight.requires_grad_(learns)


def _g_loss(
    discriminator: nn.Module, real: Tensor, fake: Tensor, rules: Rules, views: Views
) -> Tensor:
    if rules.loss.feature_matching:
        features = cast(Callable[[Tensor], Tensor], discriminator.features)
        with torch.no_grad():
            real_features = features(views.real(real)).float()
            real_mean = mean_over_processes(real_features.mean(0, keepdim=True))
        fake_features = features(views.fake(fake)).float()
        fake_mean = mean_over_processes(fake_features.mean(0, keepdim=True))
        return feature_matching_loss(real_mean, fake_mean)
    judge = informed(discriminator, views.conditions)
    fake_logits = judge(views.fake(fake)).float()
    # Most games do not look at real images here: then the judge need not either.
    if not rules.game.g_sees_real:
        return rules.game.g_loss(torch.zeros_like(fake_logits), fake_logits).mean()
    with torch.no_grad():
        real_logits = judge(views.real(real)).float()
    return rules.game.g_loss(real_logits, fake_logits).mean()


def _d_penalty(
    player: Player, sides: tuple[Side, Side], mix: Tensor, rules: Rules, known: Tensor | None
) -> Tensor:
    judge = informed(player.network, known)
    weights, total = rules.loss, _history_penalty(player, rules.loss)
    for weight, side in zip((weights.r1, weights.r2), sides, strict=True):
        if weight > 0:
            with rules.fabric.autocast():  # which exact slopes turn off for themselves
                penalty = squared_slopes(judge, side, weights.slope)
            total = total + weight / 2 * penalty.mean()
    if weights.gradient_penalty > 0:
        real, fake = sides

        def through(images: Tensor) -> Tensor:
            return judge(real.view(images))

        penalty = gradient_penalty(through, real.images, fake.images, mix)
        total = total + weights.gradient_penalty * penalty.mean()
    return total


def _history_penalty(player: Player, weights: LossConfig) -> Tensor:
    if player.history is None:
        return torch.zeros((), device=player.weights[0].device)
    return weights.historical_averaging * player.history()


def _descend(
    player: Player, parts: list[Portion], loss_of: Callable[[Portion], Tensor], fabric: Fabric
) -> Tensor:
    """One update of the player's weights; returns the length of the gradient."""
    player.optimiser.zero_grad(set_to_none=True)
    for portion in parts:
        # No name is given to the loss: it would keep all of a portion beside the next one.
        fabric.backward(portion.of_whole(loss_of(portion)))
    gradients = [weight.grad for weight in player.weights if weight.grad is not None]
    _average(gradients, fabric)
    player.optimiser.step()
    if player.history is not None:
        player.history.update()
    return torch.nn.utils.get_total_norm(gradients)


@torch.no_grad()
def _average(tensors: Iterable[Tensor], fabric: Fabric) -> None:
    """Replace each tensor by its mean over all processes, in one message."""
    if fabric.world_size == 1:
        return
    # By hand rather than with DistributedDataParallel, which counts on one forward pass
    # for each backward pass; a GAN step has up to four, and penalties of second order.
    tensors = list(tensors)
    message = torch.cat([t.flatten() for t in tensors])
    fabric.all_reduce(message, reduce_op="mean")
    for tensor, part in zip(tensors, message.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def _total(parts: list[Tensor]) -> Tensor:
    """The mean over a batch, from what each portion adds to it."""
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum()


def _over_processes(means: Stats, fabric: Fabric) -> Stats:
    means = {name: value.detach() for name, value in means.items()}
    if fabric.world_size > 1:
        means = {name: value.clone() for name, value in means.items()}
        _average(means.values(), fabric)
    return means

"""One update of each player: micro-batches, processes, and the numbers that are recorded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from facewright.config import LossConfig
from facewright.networks.processes import mean_over_processes
from facewright.objective.adversarial import Game, game_named
from facewright.objective.discriminator_inputs import UNCHANGED, BatchInputs
from facewright.objective.losses import (
    DiscriminatorLoss,
    discriminator_loss,
    generator_loss,
    historical_averaging,
    mean_features,
)
from facewright.objective.penalties import clip_weights
from facewright.training.micro_batches import MicroBatch, joined, micro_batches
from facewright.training.state import Player

Stats = dict[str, Tensor]
"""Numbers of one step, still on the device so that nothing has to wait for them."""

Fakes = Callable[[slice], Tensor]
"""Generates, or looks up, some rows of a batch of generated images."""


@dataclass(frozen=True)
class Rules:
    """What each player minimises, and on what hardware.

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

    def micro_batches(self, images: int) -> list[MicroBatch]:
        """How so many images of this process go through a network."""
        return micro_batches(images, self.micro_batch)


def discriminator_step(
    player: Player,
    real: Tensor,
    fake: Tensor,
    mix: Tensor,
    rules: Rules,
    inputs: BatchInputs = UNCHANGED,
    directions: Tensor | None = None,
) -> Stats:
    """The discriminator learns to tell real from fake.

    Args:
        player: the discriminator; its weights change.
        real: (B, C, H, W) photos in [-1, 1].
        fake: (B, C, H, W) generated images in [-1, 1], detached from the generator.
        mix: (B,) in [0, 1], where between real and fake the gradient penalty is taken.
        rules: of the game.
        inputs: through which the discriminator sees the images.
        directions: (2, B, C, H, W) standard normal, along which finite differences are taken
            on real and on generated images; needed where `rules` want those. Antithetic noise
            needs inputs with noise instead.

    Returns:
        Scalars by the names of `records.record.STEP_FIELDS`, averaged over processes. They
        describe the discriminator as it was before this step.
    """
    parts: list[DiscriminatorLoss] = []

    def loss_of(micro_batch: MicroBatch) -> Tensor:
        rows = micro_batch.rows
        loss = discriminator_loss(
            player.network,
            real[rows],
            fake[rows],
            mix[rows],
            game=rules.game,
            weights=rules.loss,
            inputs=inputs.of(rows),
            method=rules.loss.slope,
            directions=None if directions is None else directions[:, rows],
            history=player.history,
            autocast=rules.fabric.autocast,
        )
        parts.append(
            DiscriminatorLoss(
                micro_batch.of_whole(loss.game).detach(),
                micro_batch.of_whole(loss.penalty).detach(),
                loss.real_logits.detach(),
                loss.fake_logits.detach(),
            )
        )
        return loss.total

    norm = _descend(player, rules.micro_batches(len(real)), loss_of, rules.fabric)
    if rules.loss.clip > 0:
        clip_weights(player.network, rules.loss.clip)
    return _d_stats(parts, rules.fabric) | {"d_grad_norm": norm}


def _d_stats(parts: list[DiscriminatorLoss], fabric: Fabric) -> Stats:
    """From what each micro-batch adds to the mean of the whole batch, without gradients."""
    real_logits = joined([part.real_logits for part in parts])
    fake_logits = joined([part.fake_logits for part in parts])
    with torch.no_grad():
        means = {
            "d_loss": _total([part.game for part in parts]),
            "d_penalty": _total([part.penalty for part in parts]),
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
    discriminator: Player,
    real: Tensor,
    fakes: Fakes,
    rules: Rules,
    inputs: BatchInputs = UNCHANGED,
) -> Stats:
    """The generator learns to be taken for real.

    Args:
        player: the generator; its weights change.
        discriminator: stays as it is.
        real: (B, C, H, W) photos in [-1, 1].
        fakes: (B, C, H, W) images in [-1, 1], still attached to the generator, by rows.
        rules: of the game.
        inputs: through which the discriminator sees the images.

    Returns:
        Scalars by the names of `records.record.STEP_FIELDS`, averaged over processes.
    """
    # The discriminator's own weight gradients would be thrown away: not computing them saves time.
    _let_learn(discriminator, False)
    losses: list[Tensor] = []

    def loss_of(micro_batch: MicroBatch) -> Tensor:
        rows = micro_batch.rows
        with rules.fabric.autocast():
            loss = generator_loss(
                discriminator.network,
                real[rows],
                fakes(rows),
                game=rules.game,
                weights=rules.loss,
                inputs=inputs.of(rows),
                feature_mean=lambda features: mean_over_processes(mean_features(features)),
            )
        losses.append(micro_batch.of_whole(loss.detach()))
        return loss + historical_averaging(player.history, rules.loss, like=loss)

    norm = _descend(player, rules.micro_batches(len(real)), loss_of, rules.fabric)
    _let_learn(discriminator, True)
    return _over_processes({"g_loss": _total(losses)}, rules.fabric) | {"g_grad_norm": norm}


def _let_learn(player: Player, learns: bool) -> None:
    for weight in player.weights:
        weight.requires_grad_(learns)


def _descend(
    player: Player,
    parts: list[MicroBatch],
    loss_of: Callable[[MicroBatch], Tensor],
    fabric: Fabric,
) -> Tensor:
    """One update of the player's weights; returns the length of the gradient."""
    player.optimiser.zero_grad(set_to_none=True)
    for part in parts:
        # No name is given to the loss: it would keep all of a micro-batch beside the next one.
        fabric.backward(part.of_whole(loss_of(part)))
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
    """The mean over a batch, from what each micro-batch adds to it."""
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum()


def _over_processes(means: Stats, fabric: Fabric) -> Stats:
    means = {name: value.detach() for name, value in means.items()}
    if fabric.world_size > 1:
        means = {name: value.clone() for name, value in means.items()}
        _average(means.values(), fabric)
    return means

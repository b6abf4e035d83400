"""One update of each player: micro-batches, processes, and the numbers that are recorded."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from facewright.config import LossConfig
from facewright.networks.processes import average, mean_over_processes, process_count
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

SPREAD = "_std"
"""How the name of a standard deviation differs from that of its mean."""

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

    stats, norm = _descend(
        player, rules.micro_batches(len(real)), loss_of, lambda: _d_stats(parts), rules.fabric
    )
    if rules.loss.clip > 0:
        clip_weights(player.network, rules.loss.clip)
    return stats | {"d_grad_norm": norm}


def _d_stats(parts: list[DiscriminatorLoss]) -> Stats:
    """From what each micro-batch adds to the mean of the process's images, without gradients."""
    real_logits = joined([part.real_logits for part in parts])
    fake_logits = joined([part.fake_logits for part in parts])
    return {
        "d_loss": _total([part.game for part in parts]),
        "d_penalty": _total([part.penalty for part in parts]),
        "d_real": real_logits.sigmoid().mean(),
        "d_fake": fake_logits.sigmoid().mean(),
        "real_logit": real_logits.mean(),
        "fake_logit": fake_logits.mean(),
        "paired_accuracy": (real_logits > fake_logits).float().mean(),
        "real_logit_std": real_logits.std(correction=0),
        "fake_logit_std": fake_logits.std(correction=0),
    }


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

    stats, norm = _descend(
        player,
        rules.micro_batches(len(real)),
        loss_of,
        lambda: {"g_loss": _total(losses)},
        rules.fabric,
    )
    _let_learn(discriminator, True)
    return stats | {"g_grad_norm": norm}


def _let_learn(player: Player, learns: bool) -> None:
    for weight in player.weights:
        weight.requires_grad_(learns)


def _descend(
    player: Player,
    parts: list[MicroBatch],
    loss_of: Callable[[MicroBatch], Tensor],
    seen: Callable[[], Stats],
    fabric: Fabric,
) -> tuple[Stats, Tensor]:
    """One update of the player's weights.

    Args:
        player: whose weights change.
        parts: of the process's images.
        loss_of: its mean loss over one of them.
        seen: asked for the numbers of this process's images after the last of them.
        fabric: device and precision.

    Returns:
        Those numbers of the whole batch, and the length of the gradient.
    """
    player.optimiser.zero_grad(set_to_none=True)
    for part in parts:
        # No name is given to the loss: it would keep all of a micro-batch beside the next one.
        fabric.backward(part.of_whole(loss_of(part)))
    gradients = [weight.grad for weight in player.weights if weight.grad is not None]
    stats = _share(gradients, seen())
    player.optimiser.step()
    if player.history is not None:
        player.history.update()
    return stats, torch.nn.utils.get_total_norm(gradients)


def _share(gradients: list[Tensor], own: Stats) -> Stats:
    """Average the gradients over all processes, and the numbers of their equal parts of a batch.

    By hand rather than with DistributedDataParallel, which counts on one forward pass for each
    backward pass; a GAN step has up to four, and penalties of second order.
    """
    if process_count() == 1:
        return own
    told = average(gradients, torch.stack(list(own.values())))
    by_process = dict(zip(own, told.unbind(1), strict=True))
    stats = {name: values.mean() for name, values in by_process.items()}
    for name in own:
        if name.endswith(SPREAD):  # the law of total variance
            means = by_process[name.removesuffix(SPREAD)]
            within = by_process[name].square().mean()
            stats[name] = (within + means.var(correction=0)).sqrt()
    return stats


def _total(parts: list[Tensor]) -> Tensor:
    """The mean over a batch, from what each micro-batch adds to it."""
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum()

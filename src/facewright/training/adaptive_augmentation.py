"""The callback that distorts images more, or less, as photos are being memorised, or not."""

from dataclasses import dataclass, replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.split import FEWEST, share_for
from facewright.data.store import Store
from facewright.data.stream import BatchStream
from facewright.errors import ConfigError
from facewright.networks.buffers import buffers_kept
from facewright.networks.conditional import conditioned
from facewright.networks.processes import rows_of_all_processes
from facewright.objective.ada import WINDOW, Controller, usual_target
from facewright.objective.adversarial import game_named
from facewright.objective.discriminator_inputs import BatchInputs, DiscriminatorInputs
from facewright.objective.logit_gradients import ImageTransform
from facewright.ranks import share_above
from facewright.training.micro_batches import joined, micro_batches
from facewright.training.state import TrainState
from facewright.training.step import Stats

EVERY = 8
"""Steps between two measurements. One calls the discriminator on two batches without gradient:
a quarter of such a call for each step, which itself makes three and as many backward passes."""

UNSTEERED = 0.3
"""Probability of distortions where too few photos are held out to measure by: what the doctor
tries first against memorised photos."""


class AdaptiveAugmentation:
    """The one callback that acts on the training: it moves the probability of distortions.

    `held-out` is the signal for every game, because it measures what is to be prevented and needs
    no zero. `sign`, the heuristic of Karras et al. 2020, is also high for a discriminator that
    is merely good (0011 in docs/decisions has numbers). It is there for stores without
    held-out photos, and to compare.

    Runs in every process: each evaluates its part of the batches, and all of them have the same
    logits afterwards. Of held-out photos, nothing but that probability enters the training.

    Args:
        config: all settings.
        store: of the photos.
        fabric: device, precision and processes.
        batches: the photos in the order of training, for this process.
        conditions: of these photos, and of those held out.

    Source: Karras et al. 2020, arXiv:2006.06676. Their r_v compares means of logits, of
    which the scale is a difference that may vanish; we compare ranks.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        fabric: Fabric,
        batches: BatchStream,
        conditions: PhotoConditions,
    ) -> None:
        settings, train = config.augment, config.train
        self.batches, self.fabric = batches, fabric
        self.game = game_named(config.loss.game, config.loss.real_target)
        self.micro_batch = train.micro_batch
        self.inputs = DiscriminatorInputs(
            config.loss, settings, train.seed, train.batch, batches.part
        )
        # In the same order as the others: every photo once before any twice, mirrored if they are.
        share = (fabric.global_rank, fabric.world_size)
        self.held_out = BatchStream(
            store.val,
            batch=train.batch,
            seed=train.seed,
            flip=config.data.flip,
            share=share,
            conditions=conditions.val,
        )
        usual = usual_target(settings.signal, len(store.train), max(1, len(store.val)))
        self.controller = Controller(
            target=settings.target or usual,
            stride=train.batch * train.d_steps * EVERY / settings.images,
            maximum=settings.maximum,
            weight=min(1.0, train.batch / WINDOW),
        )

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Measure when it is due, on photos that come next: not those just trained on."""
        if state.step % EVERY or state.adaptation is None:
            return
        number, time = state.images_seen // self.inputs.batch, state.step // EVERY
        inputs = replace(self.inputs, augment=state.augmentation(self.inputs.augment))
        seen, network = inputs.at(number, "d", state.images_seen), state.discriminator.network
        with torch.no_grad(), buffers_kept(network), self.fabric.autocast():
            measured = self._measured(network, seen, number, time)
        state.adaptation = self.controller.moved(state.adaptation, measured.item())

    def _measured(self, network: nn.Module, inputs: BatchInputs, number: int, time: int) -> Tensor:
        real = self._photos(self.batches, number)
        rows = [part.rows for part in micro_batches(len(real.images), self.micro_batch)]
        if self.inputs.augment.signal == "sign":
            parts = [logits_of(network, inputs.of(part).real, real.of(part)) for part in rows]
            logits, _ = rows_of_all_processes(joined(parts))
            return (logits - self.game.undecided).sign().mean()
        held_out = self._photos(self.held_out, time)
        pairs = [
            logits_in_mixed_batches(network, inputs.of(part).real, real.of(part), held_out.of(part))
            for part in rows
        ]
        kinds = (joined(list(kind)) for kind in zip(*pairs, strict=True))
        (trained_on, _), (unseen, _) = map(rows_of_all_processes, kinds)
        return share_above(trained_on, unseen)

    def _photos(self, batches: BatchStream, number: int) -> "ConditionedPhotos":
        parts = (batches.at(number), batches.conditions_at(number))
        return ConditionedPhotos(*(part.to(self.fabric.device) for part in parts))


def adaptive_augmentation(
    config: Config, store: Store, fabric: Fabric, batches: BatchStream, conditions: PhotoConditions
) -> list[AdaptiveAugmentation]:
    """The callback of a run whose augmentation adapts; none for another."""
    if not config.augment.adaptive:
        return []
    return [AdaptiveAugmentation(config, store, fabric, batches, conditions)]


@dataclass(frozen=True)
class ConditionedPhotos:
    """Some photos with their conditions.

    Args:
        images: (B, C, H, W).
        conditions: (B, K); K is 0 without labels.
    """

    images: Tensor
    conditions: Tensor

    def of(self, rows: slice) -> "ConditionedPhotos":
        """Some of them."""
        return ConditionedPhotos(self.images[rows], self.conditions[rows])

    def where(self, chosen: Tensor, others: "ConditionedPhotos") -> "ConditionedPhotos":
        """These where chosen, (B,), and the others elsewhere."""
        images = self.images.where(chosen.view(-1, 1, 1, 1), others.images)
        conditions = self.conditions.where(chosen.view(-1, 1), others.conditions)
        return ConditionedPhotos(images, conditions)


def logits_of(
    discriminator: nn.Module, transform: ImageTransform, photos: ConditionedPhotos
) -> Tensor:
    """(B,) logits of transformed photos."""
    return conditioned(discriminator, photos.conditions)(transform(photos.images)).float()


def logits_in_mixed_batches(
    discriminator: nn.Module,
    transform: ImageTransform,
    real: ConditionedPhotos,
    held_out: ConditionedPhotos,
) -> tuple[Tensor, Tensor]:
    """Logits of photos trained on and held out, in batches of the usual size, half of each.

    Batch norm would hide a difference between two batches, and show it in a mixed one.

    Args:
        discriminator: images to logits.
        transform: through which it sees them; the same for each pair of photos.
        real: B photos that it trains on.
        held_out: B photos that it does not.

    Returns:
        (B,) logits of each kind.
    """
    even = torch.arange(len(real.images), device=real.images.device) % 2 == 0
    one = logits_of(discriminator, transform, real.where(even, held_out))
    other = logits_of(discriminator, transform, held_out.where(even, real))
    return one.where(even, other), other.where(even, one)


def check(config: Config, store: Store) -> None:
    """Refuse what adaptive distortions cannot work with.

    Raises:
        ConfigError: settings that exclude each other, or too few photos to compare.
    """
    augment, game = config.augment, game_named(config.loss.game, config.loss.real_target)
    if not augment.adaptive:
        return
    if augment.probability > augment.maximum:
        raise ConfigError(
            f"augment.probability = {augment.probability}",
            expected=f"at most augment.maximum, {augment.maximum}, where it adapts",
            fix=f"--set augment.maximum={augment.probability}",
        )
    if config.schedule.augment_from != 1:
        raise ConfigError(
            "both augment.adaptive and schedule.augment_from decide how likely distortions are",
            expected="one of them",
            fix="--set schedule.augment_from=1",
        )
    if augment.signal == "sign" and game.only_differences:
        raise ConfigError(
            f"augment.signal = sign for the game '{game.name}', which has no absolute verdict",
            expected="a signal that compares photos",
            fix="--set augment.signal=held-out",
        )
    if augment.signal == "held-out" and len(store.val) < FEWEST:
        raise ConfigError(
            f"{store.path} has {len(store.val)} held-out photos, by which distortions would adapt "
            "(augment.adaptive)",
            expected=f"at least {FEWEST}",
            fix="facewright prepare ... --val-fraction "
            f"{share_for(FEWEST, len(store.train) + len(store.val))}, or --set "
            f"augment.adaptive=false --set augment.probability={UNSTEERED}",
        )

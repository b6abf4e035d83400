"""Looks now and then whether photos are being learned by heart, and distorts more or less."""

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
from facewright.networks.conditional import informed
from facewright.networks.processes import rows_of_all_processes
from facewright.objective.ada import WINDOW, Controller, usual_target
from facewright.objective.adversarial import game_named
from facewright.objective.discriminator_inputs import Sight, View, Views
from facewright.ranks import share_above
from facewright.training.micro_batches import joined, portions
from facewright.training.state import TrainState
from facewright.training.step import Stats

EVERY = 8
"""Steps between two looks. A look calls the discriminator on two batches without gradient:
a quarter of such a call for each step, which itself makes three and as many backward passes."""

UNSTEERED = 0.3
"""Probability of distortions for photos of which too few are held out to steer by: what the doctor
tries first against photos learned by heart."""


class Adapter:
    """The one onlooker that acts: it moves the probability that the loop distorts with.

    `held-out` is the rule for every game, because it means what we want to prevent and needs
    no zero. `sign`, the heuristic of Karras et al. 2020, is also high for a discriminator that
    is merely good (0011 in docs/decisions has numbers). It is there for stores without
    held-out photos, and to compare.

    Present in every process: each looks at its part of the batches, and all of them know the
    same verdicts afterwards. Held-out photos never leave more than that number behind.

    Args:
        config: all settings.
        store: of the photos.
        fabric: device, precision and processes.
        batches: the photos as they are dealt in training, for this process.
        known: what a conditional discriminator is told of them, and of those held out.

    Source: Karras et al. 2020, arXiv:2006.06676. Their r_v compares means of verdicts, of
    which the scale is a difference that may vanish; we compare ranks.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        fabric: Fabric,
        batches: BatchStream,
        known: PhotoConditions,
    ) -> None:
        settings, train = config.augment, config.train
        self.batches, self.fabric = batches, fabric
        self.game = game_named(config.loss.game, config.loss.real_target)
        self.micro_batch = train.micro_batch
        self.sight = Sight(config.loss, settings, train.seed, train.batch, batches.part)
        # Dealt like the others: every photo once before any twice, mirrored if they are.
        share = (fabric.global_rank, fabric.world_size)
        self.held_out = BatchStream(
            store.val,
            batch=train.batch,
            seed=train.seed,
            flip=config.data.flip,
            share=share,
            conditions=known.val,
        )
        usual = usual_target(settings.signal, len(store.train), max(1, len(store.val)))
        self.controller = Controller(
            target=settings.target or usual,
            stride=train.batch * train.d_steps * EVERY / settings.images,
            maximum=settings.maximum,
            weight=min(1.0, train.batch / WINDOW),
        )

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Look when it is time, at photos that come next: not those just trained on."""
        if state.step % EVERY or state.adaptation is None:
            return
        number, look = state.images_seen // self.sight.batch, state.step // EVERY
        sight = replace(self.sight, augment=state.augmentation(self.sight.augment))
        views, network = sight.at(number, "d", state.images_seen), state.discriminator.network
        with torch.no_grad(), buffers_kept(network), self.fabric.autocast():
            measured = self._measured(network, views, number, look)
        state.adaptation = self.controller.moved(state.adaptation, measured.item())

    def _measured(self, network: nn.Module, views: Views, number: int, look: int) -> Tensor:
        real = self._photos(self.batches, number)
        rows = [portion.rows for portion in portions(len(real.images), self.micro_batch)]
        if self.sight.augment.signal == "sign":
            parts = [said(network, views.of(part).real, real.of(part)) for part in rows]
            logits, _ = rows_of_all_processes(joined(parts))
            return (logits - self.game.undecided).sign().mean()
        held_out = self._photos(self.held_out, look)
        pairs = [
            in_company(network, views.of(part).real, real.of(part), held_out.of(part))
            for part in rows
        ]
        kinds = (joined(list(kind)) for kind in zip(*pairs, strict=True))
        (seen, _), (unseen, _) = map(rows_of_all_processes, kinds)
        return share_above(seen, unseen)

    def _photos(self, batches: BatchStream, number: int) -> "Photos":
        device = self.fabric.device
        return Photos(batches.at(number).to(device), batches.conditions_at(number).to(device))


def adapters(
    config: Config, store: Store, fabric: Fabric, batches: BatchStream, known: PhotoConditions
) -> list[Adapter]:
    """The one that a run needs, or none."""
    return [Adapter(config, store, fabric, batches, known)] if config.augment.adaptive else []


@dataclass(frozen=True)
class Photos:
    """Some photos, and what a conditional discriminator is told of them.

    Args:
        images: (B, C, H, W).
        told: (B, K); K is 0 without labels.
    """

    images: Tensor
    told: Tensor

    def of(self, rows: slice) -> "Photos":
        """Some of them."""
        return Photos(self.images[rows], self.told[rows])

    def where(self, chosen: Tensor, others: "Photos") -> "Photos":
        """These where chosen, (B,), and the others elsewhere."""
        images = self.images.where(chosen.view(-1, 1, 1, 1), others.images)
        return Photos(images, self.told.where(chosen.view(-1, 1), others.told))


def said(discriminator: nn.Module, view: View, photos: Photos) -> Tensor:
    """(B,) verdicts on photos, seen in a certain way."""
    return informed(discriminator, photos.told)(view(photos.images)).float()


def in_company(
    discriminator: nn.Module, view: View, real: Photos, held_out: Photos
) -> tuple[Tensor, Tensor]:
    """Verdicts on photos trained on and held out, in batches of the usual size, half of each.

    Batch norm would hide a difference between two batches, and show it in a mixed one.

    Args:
        discriminator: images to logits.
        view: through which it sees them; the same for each pair of photos.
        real: B photos that it trains on.
        held_out: B photos that it does not.

    Returns:
        (B,) logits of each kind.
    """
    even = torch.arange(len(real.images), device=real.images.device) % 2 == 0
    one = said(discriminator, view, real.where(even, held_out))
    other = said(discriminator, view, held_out.where(even, real))
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

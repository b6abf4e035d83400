"""The training loop: all of it, on one screen."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from facewright.config import Config
from facewright.data.stream import BatchStream
from facewright.networks.conditional import informed
from facewright.objective.discriminator_inputs import Sight
from facewright.rng import rng_for, seed_for
from facewright.training.micro_batches import joined, portions
from facewright.training.schedule import in_force, in_update
from facewright.training.state import TrainState
from facewright.training.step import Rules, Stats, discriminator_step, generator_step

Watcher = Callable[[TrainState, Stats], None]
"""Is shown every step: recorder, sampler, checkpointer, progress, monitors."""


def train_until(
    state: TrainState,
    config: Config,
    *,
    batches: BatchStream,
    fabric: Fabric,
    watchers: Sequence[Watcher],
    should_stop: Callable[[], bool],
) -> None:
    """Let the players play until enough images were shown or somebody calls a halt.

    Args:
        state: where to go on from; changed in place.
        config: all settings.
        batches: the photos and what is known of them, found by batch number.
        fabric: device, precision and processes.
        watchers: called after each step, in this order.
        should_stop: asked before each step; the same answer in every process.
    """
    seed, batch, device = config.train.seed, config.train.batch, fabric.device
    generator, discriminator = state.generator, state.discriminator
    has_dropout = any(isinstance(layer, nn.Dropout) for layer in discriminator.network.modules())
    # Every process draws the numbers of the whole batch and takes its part of them, so
    # that the number of processes does not change what is drawn.
    part = batches.part
    own = portions(part.stop - part.start, config.train.micro_batch)
    at_once = len(own) == 1

    def deal(number: int) -> tuple[Tensor, Tensor]:
        """Photos, and what is known of them."""
        return batches.at(number).to(device), batches.conditions_at(number).to(device)

    def draw(number: int, use: str = "latents") -> tuple[Tensor, Tensor]:
        """Latents and mixing weights."""
        rng = rng_for(seed, number, use)
        z = torch.randn(batch, config.model.z_dim, generator=rng)[part].to(device)
        return z, torch.rand(batch, generator=rng)[part].to(device)

    def make(z: Tensor, known: Tensor, rows: slice = slice(None)) -> Tensor:
        """Fakes that the generator makes just now, to learn from.

        Each has the labels of the photo that it stands beside: then labels alone tell nobody
        which is which, and what lies between the two has the same labels too.
        """
        with fabric.autocast():
            return informed(generator.network, known[rows])(z[rows]).float()

    @torch.no_grad()
    def show(z: Tensor, known: Tensor) -> Tensor:
        """The same, for the discriminator alone."""
        return joined([make(z, known, portion.rows) for portion in own])

    def judge(number: int, real: Tensor, known: Tensor, fake: Tensor, mix: Tensor) -> Stats:
        """One update of the discriminator, under the settings of this step."""
        rules = Rules.of(in_update(now.loss, number), fabric, config.train.micro_batch)
        sight = Sight(rules.loss, augment, seed, batch, part)
        views = sight.at(number, "d", seen).told(known)
        directions = sight.directions(number, real)
        return discriminator_step(discriminator, real, fake, mix, rules, views, directions)

    clock = time.perf_counter()
    while state.images_seen < config.train.images and not should_stop():
        # Dropout is the one user of torch's own random source, which is slow to seed.
        if has_dropout:
            torch.manual_seed(seed_for(seed, state.step, f"dropout/{part.start}"))

        seen = state.images_seen
        now = in_force(config, seen)
        state.obey(now)
        augment = state.augmentation(now.augment)

        # The discriminator moves first, as often as the settings say.
        last = seen // batch + now.train.d_steps - 1
        for number in range(last - now.train.d_steps + 1, last):
            (real, known), (z, mix) = deal(number), draw(number)
            judge(number, real, known, show(z, known), mix)
        (real, known), (z, mix) = deal(last), draw(last)
        fake = make(z, known) if at_once else show(z, known)
        stats = judge(last, real, known, fake.detach(), mix)

        # The generator answers with the same fakes: it has not moved since it made them. In
        # portions it makes them anew, as all that their gradient needs is not kept at once.
        # If it may go on, it has to make others.
        fakes = fake.__getitem__ if at_once else partial(make, z, known)
        rules = Rules.of(now.loss, fabric, config.train.micro_batch)
        sight = Sight(now.loss, augment, seed, batch, part)
        views = sight.at(last, "g", seen).told(known)
        stats |= generator_step(generator, discriminator, real, fakes, rules, views)
        for answer in range(1, now.train.g_steps):
            z, _ = draw(last, f"latents/{answer}")
            fakes = partial(make, z, known)
            views = sight.at(last, f"g{answer}", seen).told(known)
            stats |= generator_step(generator, discriminator, real, fakes, rules, views)

        shown = batch * now.train.d_steps
        state.ema.update(generator.network, images=shown)
        state.step += 1
        state.images_seen += shown
        clock, before = time.perf_counter(), clock
        state.seconds += clock - before
        for watch in watchers:
            watch(state, stats)

"""The training loop: all of it, on one screen."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from facewright.config import TrainConfig
from facewright.data.stream import BatchStream
from facewright.rng import rng_for, seed_for
from facewright.training.state import TrainState
from facewright.training.step import Rules, Stats, discriminator_step, generator_step
from facewright.training.view import Sight

Watcher = Callable[[TrainState, Stats], None]
"""Is shown every step: recorder, sampler, checkpointer, progress, monitors."""


def train_until(
    state: TrainState,
    settings: TrainConfig,
    *,
    batches: BatchStream,
    rules: Rules,
    z_dim: int,
    watchers: Sequence[Watcher],
    should_stop: Callable[[], bool],
) -> None:
    """Let the players play until enough images were shown or somebody calls a halt.

    Args:
        state: where to go on from; changed in place.
        settings: images, batch, both players' updates in a step, seed.
        batches: the photos, found by batch number.
        rules: of the game, and the hardware.
        z_dim: length of a latent vector.
        watchers: called after each step, in this order.
        should_stop: asked before each step; the same answer in every process.
    """
    seed, device = settings.seed, rules.fabric.device
    generator, discriminator = state.generator, state.discriminator
    has_dropout = any(isinstance(layer, nn.Dropout) for layer in discriminator.network.modules())
    # Every process draws the numbers of the whole batch and takes its part of them, so
    # that the number of processes does not change what is drawn.
    part = batches.part
    sight = Sight(rules.loss, rules.augment, seed, settings.batch, part)

    def make(number: int, use: str = "latents", *, learns: bool = True) -> tuple[Tensor, Tensor]:
        """Fakes that the generator makes just now, to learn from or not, and mixing weights."""
        rng = rng_for(seed, number, use)
        z = torch.randn(settings.batch, z_dim, generator=rng)[part].to(device)
        mix = torch.rand(settings.batch, generator=rng)[part].to(device)
        with rules.fabric.autocast(), torch.set_grad_enabled(learns):
            return generator.network(z).float(), mix

    clock = time.perf_counter()
    while state.images_seen < settings.images and not should_stop():
        # Dropout is the one user of torch's own random source, which is slow to seed.
        if has_dropout:
            torch.manual_seed(seed_for(seed, state.step, f"dropout/{part.start}"))

        # The discriminator moves first, as often as the settings say.
        seen = state.images_seen
        last = seen // settings.batch + settings.d_steps - 1
        for number in range(last - settings.d_steps + 1, last):
            real, (fake, mix) = batches.at(number).to(device), make(number, learns=False)
            views = sight.at(number, "d", seen)
            discriminator_step(discriminator, real, fake, mix, rules, views)
        real, (fake, mix) = batches.at(last).to(device), make(last)
        views = sight.at(last, "d", seen)
        stats = discriminator_step(discriminator, real, fake.detach(), mix, rules, views)

        # The generator answers with the same fakes: it has not moved since it made them.
        # If it may go on, it has to make others.
        views = sight.at(last, "g", seen)
        stats |= generator_step(generator, discriminator, real, fake, rules, views)
        for answer in range(1, settings.g_steps):
            fake, _ = make(last, f"latents/{answer}")
            views = sight.at(last, f"g{answer}", seen)
            stats |= generator_step(generator, discriminator, real, fake, rules, views)

        shown = settings.batch * settings.d_steps
        state.ema.update(generator.network, images=shown)
        state.step += 1
        state.images_seen += shown
        now = time.perf_counter()
        state.seconds, clock = state.seconds + now - clock, now
        for watch in watchers:
            watch(state, stats)

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
        settings: images, batch, discriminator steps, seed.
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

    def deal(number: int, *, to_both: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Photos, fakes that the generator makes just now, and mixing weights."""
        rng = rng_for(seed, number, "latents")
        z = torch.randn(settings.batch, z_dim, generator=rng)[part].to(device)
        mix = torch.rand(settings.batch, generator=rng)[part].to(device)
        with rules.fabric.autocast(), torch.set_grad_enabled(to_both):
            fake = generator.network(z).float()
        return batches.at(number).to(device), fake, mix

    clock = time.perf_counter()
    while state.images_seen < settings.images and not should_stop():
        # Dropout is the one user of torch's own random source, which is slow to seed.
        if has_dropout:
            torch.manual_seed(seed_for(seed, state.step, f"dropout/{part.start}"))

        # The discriminator moves first, as often as the settings say.
        last = (state.step + 1) * settings.d_steps - 1
        for number in range(state.step * settings.d_steps, last):
            real, fake, mix = deal(number, to_both=False)
            discriminator_step(discriminator, real, fake, mix, rules)
        real, fake, mix = deal(last, to_both=True)
        stats = discriminator_step(discriminator, real, fake.detach(), mix, rules)

        # The generator answers with the same fakes: it has not moved since it made them.
        stats |= generator_step(generator, discriminator, real, fake, rules)

        shown = settings.batch * settings.d_steps
        state.ema.update(generator.network, images=shown)
        state.step += 1
        state.images_seen += shown
        now = time.perf_counter()
        state.seconds, clock = state.seconds + now - clock, now
        for watch in watchers:
            watch(state, stats)

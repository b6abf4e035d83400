"""The training loop. What an update minimises: `objective/losses.py`; its mechanics: `step.py`."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from facewright.config import Config
from facewright.data.stream import BatchStream
from facewright.networks.conditional import conditioned
from facewright.objective.discriminator_inputs import DiscriminatorInputs
from facewright.rng import rng_for, seed_for
from facewright.training.micro_batches import joined, micro_batches
from facewright.training.schedule import in_force, in_update
from facewright.training.state import TrainState
from facewright.training.step import Rules, Stats, discriminator_step, generator_step

Callback = Callable[[TrainState, Stats], None]
"""Called after every step: recorder, sampler, scorer, checkpointer, doctor, progress."""


def train_until(
    state: TrainState,
    config: Config,
    *,
    batches: BatchStream,
    fabric: Fabric,
    callbacks: Sequence[Callback],
    should_stop: Callable[[], bool],
) -> None:
    """Train both players until enough images were shown or something asks to stop.

    Args:
        state: where to go on from; changed in place.
        config: all settings.
        batches: the photos and their conditions, found by batch number.
        fabric: device, precision and processes.
        callbacks: called after each step, in this order.
        should_stop: asked before each step; the same answer in every process.
    """
    seed, batch, device = config.train.seed, config.train.batch, fabric.device
    generator, discriminator = state.generator, state.discriminator
    has_dropout = any(isinstance(layer, nn.Dropout) for layer in discriminator.network.modules())
    # Every process draws the numbers of the whole batch and takes its part of them, so
    # that the number of processes does not change what is drawn.
    part = batches.part
    parts = micro_batches(part.stop - part.start, config.train.micro_batch)
    is_whole = len(parts) == 1

    def load(number: int) -> tuple[Tensor, Tensor]:
        """Photos and their conditions."""
        return batches.at(number).to(device), batches.conditions_at(number).to(device)

    def draw(number: int, use: str = "latents") -> tuple[Tensor, Tensor]:
        """Latents and mixing weights."""
        rng = rng_for(seed, number, use)
        z = torch.randn(batch, config.model.z_dim, generator=rng)[part].to(device)
        return z, torch.rand(batch, generator=rng)[part].to(device)

    def generate(z: Tensor, conditions: Tensor, rows: slice = slice(None)) -> Tensor:
        """Fakes attached to the generator.

        Each has the conditions of the photo that it stands beside: then conditions alone do not
        tell real from fake, and what is mixed from the two has the same conditions too.
        """
        with fabric.autocast():
            return conditioned(generator.network, conditions[rows])(z[rows]).float()

    @torch.no_grad()
    def generate_detached(z: Tensor, conditions: Tensor) -> Tensor:
        """The same for an update of the discriminator only."""
        return joined([generate(z, conditions, one.rows) for one in parts])

    def update_discriminator(
        number: int, real: Tensor, conditions: Tensor, fake: Tensor, mix: Tensor
    ) -> Stats:
        """One update of the discriminator, under the settings of this step."""
        rules = Rules.of(in_update(now.loss, number), fabric, config.train.micro_batch)
        run_inputs = DiscriminatorInputs(rules.loss, augment, seed, batch, part)
        inputs = run_inputs.at(number, "d", images_seen).given(conditions)
        directions = run_inputs.directions(number, real)
        return discriminator_step(discriminator, real, fake, mix, rules, inputs, directions)

    clock = time.perf_counter()
    while state.images_seen < config.train.images and not should_stop():
        # Dropout is the one user of torch's own random source, which is slow to seed.
        if has_dropout:
            torch.manual_seed(seed_for(seed, state.step, f"dropout/{part.start}"))

        # Settings follow from how far the run is, so nothing has to be remembered.
        images_seen = state.images_seen
        now = in_force(config, images_seen)
        state.apply(now)
        augment = state.augmentation(now.augment)

        # The discriminator moves first, as often as the settings say.
        last = images_seen // batch + now.train.d_steps - 1
        for number in range(last - now.train.d_steps + 1, last):
            (real, conditions), (z, mix) = load(number), draw(number)
            update_discriminator(number, real, conditions, generate_detached(z, conditions), mix)
        (real, conditions), (z, mix) = load(last), draw(last)
        fake = generate(z, conditions) if is_whole else generate_detached(z, conditions)
        stats = update_discriminator(last, real, conditions, fake.detach(), mix)

        # The generator answers with the same fakes: it has not moved since it made them. In
        # micro-batches it makes them anew, as all that their gradient needs is not kept at once.
        # If it may go on, it has to make others.
        fakes = fake.__getitem__ if is_whole else partial(generate, z, conditions)
        rules = Rules.of(now.loss, fabric, config.train.micro_batch)
        run_inputs = DiscriminatorInputs(now.loss, augment, seed, batch, part)
        inputs = run_inputs.at(last, "g", images_seen).given(conditions)
        stats |= generator_step(generator, discriminator, real, fakes, rules, inputs)
        for answer in range(1, now.train.g_steps):
            z, _ = draw(last, f"latents/{answer}")
            fakes = partial(generate, z, conditions)
            inputs = run_inputs.at(last, f"g{answer}", images_seen).given(conditions)
            stats |= generator_step(generator, discriminator, real, fakes, rules, inputs)

        # The EMA follows, the step is counted, and the callbacks see it.
        shown = batch * now.train.d_steps
        state.ema.update(generator.network, images=shown)
        state.step += 1
        state.images_seen += shown
        clock, before = time.perf_counter(), clock
        state.seconds += clock - before
        for callback in callbacks:
            callback(state, stats)

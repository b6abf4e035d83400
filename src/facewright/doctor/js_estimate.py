"""What a fresh discriminator sees, where the run's own sees nothing."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from facewright.doctor.borrowed import borrowed
from facewright.doctor.reference import ReferencePhotos
from facewright.doctor.snapshot import Latents, Snapshot, drawn
from facewright.equilibria.budget import LIVE
from facewright.equilibria.fresh_discriminator import js_from_fresh_discriminator
from facewright.networks.build import SIDES
from facewright.rng import rng_for, seed_for

BUDGET = replace(LIVE, name="doctor", warm_steps=0, generator_steps=0)
SHOWN = 1536
"""Generated images that it learns from; as many as there are photos are kept to test it."""


def ask_fresh_discriminator(
    snapshot: Snapshot, generator: nn.Module, reference: ReferencePhotos, latents: Latents
) -> Snapshot:
    """The same snapshot, with how easily a new discriminator tells generated images from photos.

    Takes a few seconds, so it is done only when the run's own discriminator sees no difference.
    """
    count = SHOWN + len(reference.held_out)
    weight = next(generator.parameters())
    with borrowed(generator, seed=seed_for(0, snapshot.step, "doctor/judge")):
        z = latents(count, rng_for(0, snapshot.step, "doctor/judge")).to(weight)
        repeated = torch.arange(SHOWN) % len(reference.seen_conditions)
        rows = [reference.seen_conditions[repeated], reference.held_out_conditions]
        conditions = torch.cat(rows).to(weight)
        with torch.no_grad():
            fake = drawn(generator, z, conditions, 256).float()
    seen, held_out, shown, unseen = (
        _large_enough(images)
        for images in (
            reference.seen.to(weight.device),
            reference.held_out.to(weight.device),
            fake[:SHOWN],
            fake[SHOWN:],
        )
    )
    with borrowed(generator, seed=0):
        reading = js_from_fresh_discriminator(seen, held_out, shown, unseen, budget=BUDGET)
    return replace(snapshot, js_bits=reading.js_bits)


def _large_enough(images: Tensor) -> Tensor:
    """Every pixel repeated where images are too small for its convolutions."""
    times = -(-SIDES[0] // min(images.shape[2:]))
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)

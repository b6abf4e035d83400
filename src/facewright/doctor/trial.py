"""What can be known to be wrong before a training has begun, said at its first step."""

import hashlib

import torch
from torch import Tensor, nn

from facewright.doctor.borrowed import borrowed
from facewright.doctor.reference import ReferencePhotos
from facewright.doctor.snapshot import LEAST_BATCH, Latents, verdicts
from facewright.errors import ConfigError
from facewright.images import to_model_range
from facewright.networks.conditional import conditioned
from facewright.rng import rng_for

LOOKED_THROUGH = 20_000
"""Photos to train on that are compared with held-out ones."""
AT_ONCE = 512
"""Of these that are in memory as floats."""
TOO_MANY_SEEN = 0.05
"""Share of held-out photos among those to train on that is no accident of a data set."""
BYTES = 8.0
"""Largest value of photos that must be meant to go up to 255."""
BOUNDED = 1.5
"""Largest value of images that come out of a tanh or a sigmoid."""


def try_once(
    generator: nn.Module, discriminator: nn.Module, reference: ReferencePhotos, latents: Latents
) -> None:
    """Draw a few images and have them rated, as every look will.

    Raises:
        ConfigError: the latents, the images or their range do not fit.
    """
    weight = next(generator.parameters())
    z = latents(LEAST_BATCH, rng_for(0, 0, "doctor/trial")).to(weight)
    rows = torch.arange(LEAST_BATCH) % len(reference.held_out_conditions)
    conditions = reference.held_out_conditions[rows].to(weight)
    with borrowed(generator, discriminator, seed=0), torch.no_grad():
        try:
            images = conditioned(generator, conditions)(z)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ConfigError(
                f"the generator takes no latents of shape {tuple(z.shape)}: {_first_line(error)}",
                expected="latents as your loop draws them",
                fix="Doctor(..., latents=(100, 1, 1)), or a function (count, rng) -> latents",
            ) from error
        _refuse_other_images(images, reference.held_out)
        verdicts(conditioned(discriminator, conditions), images)


def _refuse_other_images(images: Tensor, photos: Tensor) -> None:
    if images.shape[1:] != photos.shape[1:]:
        drawn, given = tuple(images.shape[1:]), tuple(photos.shape[1:])
        raise ConfigError(
            f"the generator draws images of {drawn}, and photos are {given}",
            expected="one shape, (channels, height, width)",
            fix="photos as your loop gives them to the discriminator",
        )
    if float(photos.abs().max()) > BYTES and float(images.abs().max()) < BOUNDED:
        raise ConfigError(
            f"photos go up to {float(photos.max()):.3g}, and generated images to "
            f"{float(images.max()):.2g}",
            expected="one range",
            fix="photos / 127.5 - 1 for a generator that ends in tanh, in your loop too",
        )


def refuse_seen(reference: ReferencePhotos) -> None:
    """Refuse held-out photos that are among those to train on: they say nothing of new ones.

    Raises:
        ConfigError: more of them than any data set has twice.
    """
    known = {_hash(photo) for photo in reference.held_out}
    train, twice = reference.train.photos, set[bytes]()
    for start in range(0, min(len(train), LOOKED_THROUGH), AT_ONCE):
        some = train[start : start + AT_ONCE]
        rows = some.float().cpu() if isinstance(some, Tensor) else to_model_range(some)
        twice |= known & {_hash(photo) for photo in rows}
    if len(twice) > TOO_MANY_SEEN * len(known):
        raise ConfigError(
            f"{len(twice)} of {len(known)} held-out photos are among those to train on",
            expected="photos that training never shows",
            fix="train, held_out = photos[:-500], photos[-500:]; or no held_out at all",
        )


def _hash(photo: Tensor) -> bytes:
    return hashlib.blake2b(photo.contiguous().numpy().tobytes(), digest_size=16).digest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

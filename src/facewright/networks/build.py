"""Both networks, built by name."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.overrides import TorchFunctionMode

from facewright.config import ModelConfig, ModelName
from facewright.errors import ConfigError
from facewright.networks import dcgan, mlp, resnext
from facewright.networks.conditional import (
    EMBEDDED,
    ConditionalGenerator,
    ProjectionDiscriminator,
)
from facewright.networks.salimans import REFERENCE_ROWS, WithReference

GENERATORS: dict[ModelName, type[nn.Module]] = {
    "dcgan": dcgan.DcganGenerator,
    "mlp": mlp.MlpGenerator,
    "resnext": resnext.ResnextGenerator,
}
DISCRIMINATORS: dict[ModelName, type[nn.Module]] = {
    "dcgan": dcgan.DcganDiscriminator,
    "mlp": mlp.MlpDiscriminator,
    "resnext": resnext.ResnextDiscriminator,
}
KERNELS = (1, 3, 5, 7, 11)
"""Sides of the dcgan's filters."""
SIDES = range(16, 257)
"""Sides of the dcgan's images, in pixels."""


def build_generator(
    config: ModelConfig,
    shape: tuple[int, int, int],
    rng: torch.Generator,
    conditions: int = 0,
) -> nn.Module:
    """The generator: (B, z_dim) latents to (B, C, H, W) images in [-1, 1].

    Args:
        config: which networks, and their settings.
        shape: (C, H, W) of the images.
        rng: the only source of the first weights; torch's own is left as it was.
        conditions: length of a condition vector; above 0, the generator takes (B, conditions)
            beside the latents.

    Raises:
        ConfigError: settings or a size that the networks cannot have.
    """
    _check(config, shape)
    if conditions:
        config = dataclasses.replace(config, z_dim=config.z_dim + EMBEDDED)
    with _drawing_from(rng):
        generator = GENERATORS[config.name](config, shape)
        if config.name == "dcgan" and config.normalisation == "virtual":
            generator = WithReference(generator, torch.randn(REFERENCE_ROWS, config.z_dim))
        return ConditionalGenerator(generator, conditions) if conditions else generator


def unfilled_generator(
    config: ModelConfig, shape: tuple[int, int, int], conditions: int = 0
) -> nn.Module:
    """A generator that has shapes but no numbers yet: `load_state_dict(..., assign=True)` next.

    Takes no memory, whatever sizes a file from an unknown source claims.

    Args:
        config: which networks, and their settings.
        shape: (C, H, W) of the images.
        conditions: length of a condition vector; 0 for a generator without conditions.

    Raises:
        ConfigError: settings or a size that the networks cannot have.
    """
    with torch.device("meta"), _NoFirstWeights():
        return build_generator(config, shape, torch.Generator("cpu"), conditions)


class _NoFirstWeights(TorchFunctionMode):
    """Leaves out what `torch.nn.init` does: on "meta" it loads torch's compiler for nothing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def build_discriminator(
    config: ModelConfig,
    shape: tuple[int, int, int],
    rng: torch.Generator,
    conditions: int = 0,
) -> nn.Module:
    """The discriminator: (B, C, H, W) images to (B,) logits, above 0 for "real".

    Its method `features(images)` gives the last hidden layer, (B, F).

    Args:
        config: which networks, and their settings.
        shape: (C, H, W) of the images.
        rng: the only source of the first weights; torch's own is left as it was.
        conditions: length of a condition vector; above 0, the discriminator takes
            (B, conditions) beside the images.

    Raises:
        ConfigError: settings or a size that the networks cannot have.
    """
    _check(config, shape)
    with _drawing_from(rng):
        discriminator = DISCRIMINATORS[config.name](config, shape)
        if not conditions:
            return discriminator
        discriminator = ProjectionDiscriminator(discriminator, conditions)
        if config.normalisation == "spectral":
            spectral_norm(discriminator.embed)
        return discriminator


@contextmanager
def _drawing_from(rng: torch.Generator) -> Iterator[None]:
    """Everything drawn inside follows from `rng`.

    torch's layers draw their first weights from the global random source and take no
    other; so it is seeded from `rng` for the while, and put back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(
            int(torch.randint(2**62, (), generator=rng, device="cpu"))
        )
        yield


def _check(config: ModelConfig, shape: tuple[int, int, int]) -> None:
    demands = [
        (config.z_dim >= 1, f"model.z_dim = {config.z_dim}", "1 or more"),
        (config.width >= 1, f"model.width = {config.width}", "1 or more"),
        (0 <= config.dropout < 1, f"model.dropout = {config.dropout}", "at least 0, below 1"),
        (
            config.minibatch_kernels >= 0,
            f"model.minibatch_kernels = {config.minibatch_kernels}",
            "0 or more",
        ),
    ]
    if config.name == "dcgan":
        _, height, width = shape
        demands += [
            (config.kernel in KERNELS, f"model.kernel = {config.kernel}", f"one of {KERNELS}"),
            (
                all(side in SIDES for side in (height, width)),
                f"images of {height}x{width} pixels for dcgan",
                f"{SIDES[0]} to {SIDES[-1]} pixels a side",
            ),
        ]
    for met, what, expected in demands:
        if not met:
            raise ConfigError(what, expected=expected, fix="a setting or a size in that range")

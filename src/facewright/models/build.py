"""The two players by name."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from facewright.config import ModelConfig, ModelName
from facewright.errors import ConfigError
from facewright.models import dcgan, mlp

GENERATORS: dict[ModelName, type[nn.Module]] = {"dcgan": dcgan.Generator, "mlp": mlp.Generator}
DISCRIMINATORS: dict[ModelName, type[nn.Module]] = {
    "dcgan": dcgan.Discriminator,
    "mlp": mlp.Discriminator,
}


def build_generator(
    config: ModelConfig, shape: tuple[int, int, int], rng: torch.Generator
) -> nn.Module:
    """The player that draws: (B, z_dim) latents to (B, C, H, W) images in [-1, 1].

    Args:
        config: which networks, and their settings.
        shape: (C, H, W) of the images.
        rng: the only source of the first weights; torch's own is left as it was.

    Raises:
        ConfigError: settings or a size that the networks cannot have.
    """
    _check(config, shape)
    with _drawing_from(rng):
        return GENERATORS[config.name](config, shape)


def build_discriminator(
    config: ModelConfig, shape: tuple[int, int, int], rng: torch.Generator
) -> nn.Module:
    """The player that judges: (B, C, H, W) images to (B,) logits, above 0 for "real".

    Its method `features(images)` gives the last hidden layer, (B, F).

    Args:
        config: which networks, and their settings.
        shape: (C, H, W) of the images.
        rng: the only source of the first weights; torch's own is left as it was.

    Raises:
        ConfigError: settings or a size that the networks cannot have.
    """
    _check(config, shape)
    with _drawing_from(rng):
        return DISCRIMINATORS[config.name](config, shape)


@contextmanager
def _drawing_from(rng: torch.Generator) -> Iterator[None]:
    """Everything drawn inside follows from `rng`.

    torch's layers draw their first weights from the global random source and take no
    other; so it is seeded from `rng` for the while, and put back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=rng)))
        yield


def _check(config: ModelConfig, shape: tuple[int, int, int]) -> None:
    for name in ("z_dim", "width"):
        if getattr(config, name) < 1:
            raise ConfigError(
                f"model.{name} = {getattr(config, name)}", expected="1 or more"
            )
    if not 0 <= config.dropout < 1:
        raise ConfigError(f"model.dropout = {config.dropout}", expected="at least 0, below 1")
    if config.minibatch_kernels < 0:
        raise ConfigError(f"model.minibatch_kernels = {config.minibatch_kernels}", expected="0 or more")
    if config.name == "dcgan" and config.kernel not in (3, 5, 7, 11):
        raise ConfigError(f"model.kernel = {config.kernel}", expected="3, 5, 7 or 11")
    if config.name == "dcgan" and not all(16 <= side <= 256 for side in shape[1:]):
        raise ConfigError(f"images of {shape[1]}x{shape[2]} pixels", expected="16 to 256 a side")

"""The loop that one would write without Facewright, plain and tuned: what ours is timed against.

The networks have the sizes of a recipe's, from torch's own layers. They leave out what the recipe
adds to them: colour at half the resolution, instance noise, the averaged generator and the numbers
of each step.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from facewright.config import Config
from facewright.data.stream import BatchStream
from facewright.networks.dcgan import map_sizes, map_widths
from facewright.networks.device import resolve_precision

CPU = torch.device("cpu")

Train = Callable[[int], None]
"""Trains for so many steps."""


def plain_networks(config: Config, shape: tuple[int, int, int]) -> tuple[nn.Sequential, ...]:
    """Generator and discriminator of a recipe from torch's layers, for even sides of maps."""
    model, (channels, height, width) = config.model, shape
    sizes = map_sizes(height, width)
    widths = map_widths(model, channels, len(sizes) - 1)
    kernel, area = model.kernel, math.prod(sizes[-1])
    halving: dict[str, Any] = {"stride": 2, "padding": kernel // 2}

    def normalised(maps: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(maps), nn.LeakyReLU(0.2)]

    up: list[nn.Module] = [
        nn.Linear(model.z_dim, widths[-1] * area, bias=False),
        nn.Unflatten(1, (widths[-1], *sizes[-1])),
    ]
    down: list[nn.Module] = []
    if model.full_width:
        down += [nn.Conv2d(channels, model.full_width, 3, padding=1), nn.LeakyReLU(0.2)]
    for stage in range(1, len(sizes)):
        down.append(nn.Conv2d(widths[stage - 1], widths[stage], kernel, **halving, bias=stage == 1))
        down += normalised(widths[stage]) if stage > 1 else [nn.LeakyReLU(0.2)]
        back = len(sizes) - stage
        last = back == 1 and not model.full_width
        up += normalised(widths[back])
        up.append(
            nn.ConvTranspose2d(
                widths[back], widths[back - 1], kernel, **halving, output_padding=1, bias=last
            )
        )
    if model.full_width:
        up += [*normalised(model.full_width), nn.Conv2d(model.full_width, channels, 3, padding=1)]
    generator = nn.Sequential(*up, nn.Tanh())
    discriminator = nn.Sequential(*down, nn.Flatten(), nn.Linear(widths[-1] * area, 1))
    for layer in (*generator, *discriminator):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
    return generator, discriminator


def plain(stream: BatchStream, config: Config, shape: tuple[int, int, int], tuned: bool) -> Train:
    """The loop that one writes first: fp32, eager, plain layers, default Adam.

    Args:
        stream: photos.
        config: of the recipe, for the networks and the learning rates.
        shape: (C, H, W) of the photos.
        tuned: with what is well known to make it faster: bf16 where the processor multiplies
            it, channels last, Adam in one loop, and no gradients of a discriminator that rests.
    """
    keep = tuned and resolve_precision("auto", CPU) == "bf16"
    generator, discriminator = plain_networks(config, shape)
    if tuned:
        for player in (generator, discriminator):
            player.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    settings = config.optimiser
    g_optimiser, d_optimiser = (
        torch.optim.Adam(
            player.parameters(), lr=lr, betas=(settings.beta1, settings.beta2), fused=tuned or None
        )
        for player, lr in ((generator, settings.lr_g), (discriminator, settings.lr_d))
    )
    loss = nn.BCEWithLogitsLoss()
    yes, no = torch.ones(stream.batch, 1), torch.zeros(stream.batch, 1)

    def train(steps: int) -> None:
        for number in range(steps):
            real = stream.at(number)
            if tuned:
                real = real.to(memory_format=torch.channels_last)
                discriminator.requires_grad_(True)
            with torch.autocast("cpu", torch.bfloat16, enabled=keep):
                fake = generator(torch.randn(stream.batch, config.model.z_dim))
                d_loss = loss(discriminator(real), yes) + loss(discriminator(fake.detach()), no)
            d_optimiser.zero_grad()
            d_loss.backward()
            d_optimiser.step()
            g_optimiser.zero_grad()
            if tuned:
                discriminator.requires_grad_(False)
            with torch.autocast("cpu", torch.bfloat16, enabled=keep):
                g_loss = loss(discriminator(fake), yes)
            g_loss.backward()
            g_optimiser.step()

    return train

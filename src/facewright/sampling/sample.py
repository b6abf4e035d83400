"""Pictures from a trained generator, the same for the same seed."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facewright import config as settings
from facewright.errors import CheckpointError, FacewrightError
from facewright.images import grid, save_png, to_pixels
from facewright.models.build import build_generator
from facewright.records import checkpoints
from facewright.records.checkpoints import Checkpoint, Which
from facewright.records.folder import RunFolder
from facewright.rng import rng_for

log = logging.getLogger(__name__)

CHUNK = 64
"""Latents drawn at once: fixed, so that image i does not depend on how many are drawn."""


@dataclass(frozen=True)
class LoadedGenerator:
    """A generator ready to draw, and where it came from.

    Args:
        network: maps (B, z_dim) latents to (B, C, H, W) images in [-1, 1].
        z_dim: length of a latent vector.
        path: of the checkpoint.
        images_seen: real images shown in its training.
    """

    network: nn.Module
    z_dim: int
    path: Path
    images_seen: int


def load_generator(model: Path, which: Which = "newest") -> LoadedGenerator:
    """The averaged generator of a run.

    Raises:
        RunError: no run there.
        CheckpointError: no usable checkpoint, or one of other networks.
    """
    chosen, damaged = checkpoints.sound(RunFolder.open(model).checkpoints, which)
    for sentence in damaged:
        log.warning("%s; using %s", sentence, chosen.path.name)
    return generator_of(chosen)


def generator_of(chosen: Checkpoint) -> LoadedGenerator:
    """The averaged generator of one checkpoint.

    Raises:
        CheckpointError: it is damaged, or of other networks.
    """
    config = settings.from_tables(chosen.state["config"], origin=str(chosen.path))
    channels, height, width = chosen.state["shape"]
    network = build_generator(config.model, (channels, height, width), rng_for(0, 0, "unused"))
    weights = chosen.tensors("weights")
    own = {k.removeprefix("ema."): v for k, v in weights.items() if k.startswith("ema.")}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise CheckpointError(f"{chosen.path}: {str(error).splitlines()[0]}") from None
    network.eval().requires_grad_(False)
    return LoadedGenerator(network, config.model.z_dim, chosen.path, chosen.state["images_seen"])


@torch.no_grad()
def sample(generator: LoadedGenerator, *, count: int, seed: int) -> np.ndarray:
    """New images.

    Args:
        generator: from `load_generator`.
        count: how many, at least 1.
        seed: image i of a seed is the same whatever the count.

    Returns:
        (count, H, W, C) uint8.
    """
    chunks = []
    for number in range(-(-count // CHUNK)):
        z = torch.randn(CHUNK, generator.z_dim, generator=rng_for(seed, number, "generate"))
        chunks.append(to_pixels(generator.network(z)))
    return np.concatenate(chunks)[:count]


def write(pixels: np.ndarray, out: Path, *, as_grid: bool) -> None:
    """Write images as an array, as one sheet, as one file or as many.

    Args:
        pixels: (N, H, W, C) uint8.
        out: an array if it ends in .npy; one sheet with `as_grid`; one image if it ends in
            .png; else a folder of PNG files.
        as_grid: all on one sheet.

    Raises:
        FacewrightError: several images into one .png file, or a format that loses pixels.
    """
    if out.suffix not in (".png", ".npy") and (as_grid or out.suffix in (".jpg", ".jpeg", ".webp")):
        raise FacewrightError(
            f"--out {out}", expected="a .png file", fix=f"--out {out.with_suffix('.png')}"
        )
    if out.suffix == ".npy":
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, pixels)
    elif as_grid:
        save_png(grid(pixels), out, scale=max(1, 64 // pixels.shape[1]))
    elif out.suffix != ".png":
        digits = max(6, len(str(len(pixels))))
        for number, image in enumerate(pixels):
            save_png(image, out / f"{number:0{digits}d}.png")
    elif len(pixels) == 1:
        save_png(pixels[0], out)
    else:
        raise FacewrightError(
            f"{len(pixels)} images into one file {out}",
            expected="a folder",
            fix=f"--grid for one sheet, or --out {out.with_suffix('')}",
        )

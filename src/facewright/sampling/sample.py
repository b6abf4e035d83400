"""Pictures from a trained generator, the same for the same seed."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facewright import config as settings
from facewright.conditions import Conditioning
from facewright.errors import CheckpointError, FacewrightError
from facewright.images import grid, save_png, to_pixels
from facewright.models.build import build_generator
from facewright.models.conditional import informed
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
        network: maps (B, z_dim) latents to (B, C, H, W) images in [-1, 1]; a conditional one
            takes (B, conditioning.size) beside them.
        z_dim: length of a latent vector.
        path: of the checkpoint.
        images_seen: real images shown in its training.
        conditioning: which labels it is asked for, and how often.
    """

    network: nn.Module
    z_dim: int
    path: Path
    images_seen: int
    conditioning: Conditioning = field(default_factory=Conditioning)

    def asked(self, wishes: Iterable[str]) -> "LoadedGenerator":
        """The same, asked for some labels, such as "Smiling=1".

        Raises:
            ConfigError: labels or values that it does not know.
        """
        return replace(self, conditioning=self.conditioning.given(wishes))

    def of_latents(self) -> Callable[[Tensor], Tensor]:
        """Latents that may move to images: each place in a batch keeps its labels.

        They are drawn here, not in the function: that may be differentiated.
        """
        asked = self.conditioning.draw(CHUNK, rng_for(0, 0, "labels of latents"))
        return lambda z: informed(self.network, asked[torch.arange(len(z)) % CHUNK])(z)

    def draw(self, count: int, seed: int, number: int) -> np.ndarray:
        """One chunk of `sample`, found by its number: (count, H, W, C) uint8."""
        rng = rng_for(seed, number, "generate")
        z = torch.randn(count, self.z_dim, generator=rng)
        asked = self.conditioning.draw(count, rng)
        return to_pixels(informed(self.network, asked)(z))


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
    told = Conditioning.from_state(chosen.state)
    rng = rng_for(0, 0, "unused")
    network = build_generator(config.model, (channels, height, width), rng, told.size)
    weights = chosen.tensors("weights")
    own = {k.removeprefix("ema."): v for k, v in weights.items() if k.startswith("ema.")}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise CheckpointError(f"{chosen.path}: {str(error).splitlines()[0]}") from None
    network.eval().requires_grad_(False)
    seen = chosen.state["images_seen"]
    return LoadedGenerator(network, config.model.z_dim, chosen.path, seen, told)


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
    chunks = [generator.draw(CHUNK, seed, number) for number in range(-(-count // CHUNK))]
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

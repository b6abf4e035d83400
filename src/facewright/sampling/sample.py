"""Images from a trained generator, the same for the same seed."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facewright.atomic import whole_file
from facewright.errors import FacewrightError, quoted
from facewright.images import grid, save_png, to_pixels
from facewright.models.open_model import Model
from facewright.networks.conditional import conditioned
from facewright.rng import rng_for
from facewright.sampling.provenance import Provenance

OTHER_FILES = (".jpg", ".jpeg", ".webp", ".gif", ".zip", ".npz", ".safetensors")
"""What a user may well ask for, and not get: no folder is called so."""

CHUNK = 64
"""Latents drawn at once: fixed, so that image i does not depend on how many are drawn."""


def with_labels(model: Model, requests: Iterable[str]) -> Model:
    """The same model, with some labels fixed, such as "Smiling=1".

    Raises:
        ConfigError: labels or values that it does not know.
    """
    return replace(model, conditioning=model.conditioning.given(requests))


def latents_to_images(model: Model) -> Callable[[Tensor], Tensor]:
    """A differentiable function of (B, z_dim) latents: each place in a batch keeps its labels."""
    # Drawn here, not in the function, which may be differentiated.
    conditions = model.conditioning.draw(CHUNK, rng_for(0, 0, "labels of latents"))
    return lambda z: conditioned(model.generator, conditions[torch.arange(len(z)) % CHUNK])(z)


@torch.no_grad()
def sample(model: Model, *, count: int, seed: int) -> np.ndarray:
    """New images.

    Args:
        model: whose generator draws.
        count: how many, at least 1.
        seed: image i of a seed is the same whatever the count.

    Returns:
        (count, H, W, C) uint8.
    """
    chunks = [_chunk(model, seed, number) for number in range(-(-count // CHUNK))]
    return np.concatenate(chunks)[:count]


def _chunk(model: Model, seed: int, number: int) -> np.ndarray:
    rng = rng_for(seed, number, "generate")
    z = torch.randn(CHUNK, model.architecture.z_dim, generator=rng)
    conditions = model.conditioning.draw(CHUNK, rng)
    return to_pixels(conditioned(model.generator, conditions)(z))


def write(pixels: np.ndarray, out: Path, *, as_grid: bool, maker: Provenance) -> None:
    """Write images as an array, as one sheet, as one file or as many.

    Args:
        pixels: (N, H, W, C) uint8.
        out: an array if it ends in .npy; one sheet with `as_grid`; one image if it ends in
            .png; else a folder of PNG files.
        as_grid: all on one sheet.
        maker: what the PNG files say of where they come from.

    Raises:
        FacewrightError: several images into one .png file, a file of another kind, or a folder
            with other images.
    """
    wanted = (".png",) if as_grid else (".png", ".npy")
    if out.suffix not in wanted and (as_grid or out.suffix in OTHER_FILES):
        raise FacewrightError(
            f"--out {out}{' with --grid' if as_grid else ''}",
            expected="a .png file" if as_grid else "a folder, a .png or an .npy file",
            fix=f"--out {quoted(out.with_suffix('.png' if as_grid else ''))}",
        )
    if out.suffix == ".npy":
        with whole_file(out) as file:
            np.save(file, pixels)
    elif as_grid:
        whole = maker.chunks(count=len(pixels))
        save_png(grid(pixels), out, scale=max(1, 64 // pixels.shape[1]), text=whole)
    elif out.suffix != ".png":
        digits = max(6, len(str(len(pixels))))
        names = [f"{number:0{digits}d}.png" for number in range(len(pixels))]
        _refuse_other_images(out, names)
        _write_all([out / name for name in names], pixels, maker)
    elif len(pixels) == 1:
        save_png(pixels[0], out, text=maker.chunks(index=0))
    else:
        raise FacewrightError(
            f"{len(pixels)} images into one file {out}",
            expected="a folder",
            fix=f"--grid for one sheet, or --out {quoted(out.with_suffix(''))}",
        )


def _write_all(paths: Sequence[Path], pixels: np.ndarray, maker: Provenance) -> None:
    """All of them, or none where there is no room for all."""
    for number, (path, image) in enumerate(zip(paths, pixels, strict=True)):
        try:
            save_png(image, path, text=maker.chunks(index=number))
        except OSError:
            for written in paths[:number]:
                written.unlink()
            with contextlib.suppress(OSError):  # it holds other things
                path.parent.rmdir()
            raise


def _refuse_other_images(folder: Path, names: Iterable[str]) -> None:
    """Images of two models in one folder would later be taken for those of one."""
    others = {path.name for path in folder.glob("*.png")} - set(names)
    if others:
        raise FacewrightError(
            f"{folder} holds {len(others)} other images, such as {min(others)}",
            expected="a folder for these alone",
            fix=f"another --out, or remove {folder / '*.png'}",
        )

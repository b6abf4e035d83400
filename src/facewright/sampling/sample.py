"""Pictures from a trained generator, the same for the same seed."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facewright import settings
from facewright.conditions import Conditioning
from facewright.config import ModelConfig
from facewright.errors import BundleError, CheckpointError, ConfigError, FacewrightError
from facewright.images import grid, save_png, to_pixels
from facewright.models import bundle as bundles
from facewright.models.bundle import Bundle
from facewright.models.bundled import bundle_path, refuse_unknown
from facewright.networks.build import unfilled_generator
from facewright.networks.conditional import conditioned
from facewright.records import checkpoints
from facewright.records.checkpoints import Checkpoint, Which
from facewright.records.run_folder import RunFolder
from facewright.rng import rng_for
from facewright.sampling.provenance import Provenance

log = logging.getLogger(__name__)

OTHER_FILES = (".jpg", ".jpeg", ".webp", ".gif", ".zip", ".npz", ".safetensors")
"""What a user may well ask for, and not get: no folder is called so."""

CHUNK = 64
"""Latents drawn at once: fixed, so that image i does not depend on how many are drawn."""


@dataclass(frozen=True)
class LoadedGenerator:
    """A generator ready to draw, and where it came from.

    Args:
        network: maps (B, z_dim) latents to (B, C, H, W) images in [-1, 1]; a conditional one
            takes (B, conditioning.size) beside them.
        z_dim: length of a latent vector.
        path: of the checkpoint or the bundle.
        images_seen: real images shown in its training.
        sha256: of the checkpoint's weights or of the bundle.
        conditioning: which labels it is asked for, and how often.
    """

    network: nn.Module
    z_dim: int
    path: Path
    images_seen: int
    sha256: str
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
        return lambda z: conditioned(self.network, asked[torch.arange(len(z)) % CHUNK])(z)

    def draw(self, count: int, seed: int, number: int) -> np.ndarray:
        """One chunk of `sample`, found by its number: (count, H, W, C) uint8."""
        rng = rng_for(seed, number, "generate")
        z = torch.randn(count, self.z_dim, generator=rng)
        asked = self.conditioning.draw(count, rng)
        return to_pixels(conditioned(self.network, asked)(z))


def load_generator(model: Path, which: Which = "newest") -> LoadedGenerator:
    """The averaged generator of a run or a bundle.

    Args:
        model: run folder, bundle file, or the name of a bundled model.
        which: of a run's checkpoints; a bundle has one generator.

    Raises:
        RunError: no model there.
        BundleError: a bundle that is damaged or foreign.
        CheckpointError: no usable checkpoint, or one of other networks.
        ConfigError: a choice of checkpoints of a bundle.
    """
    refuse_unknown(model)
    if path := bundle_path(model):
        refuse_choice(model, which)
        return generator_in(bundles.read(path))
    chosen, damaged = checkpoints.sound(RunFolder.open(model).checkpoints, which)
    for sentence in damaged:
        log.warning("%s; using %s", sentence, chosen.path.name)
    return generator_of(chosen)


def refuse_choice(model: Path, which: str) -> None:
    """A bundle has one generator.

    Args:
        model: a bundle.
        which: checkpoint that was asked for.

    Raises:
        ConfigError: another one than the newest, which is what is meant when nobody asks.
    """
    if which != "newest":
        raise ConfigError(
            f"--checkpoint {which} of {model}, which is a bundle",
            expected="a run: a bundle has one generator",
            fix="leave --checkpoint out",
        )


def generator_in(bundle: Bundle) -> LoadedGenerator:
    """The generator of a bundle.

    Raises:
        BundleError: its weights are not those of the network that it names.
    """
    about = bundle.about
    try:
        weights, told = bundle.networks["generator"], about.conditioning
        network = _assembled(about.model, about.shape, weights, told.size)
    except (ConfigError, RuntimeError, TypeError) as error:  # the last: sizes beyond 64 bits
        raise BundleError(f"{bundle.path}: {str(error).splitlines()[0]}") from None
    seen = about.card.training.images_seen
    return LoadedGenerator(network, about.model.z_dim, bundle.path, seen, bundle.sha256, told)


def generator_of(chosen: Checkpoint) -> LoadedGenerator:
    """The averaged generator of one checkpoint.

    Raises:
        CheckpointError: it is damaged, or of other networks.
    """
    state = chosen.state
    config = settings.from_tables(state["config"], origin=str(chosen.path))
    channels, height, width = state["shape"]
    told = Conditioning.from_state(state)
    weights = chosen.tensors("weights")
    own = {k.removeprefix("ema."): v for k, v in weights.items() if k.startswith("ema.")}
    try:
        network = _assembled(config.model, (channels, height, width), own, told.size)
    except RuntimeError as error:
        raise CheckpointError(f"{chosen.path}: {str(error).splitlines()[0]}") from None
    return LoadedGenerator(
        network,
        config.model.z_dim,
        chosen.path,
        state["images_seen"],
        state["sha256"]["weights.safetensors"],
        told,
    )


def _assembled(
    model: ModelConfig,
    shape: tuple[int, int, int],
    weights: Mapping[str, Tensor],
    conditions: int,
) -> nn.Module:
    """A generator with these weights, and a RuntimeError if they are of another one."""
    network = unfilled_generator(model, shape, conditions)
    own = {name: tensor.clone() for name, tensor in weights.items()}
    network.load_state_dict(own, assign=True)
    return network.eval().requires_grad_(False)


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
            fix=f"--out {out.with_suffix('.png' if as_grid else '')}",
        )
    if out.suffix == ".npy":
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, pixels)
    elif as_grid:
        whole = maker.chunks(count=len(pixels))
        save_png(grid(pixels), out, scale=max(1, 64 // pixels.shape[1]), text=whole)
    elif out.suffix != ".png":
        digits = max(6, len(str(len(pixels))))
        names = [f"{number:0{digits}d}.png" for number in range(len(pixels))]
        _refuse_company(out, names)
        for number, (name, image) in enumerate(zip(names, pixels, strict=True)):
            save_png(image, out / name, text=maker.chunks(index=number))
    elif len(pixels) == 1:
        save_png(pixels[0], out, text=maker.chunks(index=0))
    else:
        raise FacewrightError(
            f"{len(pixels)} images into one file {out}",
            expected="a folder",
            fix=f"--grid for one sheet, or --out {out.with_suffix('')}",
        )


def _refuse_company(folder: Path, names: Iterable[str]) -> None:
    """Images of two models in one folder would later be taken for those of one."""
    others = {path.name for path in folder.glob("*.png")} - set(names)
    if others:
        raise FacewrightError(
            f"{folder} holds {len(others)} other images, such as {min(others)}",
            expected="a folder for these alone",
            fix=f"another --out, or remove {folder / '*.png'}",
        )

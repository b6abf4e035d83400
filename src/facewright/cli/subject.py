"""What `evaluate` and `audit` look at: a model's images, or somebody's images."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from facewright.data.pictures import read_pictures
from facewright.data.store import Store
from facewright.errors import FacewrightError, RunError
from facewright.records import checkpoints
from facewright.records.folder import RunFolder
from facewright.sampling.sample import LoadedGenerator, generator_of, load_generator, sample

Checkpoints = Literal["newest", "best", "all"]

MODEL_COUNT = 10_000
"""Images drawn from a model when nobody says how many: fewer bias the usual distances."""


@dataclass(frozen=True)
class Subject:
    """A set of generated images.

    Args:
        name: to show.
        pixels: (N, H, W, C) uint8.
        generator: that drew them; `None` for somebody's images.
    """

    name: str
    pixels: np.ndarray
    generator: LoadedGenerator | None = None

    @property
    def images_seen(self) -> int | None:
        """Real images that the generator was trained with."""
        return self.generator.images_seen if self.generator else None


def is_run(path: Path) -> bool:
    """Is this folder a run, rather than a folder of images?"""
    return RunFolder(path).config.exists()


def subjects(
    path: Path, store: Store, *, count: int | None, seed: int, checkpoint: Checkpoints
) -> Iterator[Subject]:
    """The images to look at, one set for each checkpoint that is wanted.

    Args:
        path: a run folder, or a folder, `.zip` or `.npy` of images.
        store: of the photos; says how many channels are wanted.
        count: how many images; all of a given set, and `MODEL_COUNT` of a model, if None.
        seed: of the latents.
        checkpoint: of a run.

    Raises:
        DataError: images that cannot be read.
        RunError: no checkpoint.
    """
    if count is not None and count < 2:
        raise FacewrightError(f"--count {count}", expected="at least 2")
    if not is_run(path):
        pixels = read_pictures(path, channels=store.shape[0])
        if count is not None and count > len(pixels):
            raise FacewrightError(
                f"--count {count}", expected=f"at most the {len(pixels)} images of {path}"
            )
        yield Subject(path.name, pixels[:count])
        return
    for generator in _generators(path, checkpoint):
        pixels = sample(generator, count=count or MODEL_COUNT, seed=seed)
        yield Subject(f"{path.name} at {generator.path.name}", pixels, generator)


def _generators(run: Path, which: Checkpoints) -> Iterator[LoadedGenerator]:
    if which != "all":
        yield load_generator(run, which)
        return
    found = checkpoints.readable(RunFolder.open(run).checkpoints)
    if not found:
        raise RunError(f"{run} has no checkpoint", expected="a run that has been trained")
    for checkpoint in found:
        yield generator_of(checkpoint)

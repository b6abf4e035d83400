"""What `evaluate` and `audit` look at: a model's images, or somebody's images."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from facewright.data.image_files import read_pictures
from facewright.data.store import Store, is_store
from facewright.errors import CheckpointError, DataError, FacewrightError, RunError
from facewright.models import bundle
from facewright.models.bundled import bundle_path, refuse_unknown
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.sampling.sample import (
    LoadedGenerator,
    generator_of,
    load_generator,
    refuse_choice,
    sample,
)

log = logging.getLogger(__name__)

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
    """Is this folder a run, rather than a folder of images or a bundle?"""
    return RunFolder(path).config.exists()


def subjects(
    path: Path, store: Store, *, count: int | None, seed: int, checkpoint: Checkpoints
) -> Iterator[Subject]:
    """The images to look at, one set for each checkpoint that is wanted.

    Args:
        path: a run folder, a bundle or the name of a bundled model, or a folder, `.zip` or
            `.npy` of images.
        store: of the photos; says how many channels are wanted.
        count: how many images; all of a given set, and `MODEL_COUNT` of a model, if None.
        seed: of the latents.
        checkpoint: of a run.

    Raises:
        DataError: images that cannot be read.
        BundleError: a bundle that is damaged or foreign.
        RunError: nothing there, or no checkpoint.
    """
    if count is not None and count < 2:
        raise FacewrightError(f"--count {count}", expected="at least 2", fix="--count 1000")
    refuse_unknown(path)
    if bundle_path(path):
        refuse_choice(path, checkpoint)
        generator = load_generator(path)
        pixels = sample(generator, count=count or MODEL_COUNT, seed=seed)
        yield Subject(generator.path.stem, pixels, generator)
        return
    if not is_run(path):
        _refuse_near_misses(path)
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


def refuse_without_held_out(store: Store) -> None:
    """Some numbers need photos that nobody trained on.

    Raises:
        DataError: the store has none.
    """
    if len(store.val) < 2:
        raise DataError(
            f"{store.path} has {len(store.val)} held-out photos",
            expected="photos that nobody trained on",
            fix=f"facewright prepare PHOTOS --out {store.path} --val-fraction 0.1 ...",
        )


def trained_on(model: Path) -> str:
    """Content hash of the store that a model was trained on; "" where nobody can say.

    Args:
        model: a run, a bundle, or somebody's images.
    """
    if path := bundle_path(model):
        return bundle.read(path).about.card.photos.content_hash
    if not is_run(model):
        return ""
    return environment.read(RunFolder(model))["store"].get("content_hash", "")


def is_of_another_store(model: Path, store: Store) -> bool:
    """Was the model trained on other photos? Numbers on these are then something else."""
    return trained_on(model) not in ("", store.content_hash)


def warn_of_another_store(model: Path, store: Store) -> None:
    """Say so if a model was trained on other photos."""
    if not is_of_another_store(model, store):
        return
    kept = "; numbers on these are not added to its records" if is_run(model) else ""
    log.warning("%s was trained on another store than %s%s", model, store.path, kept)


def _refuse_near_misses(path: Path) -> None:
    """A store, or a folder of runs, in place of a model: its files are no images."""
    if is_store(path):
        raise DataError(
            f"{path} is a training store",
            expected="a run, or generated images",
            fix=f"{path / 'val.npy'} to measure the held-out photos themselves",
        )
    runs = sorted(child for child in path.glob("*/") if is_run(child))
    if runs:
        raise DataError(
            f"{path} holds runs: {', '.join(run.name for run in runs[:5])}",
            expected="one run, or generated images",
            fix=str(runs[0]),
        )


def _generators(run: Path, which: Checkpoints) -> Iterator[LoadedGenerator]:
    if which != "all":
        yield load_generator(run, which)
        return
    usable = 0
    for checkpoint in checkpoints.readable(RunFolder.open(run).checkpoints):
        try:
            generator = generator_of(checkpoint)
        except (CheckpointError, OSError) as error:  # damaged, or pruned by a running training
            log.warning("%s is left out: %s", checkpoint.path.name, error)
            continue
        usable += 1
        yield generator
    if not usable:
        raise RunError(
            f"{run} has no usable checkpoint",
            expected="a run that has been trained",
            fix=f"facewright resume {run}",
        )

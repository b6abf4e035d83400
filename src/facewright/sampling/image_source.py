"""Generated images to look at: drawn by a model, or somebody's."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facewright.data.image_files import read_pictures
from facewright.data.store import Store, is_store
from facewright.errors import DataError, FacewrightError, quoted
from facewright.models.open_model import (
    Model,
    kind_of,
    open_checkpoints,
    open_model,
    refuse_unknown,
)
from facewright.sampling.sample import sample

log = logging.getLogger(__name__)

MODEL_COUNT = 10_000
"""Images drawn from a model when nobody says how many: fewer bias the usual distances."""


@dataclass(frozen=True)
class GeneratedImages:
    """A set of generated images.

    Args:
        name: to show.
        pixels: (N, H, W, C) uint8.
        model: that drew them; `None` for somebody's images.
    """

    name: str
    pixels: np.ndarray
    model: Model | None = None

    @property
    def images_seen(self) -> int | None:
        """Real images that the model was trained with."""
        return self.model.images_seen if self.model else None


@dataclass(frozen=True)
class ImageSource:
    """Where generated images come from: opened, and not drawn yet.

    Args:
        path: as the user wrote it.
        model: the one whose images are meant, or the newest of several; `None` for images.
        checkpoint: of a run: newest, best, all, or the name of one.
    """

    path: Path
    model: Model | None
    checkpoint: str = "newest"

    @classmethod
    def open(cls, path: Path, checkpoint: str = "newest") -> "ImageSource":
        """A model, or images in whatever form `prepare` reads.

        Raises:
            DataError: a store, or a folder of runs.
            BundleError: a bundle that is damaged or foreign.
            RunError: nothing there, or no checkpoint.
        """
        refuse_unknown(path)
        if kind_of(path) is None:
            _refuse_near_misses(path)
            return cls(path, None, checkpoint)
        # All checkpoints are drawn from later: the newest one speaks for the run until then.
        several = checkpoint == "all" and kind_of(path) == "run"
        return cls(path, open_model(path, "newest" if several else checkpoint), checkpoint)

    @property
    def run(self) -> Path | None:
        """The run folder that the user named; `None` for bundles and images."""
        return self.path if self.model is not None and kind_of(self.path) == "run" else None

    def is_of_other_photos(self, store: Store) -> bool:
        """Was the model trained on other photos? Numbers on these are then something else."""
        return self.model is not None and self.model.photos not in ("", store.content_hash)

    def warn_of_other_photos(self, store: Store) -> None:
        """Say so if the model was trained on other photos."""
        if self.is_of_other_photos(store):
            kept = "; numbers on these are not added to its records" if self.run else ""
            log.warning("%s was trained on another store than %s%s", self.path, store.path, kept)

    def images(self, store: Store, *, count: int | None, seed: int) -> Iterator[GeneratedImages]:
        """The images, one set for each checkpoint that is wanted.

        Args:
            store: of the photos; says how many channels are wanted.
            count: how many images; all of a given set, and `MODEL_COUNT` of a model, if None.
            seed: of the latents.

        Raises:
            DataError: images that cannot be read.
            FacewrightError: too few asked for, or more than there are.
        """
        if count is not None and count < 2:
            raise FacewrightError(f"--count {count}", expected="at least 2", fix="--count 1000")
        if self.model is None:
            yield self._given(store, count)
            return
        several = self.checkpoint == "all" and self.run is not None
        for model in open_checkpoints(self.path) if several else [self.model]:
            pixels = sample(model, count=count or MODEL_COUNT, seed=seed)
            yield GeneratedImages(model.name, pixels, model)

    def _given(self, store: Store, count: int | None) -> GeneratedImages:
        pixels = read_pictures(self.path, channels=store.shape[0])
        if count is not None and count > len(pixels):
            raise FacewrightError(
                f"--count {count}",
                expected=f"at most the {len(pixels)} images of {self.path}",
                fix=f"--count {len(pixels)}",
            )
        return GeneratedImages(self.path.name, pixels[:count])


def _refuse_near_misses(path: Path) -> None:
    """A store, or a folder of runs, in place of a model: its files are no images."""
    if is_store(path):
        raise DataError(
            f"{path} is a training store",
            expected="a run, or generated images",
            fix=f"{quoted(path / 'val.npy')} to measure the held-out photos themselves",
        )
    runs = sorted(child for child in path.glob("*/") if kind_of(child) == "run")
    if runs:
        raise DataError(
            f"{path} holds runs: {', '.join(run.name for run in runs[:5])}",
            expected="one run, or generated images",
            fix=quoted(runs[0]),
        )

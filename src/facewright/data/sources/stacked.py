"""Stacked-MNIST: three digits drawn at random, one in each colour, make 1,000 known modes.

Source: Metz et al. 2017, arXiv:1611.02163, section 3.3.1.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facewright.data.labels import LabelColumn, Labels
from facewright.data.sources.source import Source
from facewright.errors import DataError

PREFIX = "stacked:"
COLOURS = ("red", "green", "blue")


class Stacks(Sequence[np.ndarray]):
    """The images of each stack, looked up when they are asked for, not copied before.

    Args:
        images: (N, H, W) uint8.
        chosen: (M, 3) which of them make up each stack.
    """

    def __init__(self, images: np.ndarray, chosen: np.ndarray) -> None:
        self.images, self.chosen = images, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, which: int | slice) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(3, H, W) of one, or (M, 3, H, W) of some."""
        return self.images[self.chosen[which]]


def stacked(source: Source, count: int, *, seed: int) -> Source:
    """Stacks of three images of a gray source, each image drawn at random with replacement.

    Args:
        source: IDX files.
        count: how many stacks.
        seed: of the draw.

    Raises:
        DataError: other photos.
    """
    if source.kind != "idx" or not len(source.names):
        raise DataError(
            f"{source.place} is of the kind {source.kind}, with {len(source.names)} images",
            expected="gray images in IDX files, such as MNIST's",
            fix="stacked:mnist",
        )
    chosen = np.random.default_rng(seed).integers(len(source.names), size=(count, len(COLOURS)))
    return replace(
        source,
        kind="stacked",
        place=f"{source.place}, stacked by threes, seed {seed}",
        names=[f"stacked-{seed}-{number:06d}" for number in range(count)],
        addresses=Stacks(np.asarray(source.addresses), chosen),
        read=_as_colours,
        labels=_labels(source.labels, chosen),
        channels=len(COLOURS),
    )


def _as_colours(images: np.ndarray) -> np.ndarray:
    """(3, H, W) gray images to one of (H, W, 3)."""
    return images.transpose(1, 2, 0)


def _labels(single: Labels, chosen: np.ndarray) -> Labels:
    """Each label of the single images once for every colour."""
    columns = tuple(
        LabelColumn(f"{colour}_{column.name}", column.kind, column.classes, column.meaning)
        for colour in COLOURS
        for column in single.columns
    )
    values = single.values[chosen].reshape(len(chosen), -1)
    return Labels(columns, values)

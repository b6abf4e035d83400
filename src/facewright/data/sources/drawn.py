"""Drawn faces as a source: free to use, and no real person is shown."""

from dataclasses import dataclass

import numpy as np

from facewright.data.drawn import ATTRIBUTES, attributes_of, draw
from facewright.data.labels import LabelColumn, Labels
from facewright.data.sources.source import Source


def drawn(count: int, *, size: tuple[int, int], seed: int) -> Source:
    """The first `count` drawings of a series, made at their final size.

    Args:
        count: how many.
        size: (height, width).
        seed: selects the series.
    """
    classes = [attributes_of(index, seed=seed) for index in range(count)]
    columns = tuple(LabelColumn(name, "class", names) for name, names in ATTRIBUTES.items())
    values = [[one[column.name] for column in columns] for one in classes]
    return Source(
        kind="drawn",
        place=f"drawn faces, seed {seed}",
        licence="drawn by Facewright: free to use, no real person is shown",
        names=[f"drawn-{seed}-{index:06d}" for index in range(count)],
        addresses=range(count),
        read=DrawingReader(size, seed),
        labels=Labels(columns, np.array(values, np.float32).reshape(count, len(columns))),
    )


@dataclass(frozen=True)
class DrawingReader:
    """Draws instead of reading."""

    size: tuple[int, int]
    seed: int

    def __call__(self, index: int) -> np.ndarray:
        """One drawing."""
        return draw(index, size=self.size, seed=self.seed)[0]

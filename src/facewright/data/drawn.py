"""Drawn faces: an endless source of faces whose attributes are known.

Every drawing has one class of each attribute, plus continuous variation, so that it can be counted
which combinations of classes a generator trained on them has lost.
"""

from collections.abc import Mapping

import numpy as np

from facewright.data.appearance import Look
from facewright.data.portrait import paint
from facewright.errors import DataError
from facewright.rng import numpy_rng_for

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "skin": ("light", "tan", "brown", "dark"),
    "hair": ("short", "long", "curly", "bun"),
    "hair_colour": ("black", "brown", "blond", "red", "grey"),
    "glasses": ("none", "glasses", "sunglasses"),
    "smile": ("no", "yes"),
    "pose": ("left", "front", "right"),
    "background": ("sky", "mint", "rose", "night"),
}
"""The classes of each attribute; a drawing has one class of each, all equally often.

Left and right are the viewer's.
"""

SMALLEST, LARGEST = 16, 256


def draw(index: int, *, size: tuple[int, int], seed: int) -> tuple[np.ndarray, dict[str, int]]:
    """Drawing number `index` of the endless series that belongs to `seed`.

    Neither the number of drawings made before nor their order has an influence. The same
    index in another size is the same face.

    Args:
        index: 0 or more.
        size: (height, width) in pixels, each from 16 to 256. The face fits the shorter side.
        seed: selects the series.

    Returns:
        (height, width, 3) uint8 pixels, and the class index of each of `ATTRIBUTES`.

    Raises:
        DataError: a size outside the range.
    """
    attributes, rng = _chosen(index, seed)
    return draw_as(attributes, size=size, rng=rng), attributes


def attributes_of(index: int, *, seed: int) -> dict[str, int]:
    """The class index of each attribute of a drawing, without drawing it."""
    return _chosen(index, seed)[0]


def _chosen(index: int, seed: int) -> tuple[dict[str, int], np.random.Generator]:
    """A drawing's classes, and the random source that its continuous variation follows from."""
    rng = numpy_rng_for(seed, index, "drawn")
    return {name: int(rng.integers(len(classes))) for name, classes in ATTRIBUTES.items()}, rng


def draw_as(
    attributes: Mapping[str, int], *, size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """A face of the chosen classes; `rng` only decides the continuous variation.

    Args:
        attributes: the class index of each of `ATTRIBUTES`.
        size: (height, width) in pixels, each from 16 to 256.
        rng: equal sources give equal pixels.

    Returns:
        (height, width, 3) uint8 pixels.
    """
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise DataError(
            f"a drawing of {size[0]}x{size[1]} pixels",
            expected=f"sides from {SMALLEST} to {LARGEST}",
            fix="--size 32",
        )
    chosen = {name: classes[attributes[name]] for name, classes in ATTRIBUTES.items()}
    return paint(Look.of(chosen, rng), size)

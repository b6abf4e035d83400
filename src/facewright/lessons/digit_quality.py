"""How good are generated digits? Judged by the library's own reader of digits."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facewright.data.store import Store
from facewright.metrics.domain import refuse_unless_digits
from facewright.metrics.extractors.digits import CLASSES, Digits
from facewright.metrics.frechet import frechet_distance
from facewright.rng import numpy_rng_for


@dataclass(frozen=True)
class Quality:
    """Two numbers about a set of generated digits.

    Args:
        fd: Fréchet distance to real digits in the features of the digit reader; lower is better.
        captured: digits, of ten, that make up at least 1 % of the images: a tenth of their
            fair share, so that misreadings do not count.
    """

    fd: float
    captured: int


@dataclass(frozen=True)
class Jury:
    """A judge of digits, and what real digits get from it.

    Args:
        judge: (N, H, W, 1) uint8 images -> their quality.
        floor: of other real digits; no generator can be expected below.
    """

    judge: Callable[[np.ndarray], Quality]
    floor: Quality


def jury(store: Store, count: int) -> Jury:
    """A judge that compares with held-out digits.

    Args:
        store: of digits.
        count: real digits that the generated ones are compared with.

    Raises:
        MetricError: the store holds no digits, or too few.
    """
    reader = Digits()
    held_out = _some(store.val, count)
    refuse_unless_digits(held_out, reader)
    real = reader(held_out)

    def judge(fake: np.ndarray) -> Quality:
        features = reader(fake)
        read = reader.logits(features).argmax(dim=1).numpy()
        return Quality(frechet_distance(real, features).value, captured(read))

    return Jury(judge, floor=judge(_some(store.train, count)))


def captured(read: np.ndarray) -> int:
    """How many of the ten digits make up at least 1 % of these images each?

    Args:
        read: (N,) whole numbers from 0 to 9.
    """
    counts = np.bincount(read, minlength=CLASSES)
    return int(np.sum(100 * counts >= len(read)))


def _some(pixels: np.ndarray, count: int) -> np.ndarray:
    # At random, because stores keep the order of names, which is often by kind.
    chosen = numpy_rng_for(0, 0, "lesson/jury").permutation(len(pixels))[:count]
    return pixels[np.sort(chosen)]

"""Which photos make up the batch of a given moment?"""

import math

import numpy as np
import torch
from torch import Tensor

from facewright.data.photo_conditions import ConditionRows
from facewright.images import to_model_range
from facewright.rng import numpy_rng_for, seed_for

ROUNDS = 4
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class BatchStream:
    """Endless batches in shuffled epochs, each found by its number alone.

    Batch `i` is the same however the run came to it, so a resumed run sees what an
    uninterrupted one would have seen. Every photo is shown once before any is shown twice.

    Args:
        pixels: (N, H, W, C) uint8, in memory or memory-mapped.
        batch: images in a batch, over all processes; may exceed N.
        seed: of the run.
        flip: mirror each photo half of the time.
        share: (rank, processes): this process gets its contiguous part of each batch.
        conditions: condition vectors of the N photos, for a conditional model.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        *,
        batch: int,
        seed: int,
        flip: bool,
        share: tuple[int, int] = (0, 1),
        conditions: ConditionRows | None = None,
    ) -> None:
        self.pixels, self.batch, self.seed, self.flip = pixels, batch, seed, flip
        self.conditions = conditions
        rank, processes = share
        self.part = slice(rank * batch // processes, (rank + 1) * batch // processes)

    def at(self, number: int) -> Tensor:
        """Batch `number`, as (B, C, H, W) float32 in [-1, 1]; B is this process's part."""
        chosen = self.pixels[self._rows(number)]
        if self.flip:
            mirrored = numpy_rng_for(self.seed, number, "flip").random(self.batch)[self.part] < 0.5
            chosen[mirrored] = chosen[mirrored, :, ::-1]
        return to_model_range(chosen)

    def conditions_at(self, number: int) -> Tensor:
        """The condition vectors of the photos of batch `number`: (B, C) float32.

        The mirror image of a photo has the photo's labels. C is 0 without labels.
        """
        if self.conditions is None:
            return torch.zeros(self.part.stop - self.part.start, 0)
        return self.conditions[self._rows(number)]

    def _rows(self, number: int) -> np.ndarray:
        """Which photos make up this process's part of a batch."""
        positions = np.arange(number * self.batch, (number + 1) * self.batch)[self.part]
        epochs, places = np.divmod(positions, len(self.pixels))
        return np.concatenate(
            [
                shuffled(places[epochs == e], len(self.pixels), seed_for(self.seed, e, "order"))
                for e in np.unique(epochs)
            ]
        )


def shuffled(places: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Which of `count` things stand at these places of a shuffled row?

    Computed, not looked up: a list of ten million photos in random order takes 80 MB and a second
    for every epoch, of which a short run uses a few entries. Here a place is written as two
    digits, which change each other in turns by steps that can be undone; so no two places ever go
    to the same thing.

    Args:
        places: (N,) int64 from 0 to count - 1.
        count: length of the row.
        seed: of the order, below 2 ** 64.

    Returns:
        (N,) int64 from 0 to count - 1; over all places each of them once.

    Source: Luby & Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom
    functions"; Black & Rogaway 2002, "Ciphers with arbitrary finite domains", for walking on when
    a place is beyond the end; the scrambling of digits is splitmix64's (Steele et al. 2014,
    "Fast splittable pseudorandom number generators").
    """
    base = math.isqrt(count - 1) + 1
    things = _exchanged(places.astype(np.uint64), base, seed)
    # There are base * base pairs of digits, a few more than things: permute again until inside.
    while (outside := things >= count).any():
        things[outside] = _exchanged(things[outside], base, seed)
    return things.astype(np.int64)


def _exchanged(numbers: np.ndarray, base: int, seed: int) -> np.ndarray:
    """One permutation of the numbers below base * base."""
    radix = np.uint64(base)
    left, right = numbers // radix, numbers % radix
    with np.errstate(over="ignore"):
        for turn in range(1, ROUNDS + 1):
            key = np.uint64(seed) + np.uint64(turn) * GOLDEN
            left, right = right, (left + _scrambled(right + key) % radix) % radix
    return left * radix + right


def _scrambled(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))

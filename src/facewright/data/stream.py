"""Which photos make up the batch of a given moment?"""

import numpy as np
import torch
from torch import Tensor

from facewright.data.photo_conditions import ConditionRows
from facewright.data.shuffle import shuffled
from facewright.images import to_model_range
from facewright.rng import numpy_rng_for, seed_for


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
        conditions: what a conditional model is told of each of the N photos.
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
        """What a conditional model is told of the photos of batch `number`: (B, C) float32.

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

"""The photos that generated images are compared with."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from facewright.metrics.image_set import ImageSet, View

Against = Literal["train", "val", "all"]


@dataclass(frozen=True)
class Photos:
    """What the generated images are compared with.

    Args:
        train: photos that the generator was trained on.
        val: photos held out.
        against: which of them the numbers compare with.
    """

    train: ImageSet
    val: ImageSet
    against: Against = "train"

    @property
    def real(self) -> View:
        """The photos compared with."""
        parts = {"train": (self.train,), "val": (self.val,), "all": (self.train, self.val)}
        return View(*parts[self.against])

    def halves(self, n_real: int, n_fake: int, seed: int) -> tuple[View, View]:
        """Two sets of photos without a photo in common, of these sizes if there are enough.

        Where there are not, the smaller gets half of all photos at most, and the larger what
        is left.
        """
        order = np.random.default_rng(seed).permutation(len(self.train) + len(self.val))
        small = min(n_real, n_fake, len(order) // 2)
        large = min(max(n_real, n_fake), len(order) - small)
        n_real, n_fake = (small, large) if n_real <= n_fake else (large, small)
        both = (self.train, self.val)
        return View(*both, rows=order[:n_real]), View(*both, rows=order[n_real:][:n_fake])

"""Photos that no generator was trained on, for searching and for scoring."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.equilibria.budget import FULL, Budget
from facewright.equilibria.fresh_discriminator import FreshReading, js_from_fresh_discriminator
from facewright.rng import numpy_rng_for

MOST = 2 * FULL.test_images
"""Images of one kind that are taken into memory: half to learn from, half to be tested on."""


@dataclass(frozen=True)
class HeldOut:
    """Photos that no generator was trained on, in two parts.

    Args:
        search: for searching, (N, H, W, C) uint8.
        test: for scoring.
        mirror: mirror half of the photos, as training does, so that generated images
            are not told from real ones by their direction.
        seed: of the order, of mirroring and of fresh discriminators.
        conditions: of `search` and of `test`, (N, C) each; C is 0 without labels.
    """

    search: np.ndarray
    test: np.ndarray
    mirror: bool
    seed: int
    conditions: tuple[Tensor, Tensor]

    @classmethod
    def of(
        cls,
        store: Store,
        *,
        mirror: bool,
        seed: int,
        photo_conditions: PhotoConditions | None = None,
    ) -> "HeldOut":
        """One half of a store's held-out photos for each part."""
        photos = _shuffled(store.val, mirror=mirror, seed=seed)
        given = photo_conditions or PhotoConditions.of(store, ())
        conditions = given.val[_order(len(photos), seed)]
        half = len(photos) // 2
        parts = conditions[:half], conditions[half:]
        return cls(photos[:half], photos[half:], mirror, seed, parts)

    def fresh_reading(self, pixels: np.ndarray, budget: Budget) -> FreshReading:
        """What a fresh discriminator says of other images; as many as there are photos test it."""
        pixels = _shuffled(pixels, mirror=False, seed=self.seed)
        held_out = min(len(self.test), budget.test_images, len(pixels) // 2)
        return js_from_fresh_discriminator(
            self.search,
            self.test[: budget.test_images],
            pixels[held_out:],
            pixels[:held_out],
            seed=self.seed,
            budget=budget,
        )

    def null(self, store: Store, budget: Budget) -> FreshReading | None:
        """What it says of photos, in place of generated images: as near 0 as it gets.

        Only with the full budget: it takes as long again.
        """
        if budget.name != FULL.name:
            return None
        count = budget.pool + len(self.test)
        photos = _shuffled(store.train[:count], mirror=self.mirror, seed=self.seed)
        return self.fresh_reading(photos, budget)


def _shuffled(pixels: np.ndarray, *, mirror: bool, seed: int) -> np.ndarray:
    """The images in another order, or as many as are used, half of them mirrored if wanted."""
    rng = numpy_rng_for(seed, 0, "equilibrium photos")
    pixels = pixels[rng.permutation(len(pixels))[:MOST]]
    if mirror:
        turned = rng.random(len(pixels)) < 0.5
        pixels[turned] = pixels[turned, :, ::-1]
    return pixels


def _order(count: int, seed: int) -> np.ndarray:
    """The one in which `_shuffled` puts so many images."""
    return numpy_rng_for(seed, 0, "equilibrium photos").permutation(count)[:MOST]

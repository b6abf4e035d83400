"""The photos as the doctor looks at them: small, and with their own distances known."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from facewright.errors import DataError
from facewright.images import to_model_range
from facewright.rng import numpy_rng_for

LOOKED_AT = 512
"""Images of each kind in a snapshot."""
SIDE = 16
"""Images are shrunk to at most so many pixels a side before they are compared: fine noise
then counts little, and the comparison costs the same for every image size."""
FEWEST = 16
"""Held-out photos below which nothing can be compared."""
NEAREST_PAIRS = 0.01
"""Share of the photos with the nearest neighbours that say how near a copy must be."""


class Rows(Protocol):
    """A tensor with a row for each photo, or what is indexed like one."""

    def __getitem__(self, rows: np.ndarray, /) -> Tensor:
        """Some of the rows."""
        ...


@dataclass(frozen=True)
class Pool:
    """All photos of one kind, of which some are drawn.

    Args:
        photos: (N, C, H, W) float in the range of the model, or (N, H, W, C) uint8.
        conditions: of a conditional pair, a row for each photo; `None` without labels.
        use: names the draws.
        seed: of the draws.
    """

    photos: Tensor | np.ndarray
    conditions: Rows | None
    use: str
    seed: int

    def drawn(self, number: int = 0) -> tuple[Tensor, Tensor]:
        """A few hundred of them, others for each number where there are more.

        Returns:
            (N, C, H, W) photos in the range of the model, and (N, K) conditions of them; K is 0
            without labels.
        """
        rng, count = numpy_rng_for(self.seed, number, f"doctor/{self.use}"), len(self.photos)
        # Without a shuffle of all photos, which might be millions.
        chosen = np.sort(rng.choice(count, min(LOOKED_AT, count), replace=False))
        conditions = torch.zeros(len(chosen), 0)
        if self.conditions is not None:
            conditions = self.conditions[chosen].float().cpu()
        return _some(self.photos, chosen), conditions


@dataclass(frozen=True)
class ReferencePhotos:
    """Photos for the doctor.

    Distances need the same ones at each look, so these are drawn once. Verdicts do not: the
    same ones would be rated above or below others by chance, for the whole run. Of photos that are
    no more than a look takes, all are rated each time.

    Args:
        train: photos that the discriminator trains on.
        val: photos that it never sees.
        seen: (N, C, H, W) some of the former, in the model's range, for the whole run.
        held_out: (M, C, H, W) some of the latter.
        seen_conditions: (N, K) the conditions of these photos; K is 0 without labels.
        held_out_conditions: (M, K) the same of the others.
    """

    train: Pool
    val: Pool
    seen: Tensor
    held_out: Tensor
    seen_conditions: Tensor
    held_out_conditions: Tensor

    @property
    def n_train(self) -> int:
        """How many photos there are to train on."""
        return len(self.train.photos)

    @classmethod
    def of(
        cls,
        train: Tensor | np.ndarray,
        held_out: Tensor | np.ndarray,
        *,
        seed: int,
        conditions: tuple[Rows, Rows] | None = None,
    ) -> "ReferencePhotos":
        """A few hundred photos of each kind.

        Args:
            train: (N, C, H, W) float in the range of the model, or (N, H, W, C) uint8.
            held_out: photos of the same kind that training never shows.
            seed: which of them.
            conditions: of `train` and of `held_out`, for a conditional pair.

        Raises:
            DataError: too few photos to compare with.
        """
        if min(len(train), len(held_out)) < FEWEST:
            raise DataError(
                f"{len(train)} photos to train on and {len(held_out)} held out",
                expected=f"at least {FEWEST} of each",
                fix="hold out more of them, for example facewright prepare ... --val-fraction 0.3",
            )
        given = conditions or (None, None)
        pools = Pool(train, given[0], "train", seed), Pool(held_out, given[1], "val", seed)
        (seen, seen_conditions), (others, other_conditions) = (pool.drawn() for pool in pools)
        return cls(*pools, seen, others, seen_conditions, other_conditions)

    @cached_property
    def small(self) -> Tensor:
        """(M, F) the held-out photos, shrunk."""
        return shrunk(self.held_out)

    @cached_property
    def distances(self) -> Tensor:
        """(M, M) between the held-out photos; their diagonal is infinite."""
        return without_self(torch.cdist(self.small, self.small))

    @cached_property
    def nearest(self) -> Tensor:
        """(M,) from each held-out photo to the next one."""
        return self.distances.min(dim=1).values

    @cached_property
    def mean_distance(self) -> float:
        """Mean distance of two photos."""
        return mean_pair(self.distances)

    @cached_property
    def copy_distance(self) -> float:
        """Two images nearer than this are copies: no two different photos are.

        Half the distance of the nearest photos; 0 where the photos themselves have copies.
        """
        return float(self.nearest.quantile(NEAREST_PAIRS)) / 2


def shrunk(images: Tensor) -> Tensor:
    """(N, C, H, W) images as (N, F) vectors of at most `SIDE` x `SIDE` pixels."""
    factor = math.ceil(max(images.shape[2:]) / SIDE)
    small = avg_pool2d(images.float(), factor, ceil_mode=True) if factor > 1 else images.float()
    return small.flatten(1).cpu()


def without_self(distances: Tensor) -> Tensor:
    """The same square of distances, in which no image is its own neighbour."""
    return distances.fill_diagonal_(math.inf)


def mean_pair(distances: Tensor) -> float:
    """Mean distance of two different rows, from a square whose diagonal is infinite."""
    count = len(distances)
    return float(distances.nan_to_num(posinf=0.0).double().sum()) / (count * (count - 1))


def _some(photos: Tensor | np.ndarray, chosen: np.ndarray) -> Tensor:
    if isinstance(photos, Tensor) and photos.is_floating_point() and photos.ndim == 4:
        return photos[torch.from_numpy(chosen).to(photos.device)].detach().float().cpu()
    if isinstance(photos, np.ndarray) and photos.dtype == np.uint8 and photos.ndim == 4:
        return to_model_range(photos[chosen])
    raise DataError(
        f"photos as {type(photos).__name__} of {photos.dtype}, {tuple(photos.shape)}",
        expected="a float tensor (N, C, H, W), or a uint8 array (N, H, W, C)",
        fix="photos as your loop gives them to the discriminator",
    )

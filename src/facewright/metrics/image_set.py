"""Images, generated or real, whose features are computed once for all metrics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from facewright.choices import Against
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.feature_cache import FeatureCache

Progress = Callable[[str, int, int], object]
"""Called with what is computed, how many images are done since the last call, and of how many."""


@dataclass(frozen=True)
class ImageSet:
    """One array of images.

    Args:
        label: what they are, for the progress display.
        pixels: (N, H, W, C) uint8; may be memory-mapped.
        cache: where features are kept.
        progress: called while features are computed.
    """

    label: str
    pixels: np.ndarray
    cache: FeatureCache
    progress: Progress | None = None
    _known: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.pixels)

    def features(self, extractor: Extractor) -> Tensor:
        """(N, width) float32."""
        if extractor.identity not in self._known:
            self._known[extractor.identity] = self.cache.features(
                self.pixels, extractor, self._progress_for(f"{extractor.name} {extractor.protocol}")
            )
        return self._known[extractor.identity]

    def _progress_for(self, name: str) -> Callable[[int], object] | None:
        progress = self.progress
        if progress is None:
            return None
        return lambda done: progress(f"{name} features of {self.label}", done, len(self))


class View:
    """Some rows of one or more arrays of images.

    Args:
        parts: the arrays, one after the other.
        rows: of all of them together; all when not given.
    """

    def __init__(self, *parts: ImageSet, rows: Sequence[int] | np.ndarray | None = None) -> None:
        self._parts = parts
        total = sum(map(len, parts))
        # Sorted, so that a memory-mapped file is read from front to back.
        self._rows = None if rows is None else np.sort(np.asarray(rows, dtype=np.int64))
        self._count = total if self._rows is None else len(self._rows)

    def __len__(self) -> int:
        return self._count

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self._parts[0].pixels.shape[3]

    def some(self, count: int, seed: int) -> "View":
        """So many of these images, drawn at random; all if there are no more."""
        if count >= len(self):
            return self
        everything = np.arange(len(self)) if self._rows is None else self._rows
        return View(*self._parts, rows=np.random.default_rng(seed).permutation(everything)[:count])

    def pixels(self) -> np.ndarray:
        """(N, H, W, C) uint8."""
        if self._rows is None:
            arrays = [part.pixels for part in self._parts]
            return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        starts = np.cumsum([0, *map(len, self._parts)])
        chosen = []
        for part, start in zip(self._parts, starts[:-1], strict=True):
            own = self._rows[(self._rows >= start) & (self._rows < start + len(part))]
            chosen.append(part.pixels[own - start])
        return np.concatenate(chosen)

    def features(self, extractor: Extractor) -> Tensor:
        """(N, width) float32, in the order of `pixels`."""
        arrays = [part.features(extractor) for part in self._parts]
        everything = arrays[0] if len(arrays) == 1 else torch.cat(arrays)
        return everything if self._rows is None else everything[torch.from_numpy(self._rows)]


@dataclass(frozen=True)
class PhotoSets:
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

"""Features computed once: kept by the content of the images and the identity of the network."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facewright.atomic import sweep, whole_file
from facewright.metrics.extractors.base import Extractor

LIMIT_BYTES = 2 << 30
"""Of all kept features together; those that were not used for the longest time go first."""

_HASH_ROWS = 4096


def content_key(pixels: np.ndarray) -> str:
    """Hex SHA-256 over every pixel: another image, or another order, is another key."""
    digest = hashlib.sha256(f"{pixels.dtype.str} {pixels.shape}".encode())
    for start in range(0, len(pixels), _HASH_ROWS):
        digest.update(np.ascontiguousarray(pixels[start : start + _HASH_ROWS]).data)
    return digest.hexdigest()


class FeatureCache:
    """Computes features, or finds them from the last time.

    Args:
        folder: that keeps one file for each set of images and extractor; made when needed.
            `None` keeps nothing.
        limit_bytes: how much it may hold.
    """

    def __init__(self, folder: Path | None, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder, self.limit_bytes = folder, limit_bytes

    def features(
        self,
        pixels: np.ndarray,
        extractor: Extractor,
        progress: Callable[[int], object] | None = None,
    ) -> Tensor:
        """(N, width) float32 features of (N, H, W, C) uint8 images.

        Args:
            pixels: the images.
            extractor: the network.
            progress: called with the number of images done since its last call.
        """
        if self.folder is None:
            return extractor(pixels, progress)
        key = hashlib.sha256(f"{content_key(pixels)} {extractor.identity}".encode()).hexdigest()
        file = self.folder / f"{key}.npy"
        kept = _read(file, (len(pixels), extractor.width))
        if kept is not None:
            return kept
        features = extractor(pixels, progress)
        self._keep(file, features)
        return features

    def _keep(self, file: Path, features: Tensor) -> None:
        """A full or read-only disk only costs time later."""
        with contextlib.suppress(OSError):
            sweep(file.parent)
            with whole_file(file) as out:
                np.save(out, features.numpy())
            self._forget_oldest(file.parent)

    def _forget_oldest(self, folder: Path) -> None:
        newest_first = sorted(folder.glob("*.npy"), key=lambda f: f.stat().st_mtime, reverse=True)
        held = 0
        for file in newest_first:
            held += file.stat().st_size
            if held > self.limit_bytes:
                file.unlink(missing_ok=True)


def _read(file: Path, shape: tuple[int, int]) -> Tensor | None:
    """Features kept earlier; `None` when there are none or they are damaged."""
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    with contextlib.suppress(OSError):  # the cache may belong to another user, and be read-only
        os.utime(file)  # used just now
    if found.shape != shape or found.dtype != np.float32:
        return None
    return torch.from_numpy(found)

"""The interface of every feature extractor: its identity, and one vector per image."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import check_pixels


class Extractor(ABC):
    """Turns images into vectors in which distances mean something.

    Attributes:
        name: of the network, for example "inception".
        protocol: everything besides the weights that changes the numbers: how images are
            brought to the input size, and the precision; for example "legacy-fp32".
        weights_hash: hex SHA-256 of the weights.
        width: length of a vector.
        channels: 3 (gray images are repeated) or 1 (colour images are refused).
        batch: images at once.
    """

    name: str
    protocol: str
    weights_hash: str
    width: int
    channels: int = 3
    batch: int = 64

    @property
    def identity(self) -> str:
        """Name, protocol and weights; numbers of different identities are never compared."""
        return f"{self.name}/{self.protocol}@{self.weights_hash[:12]}"

    def __call__(
        self, pixels: np.ndarray, progress: Callable[[int], object] | None = None
    ) -> Tensor:
        """One vector for each image.

        Args:
            pixels: (N, H, W, C) uint8; C is 1 or 3.
            progress: called with the number of images done since its last call.

        Returns:
            (N, width) float32 on the CPU.

        Raises:
            MetricError: not such an array, colour where only gray is taken, or the network
                gave numbers that are not finite.
        """
        check_pixels(pixels)
        if pixels.shape[3] > self.channels:
            raise MetricError(
                f"{pixels.shape[3]} channels",
                expected=f"{self.channels} for {self.name} features",
                fix="images of that many channels, or other --features",
            )
        features = torch.empty(len(pixels), self.width)
        with torch.inference_mode():
            for start in range(0, len(pixels), self.batch):
                # A copy, because torch wants to be able to write, and a store is read-only.
                chunk = np.array(pixels[start : start + self.batch], order="C")
                if chunk.shape[3] < self.channels:
                    chunk = chunk.repeat(self.channels, axis=3)
                features[start : start + len(chunk)] = self.embed(chunk).float().cpu()
                if progress is not None:
                    progress(len(chunk))
        if not torch.isfinite(features).all():
            raise MetricError(
                f"{self.name} features that are not finite",
                expected="numbers",
                fix="other --features, or weights that are not damaged",
            )
        return features

    @abstractmethod
    def embed(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, channels) uint8, contiguous -> (B, width) floats; no gradient is wanted."""


@runtime_checkable
class Classifier(Protocol):
    """An extractor whose features a linear layer turns into classes."""

    classes: int

    def logits(self, features: Tensor) -> Tensor:
        """(N, width) features -> (N, classes) logits."""
        ...

"""A small classifier of handwritten digits: features and classes for MNIST."""

import hashlib
from importlib import resources

import numpy as np
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import interpolate

from facewright.images import to_model_range
from facewright.metrics.extractors.base import Extractor

SIDE = 28
WIDTH = 64
CLASSES = 10
WEIGHTS = resources.files("facewright.metrics") / "weights" / "digits.safetensors"
"""Trained by scripts/train_digits.py; weights/README.md says on what and how well."""


class DigitNetwork(nn.Module):
    """(B, 1, 28, 28) images in [-1, 1] -> (B, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_stage(1, 16, stride=1),
            *_stage(16, 32, stride=2),
            *_stage(32, 64, stride=2),
            *_stage(64, 64, stride=2),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """All the way to the logits; measuring uses `features` and `head` apart."""
        return self.head(self.features(images))


def _stage(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


class Digits(Extractor):
    """Features of a classifier of digits, and its classes.

    Features are the layer below the logits: 64 numbers, none negative. Fréchet and kernel
    distances, precision and coverage of MNIST are measured in them, because networks for
    photographs are out of their domain there.

    Images are white on black. Other sizes than 28 px are brought to it with an antialiased
    bilinear filter, without quantising again.

    Source: trained here, on the 60,000 training images of MNIST (CC BY-SA 3.0).

    Blind spot: any image is taken for a digit; noise has a class, too. Whether it sees speckles
    between the strokes, as the eye does at once, is untested. Numbers compare only with
    numbers of the same weights, never with those of another paper's classifier.
    """

    name = "digits"
    protocol = "28px-antialiased-fp32"
    width = WIDTH
    channels = 1
    batch = 256
    classes = CLASSES

    def __init__(self) -> None:
        weights = WEIGHTS.read_bytes()
        self.weights_hash = hashlib.sha256(weights).hexdigest()
        self.network = DigitNetwork().eval().requires_grad_(False)
        self.network.load_state_dict(load(weights))

    def embed(self, pixels: np.ndarray) -> Tensor:
        """(B, H, W, 1) uint8 -> (B, 64) features."""
        images = to_model_range(pixels)
        if images.shape[2:] != (SIDE, SIDE):
            images = interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)
        return self.network.features(images)

    def logits(self, features: Tensor) -> Tensor:
        """(N, 64) features -> (N, 10) logits of the digits 0 to 9."""
        return self.network.head(features)

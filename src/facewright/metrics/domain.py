"""Which of our own networks knows images like these?"""

from typing import Literal

import numpy as np

from facewright.metrics.extractors.digits import Digits

CERTAIN = 0.9
"""Mean confidence of the digits classifier above which images count as digits."""

_LOOKED_AT = 256


def usual_features(pixels: np.ndarray) -> Literal["digits", "face"]:
    """The extractor for photos of this kind: digits if they are, else faces.

    Args:
        pixels: (N, H, W, C) uint8; a few hundred of them are looked at.
    """
    return "digits" if digit_confidence(pixels) >= CERTAIN else "face"


def digit_confidence(pixels: np.ndarray) -> float:
    """How sure is the digits classifier of these images, on average? 0 for colour.

    Returns:
        Mean of the highest class probability, 0 to 1. MNIST: above .99.
    """
    if pixels.shape[3] != 1:
        return 0.0
    digits = Digits()
    some = pixels[:: max(1, len(pixels) // _LOOKED_AT)][:_LOOKED_AT]
    return float(digits.logits(digits(some)).softmax(dim=1).amax(dim=1).mean())

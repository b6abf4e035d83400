"""Which of the shipped networks was trained on images like these?"""

from typing import Literal

import numpy as np
import torch

from facewright.errors import MetricError
from facewright.metrics.extractors.base import Classifier, Extractor
from facewright.metrics.extractors.digits import Digits

LEAST_CLASSES = 5.0
"""Images count as digits when the classifier sees at least so many kinds among them. MNIST has
9.5 of 10. Faces, drawings and noise all have 1.0: it reads every one of them as an eight, with
a probability of 100 %."""

_LOOKED_AT = 256


def usual_features(pixels: np.ndarray) -> Literal["digits", "face"]:
    """The extractor for photos of this kind: digits if they are, else faces.

    Args:
        pixels: (N, H, W, C) uint8; a few hundred of them are looked at.
    """
    if pixels.shape[3] != 1:
        return "face"
    return "digits" if classes_seen(pixels, Digits()) >= LEAST_CLASSES else "face"


def classes_seen(pixels: np.ndarray, network: Extractor) -> float:
    """How many classes does a classifier tell apart among these images?

    This is the Inception Score of the images, in one split: 1 when all look alike to the
    classifier or it cannot decide, the number of classes when it is sure and finds all.

    Args:
        pixels: (N, H, W, C) uint8; a few hundred of them are looked at.
        network: also a `Classifier`.
    """
    assert isinstance(network, Classifier)
    some = pixels[:: max(1, len(pixels) // _LOOKED_AT)][:_LOOKED_AT]
    each = network.logits(network(some)).double().softmax(dim=1)
    surprise = torch.special.entr(each.mean(dim=0)).sum() - torch.special.entr(each).sum(1).mean()
    return float(surprise.exp())


def refuse_unless_digits(photos: np.ndarray, digits: Extractor) -> None:
    """Refuse photos that a classifier of digits was not trained on: it gives those a class, too.

    Raises:
        MetricError: the photos are no digits.
    """
    seen = classes_seen(photos, digits)
    if seen < LEAST_CLASSES:
        raise MetricError(
            f"photos in which the classifier of digits finds {seen:.1f} kinds",
            expected=f"digits, white on black, of at least {LEAST_CLASSES:.0f} kinds",
            fix="--features face, or inception",
        )

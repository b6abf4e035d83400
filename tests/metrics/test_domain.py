"""Digits are told from everything else, although the classifier is sure of everything."""

import numpy as np
import pytest

from facewright.data.drawn import draw
from facewright.errors import MetricError
from facewright.metrics.domain import classes_seen, refuse_unless_digits, usual_features
from facewright.metrics.extractors.digits import Digits
from tests.metrics.printed import printed_digits


def others() -> dict[str, np.ndarray]:
    """Gray images that are no digits."""
    rng = np.random.default_rng(0)
    faces = np.stack([draw(i, size=(28, 28), seed=0)[0] for i in range(40)])
    return {
        "faces": faces.mean(axis=3, keepdims=True).astype(np.uint8),
        "noise": rng.integers(0, 256, (40, 28, 28, 1), dtype=np.uint8),
        "black": np.zeros((40, 28, 28, 1), np.uint8),
        "inverted": 255 - printed_digits(),
    }


def test_printed_digits_are_nearly_ten_kinds():
    assert classes_seen(printed_digits(), Digits()) > 7
    assert usual_features(printed_digits()) == "digits"


@pytest.mark.parametrize("name", others())
def test_everything_else_is_one_kind_however_sure_the_classifier_is(name):
    images = others()[name]
    assert classes_seen(images, Digits()) < 2
    assert usual_features(images) == "face"
    with pytest.raises(MetricError, match="finds 1"):
        refuse_unless_digits(images, Digits())


def test_colour_is_for_the_face_network():
    assert usual_features(printed_digits().repeat(3, axis=3)) == "face"

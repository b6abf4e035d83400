"""What a bundle says of its labels fits together, or is refused by name."""

import json
import re
from typing import Any

import numpy as np
import pytest

from facewright.conditions import LONGEST, MOST_COMBINATIONS, Conditioning, Label
from facewright.errors import BundleError
from facewright.models.bundle_labels import MOST_PHOTOS, conditioning_in

LABELS = (Label("Smiling"), Label("hair", ("dark", "fair", "none")))
TOLD = Conditioning(
    LABELS,
    np.array([[1, 2], [0, np.nan], [np.nan, 0]], np.float32),
    np.array([5, 2, 1]),
)


def table(**changes: Any) -> dict[str, Any]:
    """As it stands in a file."""
    return json.loads(json.dumps(TOLD.as_json())) | changes


def test_what_was_written_comes_back():
    found = conditioning_in(table(), "file")
    assert found.labels == LABELS
    assert found.as_json() == TOLD.as_json()
    assert found.counts.dtype == np.int64


def label(name: str, *classes: str) -> dict[str, Any]:
    return {"name": name, "classes": list(classes)}


ONCE, LIMIT, VALUES, PHOTOS = "each label and class once", "at most", "values of", "at least one"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [], "combinations": [[]], "counts": [1]}, ONCE),
        ({"labels": [label("Smiling"), label("Smiling")]}, ONCE),
        ({"labels": [label("Smiling"), label("hair", "dark", "dark", "none")]}, ONCE),
        ({"labels": [label("Smil=ng"), label("hair", "dark", "fair", "none")]}, "with '='"),
        ({"labels": [label("Smiling"), label("hair", *map(str, range(LONGEST)))]}, LIMIT),
        ({"labels": [label("Smiling"), label("hair", "dark", "fair")]}, VALUES),
        ({"labels": [label("Smiling"), {"name": 5, "classes": []}]}, "name = 5"),
        ({"labels": [label("Smiling")]}, VALUES),
        ({"combinations": [[1, 2], [0, None]]}, "with 3 counts"),
        ({"combinations": [[1, 2], [0, None], [1]]}, VALUES),
        ({"combinations": [[1, 2], [0, None], [2, 0]]}, VALUES),
        ({"combinations": [[1, 2], [0, None], [-1, 0]]}, VALUES),
        ({"combinations": [[1, 2], [0, None], [0.5, 0]]}, VALUES),
        ({"combinations": [[1, 2], [0, None], [True, 0]]}, VALUES),
        ({"combinations": [[1, 2], [0, None], "10"]}, VALUES),
        ({"combinations": [[1, 2], [0, None], 5]}, VALUES),
        ({"combinations": [], "counts": []}, "0 with 0 counts"),
        (
            {
                "combinations": [[1, 2]] * (MOST_COMBINATIONS + 1),
                "counts": [1] * (MOST_COMBINATIONS + 1),
            },
            "4,097 with",
        ),
        ({"counts": [5, 2, 0]}, PHOTOS),
        ({"counts": [5, 2, -1]}, PHOTOS),
        ({"counts": [5, 2, 1.5]}, "1.5"),
        ({"counts": [5, 2, MOST_PHOTOS]}, PHOTOS),
        ({"counts": "5"}, "a list"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(BundleError, match=re.escape(message)):
        conditioning_in(table(**changes), "file")


def test_as_much_as_a_model_may_know_is_read():
    many = [label("Smiling"), label("hair", *map(str, range(LONGEST - 1)))]
    rows = [[1, LONGEST - 2]] * MOST_COMBINATIONS
    counts = [MOST_PHOTOS // MOST_COMBINATIONS] * MOST_COMBINATIONS
    found = conditioning_in(table(labels=many, combinations=rows, counts=counts), "file")
    assert found.size == LONGEST

"""What a bundle says of its labels fits together, or is refused by name."""

import json
from typing import Any

import numpy as np
import pytest

from facewright.conditions import LONGEST, MOST_COMBINATIONS, Conditioning, Label
from facewright.errors import BundleError
from facewright.shipping.told import MOST_PHOTOS, conditioning_in

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


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": [], "combinations": [[]], "counts": [1]},
        {"labels": [label("Smiling"), label("Smiling")]},
        {"labels": [label("Smiling"), label("hair", "dark", "dark", "none")]},
        {"labels": [label("Smiling"), label("hair", *map(str, range(LONGEST)))]},
        {"labels": [label("Smiling"), label("hair", "dark", "fair")]},
        {"labels": [label("Smiling"), {"name": 5, "classes": []}]},
        {"labels": [label("Smiling")]},
        {"combinations": [[1, 2], [0, None]]},
        {"combinations": [[1, 2], [0, None], [1]]},
        {"combinations": [[1, 2], [0, None], [2, 0]]},
        {"combinations": [[1, 2], [0, None], [-1, 0]]},
        {"combinations": [[1, 2], [0, None], [0.5, 0]]},
        {"combinations": [[1, 2], [0, None], [True, 0]]},
        {"combinations": [], "counts": []},
        {
            "combinations": [[1, 2]] * (MOST_COMBINATIONS + 1),
            "counts": [1] * (MOST_COMBINATIONS + 1),
        },
        {"counts": [5, 2, 0]},
        {"counts": [5, 2, -1]},
        {"counts": [5, 2, 1.5]},
        {"counts": [5, 2, MOST_PHOTOS]},
        {"counts": "5"},
        {"more": 1},
    ],
)
def test_what_does_not_fit_together_is_refused(changes):
    with pytest.raises(BundleError, match=r"file|field"):
        conditioning_in(table(**changes), "file")


def test_as_much_as_a_model_may_know_is_read():
    many = [label("Smiling"), label("hair", *map(str, range(LONGEST - 1)))]
    rows = [[1, LONGEST - 2]] * MOST_COMBINATIONS
    counts = [MOST_PHOTOS // MOST_COMBINATIONS] * MOST_COMBINATIONS
    found = conditioning_in(table(labels=many, combinations=rows, counts=counts), "file")
    assert found.size == LONGEST

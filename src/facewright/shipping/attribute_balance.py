"""The balance of a store's attributes, and of those of generated images, for the model card."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from torch import Tensor

from facewright.data.store import Store
from facewright.errors import MetricError
from facewright.metrics.attributes import guessed_shares, shares
from facewright.models.card import Attribute, Guesses

log = logging.getLogger(__name__)

MOST_VALUES = 20
"""Labels with more values name things rather than describe them: persons, for example."""

QUARTERS = (0.25, 0.5, 0.75)
"""A number, such as an age, is shown as four classes of about equal size."""


@dataclass(frozen=True)
class LabelClasses:
    """One label of a store as classes.

    Args:
        name: of the label.
        meaning: unit or origin.
        values: names of the classes.
        train: (N,) float, class of each training photo, NaN where unknown.
        val: (V,) the same of the held-out photos.
    """

    name: str
    meaning: str
    values: tuple[str, ...]
    train: np.ndarray
    val: np.ndarray

    @property
    def balance(self) -> Attribute:
        """What the labels say."""
        return Attribute(self.name, self.meaning, self.named(shares(self.train, len(self.values))))

    def named(self, numbers: tuple[float, ...]) -> dict[str, float]:
        """Shares by the names of the classes."""
        return {value: round(share, 4) for value, share in zip(self.values, numbers, strict=True)}


def balance(store: Store) -> tuple[Attribute, ...]:
    """How often each value of each label occurs among the training photos."""
    return tuple(column.balance for column in columns(store))


def measured_balance(
    store: Store, train: Tensor, val: Tensor, generated: Tensor
) -> tuple[Attribute, ...]:
    """The same, with guesses about generated images beside it.

    Args:
        store: of the photos.
        train: (N, F) features of its training photos, which teach the classifiers.
        val: (V, F) of the held-out photos, on which they are tested.
        generated: (M, F) of the generated images.
    """
    found = []
    for column in columns(store):
        try:
            said = guessed_shares(
                train, column.train, val, column.val, generated, len(column.values)
            )
        except MetricError as error:
            log.warning("no guess about %s: %s", column.name, error.what)
            found.append(column.balance)
            continue
        guesses = Guesses(
            held_out=column.named(said.held_out),
            generated=column.named(said.generated),
            accuracy=round(said.accuracy, 4),
            chance=round(said.chance, 4),
        )
        found.append(replace(column.balance, guesses=guesses))
    return tuple(found)


def columns(store: Store) -> Iterator[LabelClasses]:
    """The labels that describe what photos show, as classes."""
    if store.labels is None:
        return
    for number, label in enumerate(store.manifest["labels"]):
        values = np.asarray(store.labels[:, number], dtype=np.float64)
        meaning = label.get("meaning", "")
        # Landmarks and boxes say where something is, and nothing about the person.
        if np.isnan(values[: len(store.train)]).all() or meaning.startswith("pixels"):
            continue
        names = tuple(label.get("classes", ("no", "yes")))
        if label["kind"] == "number":
            values, names = _quarters(values)
        if len(names) <= MOST_VALUES:
            train, val = values[: len(store.train)], values[len(store.train) :]
            yield LabelClasses(label["name"], meaning, names, train, val)


def _quarters(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers as classes between their quartiles, each named after its bounds."""
    known = values[~np.isnan(values)]
    inner = np.unique(np.quantile(known, QUARTERS))
    bounds = [f"{bound:g}" for bound in inner]
    names = [f"up to {bounds[0]}"]
    names += [f"above {low}, up to {high}" for low, high in pairwise(bounds)]
    classes = np.searchsorted(inner, values, side="left").astype(float)
    classes[np.isnan(values)] = np.nan
    return classes, (*names, f"above {bounds[-1]}")

"""The condition vectors of the photos in a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from facewright.conditions import Conditioning, Label
from facewright.data.store import Store
from facewright.errors import ConfigError


@dataclass(frozen=True)
class ConditionRows:
    """Condition vectors, encoded when they are indexed: `rows[indices]`.

    Args:
        meaning: of a vector.
        values: (N, K) of the labels, NaN where unknown.
    """

    meaning: Conditioning
    values: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | np.ndarray) -> Tensor:
        """(B, size) float32."""
        return self.meaning.encode(np.asarray(self.values[rows]))


@dataclass(frozen=True)
class PhotoConditions:
    """Condition vectors of the photos in a store; their length is 0 without labels."""

    meaning: Conditioning
    train: ConditionRows
    val: ConditionRows

    @classmethod
    def of(cls, store: Store, names: Sequence[str]) -> "PhotoConditions":
        """Conditions made of some labels of a store.

        Raises:
            ConfigError: labels that the store lacks, that are numbers, or that no photo has.
        """
        columns = store.manifest["labels"]
        places = [k for name in names for k, c in enumerate(columns) if c["name"] == name]
        table = store.labels if store.labels is not None and names else None
        count = len(store.train) + len(store.val)
        values = np.zeros((count, 0), np.float32) if table is None else table[:, places]
        train, val = values[: len(store.train)], values[len(store.train) :]
        meaning = Conditioning.of(names, columns, train)
        return cls(meaning, ConditionRows(meaning, train), ConditionRows(meaning, val))

    def refuse_rare_classes(self, fewest: int) -> None:
        """Hardly anything can be learnt of a class of which there is a photo or two.

        Args:
            fewest: training photos for each class that occurs, on average.

        Raises:
            ConfigError: a label has fewer.
        """
        for label, column in zip(self.meaning.labels, self.train.values.T, strict=True):
            known = column[~np.isnan(column)]
            classes = len(np.unique(known))
            if label.classes and len(known) < fewest * classes:
                raise ConfigError(
                    f"data.labels: '{label.name}' has {classes:,} classes on {len(known):,} "
                    f"photos, such as {', '.join(label.classes[:3])}: train on these?",
                    expected=f"{fewest} photos of each, on average; is it a number, or a name?",
                    fix="leave it out of data.labels, or --set data.class_photos=0",
                )

    @classmethod
    def for_model(cls, store: Store, meaning: Conditioning) -> "PhotoConditions":
        """Condition vectors of the photos in a store as a trained model takes them.

        The store need not be the one that the model was trained on.

        Raises:
            ConfigError: the store does not have the model's labels.
        """
        found = cls.of(store, [label.name for label in meaning.labels])
        for label, here in zip(meaning.labels, found.meaning.labels, strict=True):
            if label != here:
                raise ConfigError(
                    f"{store.path}: '{label.name}' is {_words(here)}",
                    expected=f"{_words(label)}, as in the model's training",
                    fix="--data with the store that it was trained on",
                )
        return found


def _words(label: Label) -> str:
    return f"one of {', '.join(label.classes)}" if label.classes else "0 or 1"

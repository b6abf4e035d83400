"""The condition vectors of the photos in a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from facewright.conditions import Conditioning
from facewright.data.store import Store


@dataclass(frozen=True)
class ConditionRows:
    """Condition vectors that are made when they are asked for: `rows[indices]`.

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
    """What a conditional model is told of the photos in a store; of no length without labels."""

    meaning: Conditioning
    train: ConditionRows
    val: ConditionRows

    @classmethod
    def of(cls, store: Store, names: Sequence[str]) -> "PhotoConditions":
        """To go by some labels of a store.

        Raises:
            ConfigError: labels that there are not, that are no classes, or that nobody has.
        """
        columns = store.manifest["labels"]
        places = [k for name in names for k, c in enumerate(columns) if c["name"] == name]
        table = store.labels if store.labels is not None and names else None
        count = len(store.train) + len(store.val)
        values = np.zeros((count, 0), np.float32) if table is None else table[:, places]
        train, val = values[: len(store.train)], values[len(store.train) :]
        meaning = Conditioning.of(names, columns, train)
        return cls(meaning, ConditionRows(meaning, train), ConditionRows(meaning, val))

"""Labels of photos: columns with a name and a kind, and one row for each photo."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["binary", "number", "class"]


@dataclass(frozen=True)
class LabelColumn:
    """One label.

    Args:
        name: of the label.
        kind: "binary" (0 or 1), "number", or "class" (an index into `classes`).
        classes: names of the classes.
        meaning: unit or origin, where the name does not say it.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...] = ()
    meaning: str = ""

    def as_json(self) -> dict[str, Any]:
        """The column as the manifest describes it, empty fields left out."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Labels:
    """A table with one row for each photo.

    Args:
        columns: K of them.
        values: (N, K) float32, NaN where unknown.
    """

    columns: tuple[LabelColumn, ...]
    values: np.ndarray

    @classmethod
    def none(cls, count: int) -> "Labels":
        """No labels for so many photos."""
        return cls((), np.zeros((count, 0), np.float32))

    def beside(self, other: "Labels") -> "Labels":
        """Both tables; of columns with the same name the other's stays."""
        theirs = {column.name for column in other.columns}
        mine = [i for i, column in enumerate(self.columns) if column.name not in theirs]
        return Labels(
            tuple(self.columns[i] for i in mine) + other.columns,
            np.concatenate([self.values[:, mine], other.values], axis=1),
        )

    def unknown(self) -> tuple[str, ...]:
        """Of which labels something is missing, and of how many photos, in words."""
        names: dict[int, list[str]] = {}
        missing = np.isnan(self.values).sum(axis=0).tolist()
        for column, count in zip(self.columns, missing, strict=True):
            names.setdefault(count, []).append(column.name)
        total = len(self.values)
        return tuple(
            f"unknown of {count:,} of {total:,} photos: {', '.join(names[count])}"
            for count in sorted(names)
            if count
        )


def class_column(name: str, values: Sequence[str | None], meaning: str = "") -> Labels:
    """A "class" label out of words; None is unknown."""
    classes = sorted({value for value in values if value is not None})
    index = {value: float(i) for i, value in enumerate(classes)}
    column = [index[value] if value is not None else np.nan for value in values]
    return Labels(
        (LabelColumn(name, "class", tuple(classes), meaning),),
        np.array(column, np.float32).reshape(-1, 1),
    )


def numbered_classes(name: str, values: np.ndarray) -> Labels:
    """A "class" label out of (N,) whole numbers, each of which is a class; NaN is unknown."""
    known = ~np.isnan(values)
    numbers, index = np.unique(values[known], return_inverse=True)
    column = np.full(len(values), np.nan, np.float32)
    column[known] = index
    classes = tuple(str(int(number)) for number in numbers)
    return Labels((LabelColumn(name, "class", classes),), column.reshape(-1, 1))

"""Conditions: some labels of an image as a vector of numbers, for a conditional model."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facewright.errors import ConfigError, nearest
from facewright.rng import numpy_rng_for

log = logging.getLogger(__name__)

LONGEST = 1000
"""Numbers in a condition vector, at most."""
MOST_COMBINATIONS = 4096
"""Combinations of labels that a model remembers; with more, those of so many random photos."""


@dataclass(frozen=True)
class Label:
    """One label that a model is conditioned on.

    Args:
        name: as in the store.
        classes: names of the classes; none for a label that is 0 or 1.
    """

    name: str
    classes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Numbers that it takes in a condition vector."""
        return len(self.classes) or 1

    @property
    def words(self) -> tuple[str, ...]:
        """The words by which its values are requested, in the order of the values."""
        return self.classes or ("0", "1")

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(N,) values to (N, size): -1 or 1, or a one for the class; zeros where unknown."""
        if self.classes:
            return (values[:, None] == np.arange(len(self.classes))).astype(np.float32)
        return np.nan_to_num(2 * values - 1, nan=0.0).reshape(-1, 1)

    def value_of(self, word: str) -> float:
        """The value that a user names.

        Raises:
            ConfigError: it has no such value.
        """
        if word not in self.words:
            raise ConfigError(
                f"{self.name}={word}",
                expected=nearest(word, self.words) if self.classes else "0 or 1",
                fix=f"--label {self.name}={self.words[-1]}",
            )
        return float(self.words.index(word))


@dataclass(frozen=True)
class Conditioning:
    """The labels that a model is conditioned on, and how often photos have which together.

    A condition vector holds -1 or 1 for each binary label, a one and zeros for each label
    of classes, zeros for what is unknown; all of it divided by the root of the number of
    labels, so that its length is 1 where all of them are known. Without labels it has no
    entries, as for an unconditional model.

    Args:
        labels: K of them.
        combinations: (R, K) float32 values that occur together; NaN where unknown.
        counts: (R,) training photos with each.
    """

    labels: tuple[Label, ...] = ()
    combinations: np.ndarray = field(default_factory=lambda: np.zeros((1, 0), np.float32))
    counts: np.ndarray = field(default_factory=lambda: np.ones(1, np.int64))

    @classmethod
    def of(
        cls, names: Sequence[str], columns: Sequence[Mapping[str, Any]], values: np.ndarray
    ) -> "Conditioning":
        """Conditions made of some labels of a store.

        Args:
            names: of the labels.
            columns: `manifest["labels"]` of the store.
            values: (N, K) of the training photos, in the order of `names`; NaN where unknown.

        Raises:
            ConfigError: labels that the store lacks, that are numbers, or that no photo has.
        """
        if not names:
            return cls()
        by_name = {column["name"]: column for column in columns}
        labels = tuple(_label(name, by_name) for name in names)
        if len(set(names)) < len(names):
            raise ConfigError(
                f"data.labels = {list(names)}",
                expected="each label once",
                fix="--set 'data.labels=[...]' with each name once",
            )
        _check(labels, values)
        if len(np.unique(_comparable(values), axis=0)) > MOST_COMBINATIONS:
            rng = numpy_rng_for(0, 0, "label combinations")
            values = values[np.sort(rng.permutation(len(values))[:MOST_COMBINATIONS])]
        rows, counts = np.unique(_comparable(values), axis=0, return_counts=True)
        return cls(labels, np.where(rows < 0, np.nan, rows).astype(np.float32), counts)

    @property
    def size(self) -> int:
        """Length of a condition vector; 0 for an unconditional model."""
        return sum(label.size for label in self.labels)

    @property
    def unknown(self) -> dict[str, float]:
        """Label -> share of the training photos of which it is not known, where there are any."""
        shares = self.counts @ np.isnan(self.combinations) / self.counts.sum()
        named = zip(self.labels, shares, strict=True)
        return {label.name: float(share) for label, share in named if share > 0}

    def encode(self, values: np.ndarray) -> Tensor:
        """Values of the labels, (N, K), as condition vectors, (N, size) float32."""
        parts = [label.encode(values[:, k]) for k, label in enumerate(self.labels)]
        joined = np.concatenate([np.zeros((len(values), 0)), *parts], axis=1)
        return torch.from_numpy((joined / math.sqrt(max(1, len(parts)))).astype(np.float32))

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Condition vectors as often as among the training photos, (count, size).

        Draws nothing from `rng` for an unconditional model.
        """
        if not self.labels:
            return torch.zeros(count, 0)
        shares = torch.from_numpy(self.counts.cumsum() / self.counts.sum())
        chance = torch.rand(count, generator=rng, dtype=torch.float64)
        return self.encode(self.combinations[torch.searchsorted(shares, chance, right=True)])

    def given(self, requests: Iterable[str]) -> "Conditioning":
        """The same, with some labels fixed; the others as often as photos like these have them.

        Args:
            requests: as "Smiling=1" or "race=asian".

        Raises:
            ConfigError: a label or a value that this model does not have, or a label twice.
        """
        found = [self._requested(request) for request in requests]
        fixed = dict(found)
        if len(fixed) < len(found):
            raise ConfigError(
                f"--label {' --label '.join(requests)}",
                expected="each label once",
                fix="one --label for each name",
            )
        if not fixed:
            return self
        places, wanted = list(fixed), np.array(list(fixed.values()), np.float32)
        agree = (self.combinations[:, places] == wanted).all(axis=1)
        if agree.any():
            return Conditioning(self.labels, self.combinations[agree], self.counts[agree])
        photos, whom = self.counts.sum(), "training photo"
        if photos == MOST_COMBINATIONS:  # drawn from more of them
            whom = f"photo among the {photos:,} that this model remembers"
        log.warning(
            "no %s has %s: expect the worse, the more unlike its photos it is; other labels are "
            "drawn as among all photos",
            whom,
            " and ".join(requests),
        )
        combinations = self.combinations.copy()
        combinations[:, places] = wanted
        return Conditioning(self.labels, combinations, self.counts)

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint's state, or a bundle; unknown values are null."""
        rows = [[None if math.isnan(v) else int(v) for v in row] for row in self.combinations]
        return {
            "labels": [{"name": label.name, "classes": label.classes} for label in self.labels],
            "combinations": rows,
            "counts": self.counts.tolist(),
        }

    @classmethod
    def of_rows(
        cls,
        labels: tuple[Label, ...],
        combinations: Sequence[Sequence[int | None]],
        counts: Sequence[int],
    ) -> "Conditioning":
        """From the lists of `as_json`."""
        return cls(labels, np.array(combinations, np.float32), np.array(counts, np.int64))

    def _requested(self, request: str) -> tuple[int, float]:
        """Place and value of a fixed label."""
        name, equals, word = request.partition("=")
        names = [label.name for label in self.labels]
        if not names:
            raise ConfigError(
                f"--label {request} for a model that was trained without labels",
                expected="a model trained with --set data.labels=...",
                fix="leave --label out",
            )
        if not equals:
            example = self.labels[names.index(name) if name in names else 0]
            raise ConfigError(
                f"--label {request}",
                expected="NAME=VALUE",
                fix=f"--label {example.name}={example.words[-1]}",
            )
        if name not in names:
            raise ConfigError(
                f"--label {request}",
                expected=nearest(name, names),
                fix=f"--label {names[0]}={self.labels[0].words[-1]}",
            )
        place = names.index(name)
        return place, self.labels[place].value_of(word)


def _label(name: str, columns: Mapping[str, Mapping[str, Any]]) -> Label:
    if name not in columns:
        raise ConfigError(
            f"data.labels: the store has no label '{name}'",
            expected=nearest(name, columns) if columns else "a store with labels",
            fix="" if columns else "facewright prepare PHOTOS --labels FILE.csv ...",
        )
    if "=" in name:
        raise ConfigError(
            f"data.labels: '{name}' could not be asked for",
            expected="a name without '='",
            fix="another name for that column, and facewright prepare again",
        )
    column = columns[name]
    if column["kind"] == "number":
        # One entry for a number would make the verdict linear in it, and an unknown age would
        # count as the average age.
        raise ConfigError(
            f"data.labels: '{name}' is a number",
            expected="a label of classes, or one that is 0 or 1",
            fix=f"facewright prepare ... --labels FILE.csv, with words for ranges of {name}",
        )
    return Label(name, tuple(column.get("classes", ())))


def _check(labels: Sequence[Label], values: np.ndarray) -> None:
    size = sum(label.size for label in labels)
    if size > LONGEST:
        longest = max(labels, key=lambda label: label.size)
        raise ConfigError(
            f"data.labels: {size:,} classes, {longest.size:,} of them of '{longest.name}'",
            expected=f"{LONGEST:,} at most",
            fix=f"leave '{longest.name}' out of data.labels",
        )
    for label, column in zip(labels, values.T, strict=True):
        found = np.unique(column[~np.isnan(column)])
        if not len(found):
            raise ConfigError(
                f"data.labels: no training photo has a known '{label.name}'",
                expected="at least one",
                fix="other labels, or more photos that have it",
            )
        if not np.isin(found, np.arange(max(2, label.size))).all():
            raise ConfigError(
                f"data.labels: '{label.name}' has the values {found[:5].tolist()}",
                expected="0 and 1" if not label.classes else f"0 to {label.size - 1}",
                fix="facewright prepare again",
            )


def _comparable(values: np.ndarray) -> np.ndarray:
    """Integers, so that equal rows are equal: unknown is -1."""
    return np.nan_to_num(values, nan=-1).astype(np.int32)

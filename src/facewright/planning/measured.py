"""The table of what our recipes gave, checked when it is read."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from facewright.errors import ConfigError
from facewright.schema import Wording, parsed

TABLE = Path(__file__).with_name("measured.toml")

DEVICES = ("cpu", "cuda")
"""What recipes are made for."""
KINDS = ("faces", "digits")
"""What photos may show."""


@dataclass(frozen=True)
class Point:
    """FID after so many images.

    Args:
        images: shown to the discriminator, 1 or more.
        fid: as measured, or the mean of several trainings.
        low: lower end of its 95 % interval.
        high: upper end.
        seeds: of the trainings.
    """

    images: int
    fid: float
    low: float
    high: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Curve:
    """How FID fell while a recipe trained on some photos.

    Args:
        data: name of the photos.
        photos: how many were trained on.
        machine: on which it was measured.
        protocol: how each FID was measured.
        points: two or more, by ascending number of images.
        floor: FID of photos against photos; `None` if not measured.
    """

    data: str
    photos: int
    machine: str
    protocol: str
    points: tuple[Point, ...]
    floor: float | None = None


@dataclass(frozen=True)
class Entry:
    """One recipe.

    Args:
        name: as `facewright train --recipe` takes it.
        size: pixels on a side that it is made for.
        device: "cpu" or "cuda", what it is made for.
        kind: "faces" or "digits", what its photos show.
        curves: what was measured; maybe nothing.
    """

    name: str
    size: int
    device: str
    kind: str
    curves: tuple[Curve, ...]

    def is_for(self, shape: tuple[int, int, int]) -> bool:
        """Is the recipe made for photos of this shape, (C, H, W)?"""
        return shape[1:] == (self.size, self.size)


@dataclass(frozen=True)
class Table:
    """All recipes.

    Args:
        recipes: that may be proposed.
        not_for_planning: recipes that never are, each with the reason.
    """

    recipes: tuple[Entry, ...]
    not_for_planning: dict[str, str]


def read_table(path: Path = TABLE) -> Table:
    """The table in a file.

    Raises:
        ConfigError: a field is missing, unknown or of the wrong type, or numbers that cannot be.
    """
    wording = Wording(ConfigError, fix="the table as it is distributed")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    table = parsed(Table, content, path.name, wording)
    for what, expected in _faults(table):
        raise wording.refusal(f"{path.name}: {what}", expected)
    return table


def _faults(table: Table) -> Iterator[tuple[str, str]]:
    """What is wrong, and what was expected."""
    names = [entry.name for entry in table.recipes] + list(table.not_for_planning)
    for name in names:
        if names.count(name) > 1:
            yield f"{name} stands there twice", "each recipe once"
    for entry in table.recipes:
        if entry.size < 1:
            yield f"{entry.name}: size {entry.size}", "pixels on a side"
        if entry.device not in DEVICES:
            yield f"{entry.name}: device {entry.device!r}", f"one of {', '.join(DEVICES)}"
        if entry.kind not in KINDS:
            yield f"{entry.name}: kind {entry.kind!r}", f"one of {', '.join(KINDS)}"
        if len({curve.protocol for curve in entry.curves}) > 1:
            yield f"{entry.name}: curves of different protocols", "numbers that can be compared"
        for curve in entry.curves:
            for what, expected in _faults_of(curve):
                yield f"{entry.name} on {curve.data}: {what}", expected


def _faults_of(curve: Curve) -> Iterator[tuple[str, str]]:
    if curve.photos < 1:
        yield f"{curve.photos} photos", "1 or more"
    if len(curve.points) < 2:
        yield f"{len(curve.points)} points", "two or more"
    for point in curve.points:
        if point.images < 1:
            yield f"a point at {point.images} images", "1 or more"
        if not 0 <= point.low <= point.fid <= point.high:
            yield f"FID {point.fid} ({point.low} to {point.high})", "an interval with FID inside"
        if not point.seeds:
            yield f"no seeds at {point.images} images", "those of the trainings"
    for before, after in pairwise(curve.points):
        if after.images <= before.images:
            yield f"{after.images} images after {before.images}", "ascending numbers"

"""Which recipes suit these photos and this device?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facewright.config import Config
from facewright.data.store import Store
from facewright.errors import ConfigError
from facewright.metrics.domain import usual_features
from facewright.planning.measured import Entry, Table
from facewright.training.memory import estimate


@dataclass(frozen=True)
class StoreSummary:
    """The facts about a store that a plan depends on.

    Args:
        store: its folder.
        count: photos to train on.
        held_out: photos that are not.
        shape: (C, H, W) of each.
        kind: "faces" or "digits".
    """

    store: Path
    count: int
    held_out: int
    shape: tuple[int, int, int]
    kind: str

    @classmethod
    def of(cls, store: Store) -> "StoreSummary":
        """What is in a store; a few hundred photos are looked at."""
        kind = "digits" if usual_features(store.train) == "digits" else "faces"
        return cls(store.path, len(store.train), len(store.val), store.shape, kind)

    @property
    def size(self) -> float:
        """Pixels on a side of a square with as many pixels."""
        _, height, width = self.shape
        return math.sqrt(height * width)


def candidates(
    photos: StoreSummary, device: str, table: Table, configs: Mapping[str, Config]
) -> list[Entry]:
    """The recipes that suit best, in the table's order; more than one where they suit equally.

    A recipe made for a GPU is proposed for a CPU only if nothing else can be built: it would
    take weeks. A GPU trains what was made for CPUs, too, so there the nearest size counts first.

    Args:
        photos: to train on.
        device: "cpu" or "cuda".
        table: what was measured.
        configs: of each recipe in the table.

    Raises:
        ConfigError: no recipe's networks can have this size.
    """
    fitting = [
        entry
        for entry in table.recipes
        if entry.kind == photos.kind and can_be_built(configs[entry.name], photos.shape)
    ]
    if not fitting:
        _, height, width = photos.shape
        raise ConfigError(
            f"no recipe for {photos.kind} of {height}x{width}",
            expected=f"sizes of {_sizes(table, photos.kind)}, or near them",
            fix="facewright prepare PHOTOS --out STORE --size 28",
        )
    if device == "cpu":
        fitting = _made_for(device, fitting)
    least = min(_away(entry, photos) for entry in fitting)
    return _made_for(device, [entry for entry in fitting if _away(entry, photos) == least])


def can_be_built(config: Config, shape: tuple[int, int, int]) -> bool:
    """Can the networks of a recipe have images of this shape?"""
    try:
        estimate(config, shape)
    except ConfigError:
        return False
    return True


def _made_for(device: str, entries: list[Entry]) -> list[Entry]:
    """Those made for this device, or all if none is."""
    return [entry for entry in entries if entry.device == device] or entries


def _away(entry: Entry, photos: StoreSummary) -> float:
    """How far is the size that a recipe is made for? 0: it is the same; by ratio."""
    return abs(math.log(entry.size / photos.size))


def _sizes(table: Table, kind: str) -> str:
    sizes = sorted({entry.size for entry in table.recipes if entry.kind == kind})
    return ", ".join(f"{size} px" for size in sizes)

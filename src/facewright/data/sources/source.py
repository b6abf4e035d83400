"""What all sources of photos have in common: a list of files, and what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from facewright.data.labels import Labels

Reader = Callable[[Any], "bytes | np.ndarray"]
"""From the address of a photo to its encoded bytes, or to (H, W[, 3]) uint8 pixels. Each
worker has a copy, so it is picklable and holds no list of photos."""

Addresses = Sequence[Any] | np.ndarray
"""What a reader needs to find each photo; slices of it travel to the workers."""

OWN_PHOTOS = "not stated: you are responsible for rights and consent"
"""What is said of photos from an unknown origin."""

_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True)
class SetAside:
    """A file that cannot be used.

    Args:
        name: of the file.
        reason: a few words that are the same for every file with this fault.
        detail: what is known besides, where the fault may be ours.
    """

    name: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Source:
    """A list of photos that can be read one by one, in any process.

    Args:
        kind: for example "folder" or "celeba".
        place: name of the file, folder or data set, without the path to it.
        licence: what is known of the terms.
        names: one for each photo, unique, in a fixed order.
        addresses: what `read` needs to find each photo.
        read: raises `Unusable` for a photo that cannot be read.
        labels: one row for each photo.
        channels: 3, or 1 for sources that are gray by nature.
        hidden: files that were passed over because their name says so.
        set_aside: entries found unusable without reading them.
        notes: what else a reader of the manifest should know.
    """

    kind: str
    place: str
    licence: str
    names: Sequence[str]
    addresses: Addresses
    read: Reader
    labels: Labels
    channels: int = 3
    hidden: int = 0
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    def rows(self, rows: np.ndarray) -> "Source":
        """Only some of the photos, by their indices."""
        places = self.addresses
        return replace(
            self,
            names=[self.names[row] for row in rows],
            addresses=places[rows] if isinstance(places, np.ndarray) else [places[i] for i in rows],
            labels=replace(self.labels, values=self.labels.values[rows]),
        )

    def labelled(self, labels: Labels, notes: Sequence[str]) -> "Source":
        """The same with more labels, which take the place of those of the same name."""
        there = {column.name for column in self.labels.columns}
        replaced = [column.name for column in labels.columns if column.name in there]
        said = [f"{name}: as in the label file, not as in {self.place}" for name in replaced]
        notes = (*self.notes, *notes, *said)
        return replace(self, labels=self.labels.beside(labels), notes=notes)


@dataclass(frozen=True)
class Files:
    """The files of a folder or an archive.

    Args:
        root: the folder or the archive.
        names: paths inside, with "/", sorted.
        addresses: what `read` needs to find each.
        read: from an address to the bytes.
        hidden: how many were passed over because their name says so.
        set_aside: entries that are no readable files.
    """

    root: Path
    names: Sequence[str]
    addresses: Sequence[Any]
    read: Callable[[Any], bytes]
    hidden: int
    set_aside: tuple[SetAside, ...]

    def where(self, wanted: Callable[[str], bool]) -> "Files":
        """Only the files whose names are wanted."""
        kept = [i for i, name in enumerate(self.names) if wanted(name)]
        return replace(
            self,
            names=[self.names[i] for i in kept],
            addresses=[self.addresses[i] for i in kept],
        )


def is_hidden(name: str) -> bool:
    """Does the name say that this file is not meant to be seen?"""
    return any(
        part.startswith(".") or part.lower() in _CLUTTER for part in PurePosixPath(name).parts
    )

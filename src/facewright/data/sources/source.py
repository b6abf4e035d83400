"""What all sources of photos have in common: a list of files, and what becomes of it."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from facewright.data.labels import Labels
from facewright.errors import DataError

Reader = Callable[[Any], "bytes | np.ndarray"]
"""From the address of a photo to its encoded bytes, or to (H, W[, 3]) uint8 pixels. Each
worker has a copy, so it is picklable and holds no list of photos."""

Addresses = Sequence[Any] | np.ndarray
"""What a reader needs to find each photo; slices of it travel to the workers."""


MOST_PHOTOS = 20_000_000
"""In one array: a small packed file may unfold to more, of a pixel each."""


def numbered(file: str, count: int) -> list[str]:
    """A name for each photo of an array.

    Raises:
        DataError: more than anybody has.
    """
    if count > MOST_PHOTOS:
        raise DataError(
            f"{file} holds {count:,} images",
            expected=f"{MOST_PHOTOS:,} at most in one file",
            fix="several files, each prepared by itself",
        )
    return [f"{file}:{i:06d}" for i in range(count)]


def as_it_is(content: Any) -> Any:
    """The reader of photos whose addresses are their content."""
    return content


class Lazy(Sequence[Any]):
    """Addresses that are made when they are asked for, because they hold content or are many.

    Args:
        make: from one row to the address.
        rows: (N, K) int64.
    """

    def __init__(self, make: Callable[[np.ndarray], Any], rows: np.ndarray) -> None:
        self.make, self.rows = make, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: int | slice | np.ndarray) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One address, or some of them, still to be made."""
        rows = self.rows[which]
        return self.make(rows) if rows.ndim == 1 else Lazy(self.make, rows)

    def __reduce__(self) -> tuple[type, tuple[list[Any]]]:
        """A worker gets the addresses themselves."""
        return list, (list(self),)


def chosen(addresses: Addresses, rows: Sequence[int] | np.ndarray) -> Addresses:
    """Some of the addresses."""
    if isinstance(addresses, np.ndarray | Lazy):
        return addresses[np.asarray(rows, np.int64)]
    return [addresses[row] for row in rows]


OWN_PHOTOS = "not stated: you are responsible for rights and consent"
"""What is said of photos from an unknown origin."""

EXPECTED = "a folder, zip or tar of photos; .npy or .npz; IDX, parquet or arrow files"
NAME_THE_FOLDER = "name the folder that the photos lie in"
"""How a source without photos is refused."""

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
        return replace(
            self,
            names=[self.names[row] for row in rows],
            addresses=chosen(self.addresses, rows),
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
class Member:
    """One entry of a folder or an archive.

    Args:
        name: path inside, with "/".
        address: where its reader finds it.
        fault: why it is no file that can be read; empty if it is one.
    """

    name: str
    address: Any = None
    fault: str = ""


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
    addresses: Addresses
    read: Callable[[Any], bytes]
    hidden: int = 0
    set_aside: tuple[SetAside, ...] = ()

    @classmethod
    def of(cls, root: Path, members: Iterable[Member], read: Callable[[Any], bytes]) -> "Files":
        """What can be read among the members; of two with one name the last, as when unpacked."""
        addresses: dict[str, Any] = {}
        hidden, set_aside = 0, []
        for member in members:
            if is_hidden(member.name):
                hidden += 1
            elif member.fault:
                set_aside.append(SetAside(member.name, member.fault))
            else:
                if member.name in addresses:
                    set_aside.append(SetAside(member.name, "replaced by a later one of its name"))
                addresses[member.name] = member.address
        names = sorted(addresses, key=os.fsencode)
        set_aside.sort(key=lambda entry: os.fsencode(entry.name))
        places = [addresses[name] for name in names]
        return cls(root, names, places, read, hidden, tuple(set_aside))

    def where(self, wanted: Callable[[str], bool]) -> "Files":
        """Only the files whose names are wanted."""
        kept = [i for i, name in enumerate(self.names) if wanted(name)]
        return replace(
            self,
            names=[self.names[i] for i in kept],
            addresses=chosen(self.addresses, kept),
        )


def is_hidden(name: str) -> bool:
    """Does the name say that this file is not meant to be seen?"""
    return any(
        (part.startswith(".") and part != "..") or part.lower() in _CLUTTER
        for part in PurePosixPath(name).parts
    )

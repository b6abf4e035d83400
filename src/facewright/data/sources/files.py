"""Files that can be listed and read one by one, wherever they lie."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from facewright.data.sources.source import SetAside

_CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")


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

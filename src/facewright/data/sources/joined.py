"""Several archives of one folder, such as the shards of a data set, as one list of files."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from facewright.data.sources.archive import whole_archive
from facewright.data.sources.source import Files, Lazy

BETWEEN = ":"
"""Between an archive and its member, in a name that several archives have."""

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")


def archives_in(files: Files) -> list[str]:
    """Names of the files in a folder that are archives, by their suffix."""
    return [name for name in files.names if name.lower().endswith(SUFFIXES)]


def joined(root: Path, archives: Iterable[str]) -> Files:
    """What the archives of a folder hold, as if it were in one.

    Names are those inside where this tells all photos apart; else the archive stands before them.

    Raises:
        DataError: one of them is damaged, or of another kind.
    """
    parts = {name: whole_archive(root / name) for name in archives}
    names = [name for part in parts.values() for name in part.names]
    if len(set(names)) < len(names):
        names = [_within(archive, name) for archive, part in parts.items() for name in part.names]
    order = sorted(range(len(names)), key=lambda i: os.fsencode(names[i]))
    rows = np.array(
        [
            (which, row)
            for which, part in enumerate(parts.values())
            for row in range(len(part.names))
        ],
        np.int64,
    ).reshape(-1, 2)[order]
    addresses = [part.addresses for part in parts.values()]
    return Files(
        root,
        [names[i] for i in order],
        Lazy(lambda row: (int(row[0]), addresses[row[0]][row[1]]), rows),
        JoinedReader(tuple(part.read for part in parts.values())),
        sum(part.hidden for part in parts.values()),
        tuple(
            replace(entry, name=_within(archive, entry.name))
            for archive, part in parts.items()
            for entry in part.set_aside
        ),
    )


@dataclass(frozen=True)
class JoinedReader:
    """Reads the files of several archives."""

    readers: tuple[Callable[[Any], bytes], ...]

    def __call__(self, address: tuple[int, Any]) -> bytes:
        """The bytes of one file."""
        which, inner = address
        return self.readers[which](inner)


def _within(archive: str, name: str) -> str:
    """The name with the archive in its last part, so that folders still are what they were."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{archive.replace('/', ':')}{BETWEEN}{path.name}"))

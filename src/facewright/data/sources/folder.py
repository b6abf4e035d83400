"""Files in a folder, with everything that can be wrong with a folder."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from facewright.data.photo import MAX_BYTES, Unusable
from facewright.data.sources.source import Files, Member, is_hidden
from facewright.data.store import is_store


def list_folder(root: Path) -> Files:
    """Every file below a folder, symbolic links followed, each folder entered once."""
    members = (Member(name, name, fault) for name, fault in _walk(root))
    return Files.of(root, members, FolderReader(str(root)))


@dataclass(frozen=True)
class FolderReader:
    """Reads the files of one folder by their names."""

    root: str

    def __call__(self, name: str) -> bytes:
        """The bytes of one file."""
        try:
            with open(os.path.join(self.root, name), "rb") as file:
                if os.fstat(file.fileno()).st_size > MAX_BYTES:
                    raise Unusable("too large a file")
                return file.read()
        except OSError:
            raise Unusable("unreadable") from None


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """Name of every entry that is not entered as a folder, and its fault or ""."""
    entered: set[tuple[int, int]] = set()
    real: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    linked: list[tuple[str, frozenset[tuple[int, int]]]] = []
    while real or linked:
        # Links last, so that photos are known by the names of their real folders.
        below, parents = real.pop() if real else linked.pop(0)
        try:
            here = _identity(root / below)
            if here in entered:
                # Links between folders would otherwise multiply the photos, or never end.
                yield below, "symlink loop" if here in parents else "folder already listed"
                continue
            entered.add(here)
            if is_store(root / below):  # the sheets in it are no photos
                yield below or ".", "a training store"
                continue
            entries = sorted(os.scandir(root / below), key=lambda e: os.fsencode(e.name))
        except OSError:
            yield below or ".", "unreadable"
            continue
        for entry in entries:
            name = f"{below}/{entry.name}" if below else entry.name
            fault = _fault(entry)
            if fault is not None or is_hidden(name):
                yield name, fault or ""
            else:
                (linked if entry.is_symlink() else real).append((name, parents | {here}))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _fault(entry: os.DirEntry[str]) -> str | None:
    """Why an entry is no file that can be read: "" for a good file, None for a folder."""
    try:
        mode = entry.stat().st_mode
    except FileNotFoundError:
        return "broken symlink"
    except OSError as error:
        return "symlink loop" if error.errno == errno.ELOOP else "unreadable"
    if stat.S_ISDIR(mode):
        return None
    # Opening a pipe or a device could wait for ever.
    return "" if stat.S_ISREG(mode) else "not a regular file"

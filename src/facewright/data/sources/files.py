"""Files in a folder or in a zip, listed and read in the same way."""

import errno
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from facewright.data.photo import MAX_BYTES, Unusable
from facewright.data.sources.source import SetAside
from facewright.errors import DataError

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
        return Files(
            self.root,
            [self.names[i] for i in kept],
            [self.addresses[i] for i in kept],
            self.read,
            self.hidden,
            self.set_aside,
        )


def list_folder(root: Path) -> Files:
    """Every file below a folder, symbolic links followed, each folder entered once."""
    names: list[str] = []
    hidden, set_aside = 0, []
    for name, reason in _walk(root, "", set(), ()):
        if _is_hidden(name):
            hidden += 1
        elif reason:
            set_aside.append(SetAside(name, reason))
        else:
            names.append(name)
    names.sort(key=os.fsencode)
    return Files(root, names, names, FolderReader(str(root)), hidden, tuple(set_aside))


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


def _walk(
    root: Path, below: str, entered: set[tuple[int, int]], parents: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, str]]:
    """(name, reason it is set aside or "") of everything under root/below but folders."""
    folder = root / below
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in entered:
        # Links between folders would otherwise multiply the photos, or never end.
        yield below, "symlink loop" if here in parents else "folder already listed"
        return
    entered.add(here)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError:
        yield below, "unreadable"
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        reason = _fault(entry)
        if reason is None and not _is_hidden(name):
            yield from _walk(root, name, entered, (*parents, here))
        else:
            yield name, reason or ""


def _fault(entry: os.DirEntry[str]) -> str | None:
    """Why an entry is no file that can be read: "" for a good file, None for a folder."""
    try:
        mode = entry.stat().st_mode
    except FileNotFoundError:
        return "broken symlink"
    except OSError as error:
        return "symlink loop" if entry.is_symlink() and error.errno == errno.ELOOP else "unreadable"
    if stat.S_ISDIR(mode):
        return None
    return "" if stat.S_ISREG(mode) else "not a regular file"


def list_zip(path: Path) -> Files:
    """Every file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}", expected="a zip archive", fix=f"unzip -t {path}"
        ) from None
    hidden, set_aside, names, addresses = 0, [], [], []
    for entry in entries:
        if entry.is_dir():
            continue
        if _is_hidden(entry.filename):
            hidden += 1
        elif entry.flag_bits & 1:
            set_aside.append(SetAside(entry.filename, "encrypted"))
        else:
            names.append(entry.filename)
            addresses.append(
                (entry.header_offset, entry.compress_size, entry.file_size, entry.CRC,
                 entry.compress_type)
            )  # fmt: skip
    return Files(path, names, addresses, ZipReader(str(path)), hidden, tuple(set_aside))


@dataclass(frozen=True)
class ZipReader:
    """Reads members of one zip by their position, so that a worker needs no directory of it."""

    path: str

    def __call__(self, address: tuple[int, int, int, int, int]) -> bytes:
        """The bytes of one member, unpacked and checked."""
        offset, packed, size, crc, method = address
        if max(packed, size) > MAX_BYTES:
            raise Unusable("too large a file")
        try:
            with open(self.path, "rb") as file:
                file.seek(offset)
                # The local header repeats what the directory said; only its length is news.
                name_length, extra_length = struct.unpack("<26xHH", file.read(30))
                file.seek(name_length + extra_length, os.SEEK_CUR)
                content = file.read(packed)
        except (OSError, struct.error):
            raise Unusable("unreadable") from None
        if method == zipfile.ZIP_DEFLATED:
            content = _inflate(content, size)
        elif method != zipfile.ZIP_STORED:
            raise Unusable("unknown compression")
        if len(content) != size or zlib.crc32(content) != crc:
            raise Unusable("damaged in the archive")
        return content


def _inflate(content: bytes, size: int) -> bytes:
    try:
        # Never more than was announced, however much the stream would unfold to.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
    except zlib.error:
        raise Unusable("damaged in the archive") from None


def _is_hidden(name: str) -> bool:
    return any(
        part.startswith(".") or part.lower() in _CLUTTER for part in PurePosixPath(name).parts
    )

"""Files in zip and tar archives, listed once and then read one by one where they lie.

Nothing is ever unpacked to where an archive wants it: a member's name is only a name.
"""

import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from facewright.data.photo import MAX_BYTES, Unusable
from facewright.data.sources.source import Files, Lazy, Member, as_it_is, is_hidden
from facewright.data.sources.tar_headers import Entry, begins_as_tar, tar_entries
from facewright.data.sources.unpack import (
    Unfolding,
    copy,
    mapped_bytes,
    unfolds_too_far,
    unpacked,
)
from facewright.errors import DataError

_IRREGULAR = "not a regular file"
_TOO_FAR = "unfolds too far"


def open_archive(path: Path) -> Files | None:
    """The files in a zip, a tar or a packed tar; None if it is something else.

    Raises:
        DataError: it is one, and damaged.
    """
    return list_zip(path) if zipfile.is_zipfile(path) else list_tar(path)


def whole_archive(path: Path) -> Files:
    """The files in what must be an archive.

    Raises:
        DataError: it is damaged, or something else.
    """
    files = open_archive(path)
    if files is None:
        raise _damaged(path, "it is of another kind than its name says")
    return files


def list_zip(path: Path) -> Files:
    """Every file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries, end = archive.infolist(), archive.start_dir
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        # ValueError: a name that is not the UTF-8 it claims to be. Then: a version not known here.
        raise _damaged(path, str(error)) from None
    return Files.of(path, _zip_members(entries, end), ZipReader(str(path)))


def _zip_members(entries: Sequence[zipfile.ZipInfo], end: int) -> Iterator[Member]:
    by_place = sorted(entries, key=lambda entry: entry.header_offset)
    following = [*(entry.header_offset for entry in by_place[1:]), end]
    # Members that lie in each other are how a small archive unfolds to petabytes.
    overlapping = {
        id(entry)
        for entry, start in zip(by_place, following, strict=False)
        if entry.header_offset + entry.compress_size > start
    }
    for entry in entries:
        if not entry.filename.endswith("/"):
            fault = "not at a place of its own" if id(entry) in overlapping else _zip_fault(entry)
            yield _member(entry.filename, _zip_address(entry), fault)


def _zip_fault(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 1:
        return "encrypted"
    if unfolds_too_far(entry.compress_size, entry.file_size):
        return _TOO_FAR
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return "" if kind in (0, stat.S_IFREG) else _IRREGULAR


def _zip_address(entry: zipfile.ZipInfo) -> tuple[int, int, int, int, int]:
    return (
        entry.header_offset, entry.compress_size, entry.file_size, entry.CRC, entry.compress_type
    )  # fmt: skip


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
                file.seek(content_start(file, offset))
                content = file.read(packed)
        except (OSError, ValueError, OverflowError, struct.error):  # or a place no file has
            raise Unusable("unreadable") from None
        if method == zipfile.ZIP_DEFLATED:
            content = _inflate(content, size)
        elif method != zipfile.ZIP_STORED:
            raise Unusable("unknown compression")
        if len(content) != size or zlib.crc32(content) != crc:
            raise Unusable("damaged in the archive")
        return content


def content_start(file: BinaryIO, offset: int) -> int:
    """Where a zip member's content begins, behind its own header at `offset`."""
    file.seek(offset)
    # The header repeats what the directory said; only its length is news.
    name_length, extra_length = struct.unpack("<26xHH", file.read(30))
    return offset + 30 + name_length + extra_length


def _inflate(content: bytes, size: int) -> bytes:
    try:
        # Never more than the directory says, whatever the stream would expand to.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
    except zlib.error:
        raise Unusable("damaged in the archive") from None


def list_tar(path: Path) -> Files | None:
    """Every file in a tar or a gzipped tar; None if it is something else.

    A packed one has to be read from its beginning: what it holds is unpacked once, to a file
    without a name that is gone when the program ends.

    Raises:
        DataError: damaged, or it unfolds too far.
    """
    try:
        with unpacked(path) as content:
            if not begins_as_tar(content.read(tarfile.BLOCKSIZE)):
                return None
            content.seek(0)
            if not isinstance(content, Unfolding):
                members = [_tar_member(entry) for entry in tar_entries(content)]
                return Files.of(path, members, TarReader(str(path)))
            with tempfile.TemporaryFile() as kept:
                members = [_kept(entry, content, kept) for entry in tar_entries(content)]
                files = Files.of(path, members, as_it_is)
                return replace(files, addresses=_slices(mapped_bytes(kept), files.addresses))
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise _damaged(path, str(error)) from None


def _tar_member(entry: Entry) -> Member:
    fault = "" if entry.is_file else _IRREGULAR
    if entry.size > MAX_BYTES:
        fault = "too large a file"
    return _member(entry.name, (entry.start, entry.size), fault)


def _kept(entry: Entry, content: BinaryIO, target: BinaryIO) -> Member:
    """The member, after its content was moved to where `target` ends."""
    member = _tar_member(entry)
    start = target.tell()
    wanted = not member.fault and not is_hidden(member.name)
    if copy(content, target if wanted else None, entry.size) < entry.size:
        raise EOFError(f"{entry.name} is cut off")
    return replace(member, address=(start, entry.size))


def _slices(content: np.ndarray, places: Any) -> Lazy:
    rows = np.array(places, np.int64).reshape(-1, 2)
    return Lazy(lambda row: content[row[0] : row[0] + row[1]].tobytes(), rows)


@dataclass(frozen=True)
class TarReader:
    """Reads members of one tar by their position."""

    path: str

    def __call__(self, address: tuple[int, int]) -> bytes:
        """The bytes of one member."""
        start, size = address
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                content = file.read(size)
        except OSError:
            raise Unusable("unreadable") from None
        if len(content) != size:
            raise Unusable("truncated")
        return content


def _member(name: str, address: Any, fault: str) -> Member:
    path = PurePosixPath(name)
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    return Member(str(path), address, fault if inside else "a path out of the archive")


def _damaged(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} cannot be read: {found}",
        expected="a whole zip or tar archive",
        fix="fetch it again; or unpack it with another program, and name the folder",
    )

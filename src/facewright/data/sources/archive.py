"""Files in a zip archive."""

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from facewright.data.photo import MAX_BYTES, Unusable
from facewright.data.sources.source import Files, SetAside, is_hidden
from facewright.errors import DataError


def list_zip(path: Path) -> Files:
    """Every file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        # The last two: a name that is not the UTF-8 it claims to be, a version not known here.
        raise DataError(
            f"{path} cannot be read: {error}",
            expected="a zip archive",
            fix="unpack it with another program, and name the folder",
        ) from None
    hidden, set_aside, names, addresses = 0, [], [], []
    for entry in entries:
        if entry.is_dir():
            continue
        if is_hidden(entry.filename):
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
        # Never more than the directory says, whatever the stream would expand to.
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size + 1)
    except zlib.error:
        raise Unusable("damaged in the archive") from None

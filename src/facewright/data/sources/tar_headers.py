"""What a tar archive says of its members, read within bounds.

The standard library's own loop reads names and sizes of any length, follows headers into each
other without end, and stops in silence at a damaged one; so only its parser of one block is used.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LONGEST = 1 << 16  # bytes of a member's names and times
_NO_FILE = 1 << 60  # more bytes than any file has
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTRA = (*_PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


@dataclass(frozen=True)
class Entry:
    """One member.

    Args:
        name: as it stands there.
        start: where its content begins.
        size: of the content, in bytes.
        is_file: is it a regular file, stored as a whole?
    """

    name: str
    start: int
    size: int
    is_file: bool


def begins_as_tar(block: bytes) -> bool:
    """Is this the first block of a tar?"""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def tar_entries(content: BinaryIO) -> Iterator[Entry]:
    """Every member but folders; who takes one may read its content before the next one.

    Raises:
        EOFError, ValueError, tarfile.TarError: the archive is damaged, or cut off.
    """
    pax: dict[bytes, bytes] = {}
    long_name = ""
    while block := content.read(tarfile.BLOCKSIZE):
        if not block.strip(b"\0"):
            return
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.type in _EXTRA:
            extra = _extra(content, header.size)
            if header.type in _PAX:
                pax = _pax(extra)
            elif header.type == tarfile.GNUTYPE_LONGNAME:
                long_name = _text(extra.partition(b"\0")[0])
            continue
        size = int(pax.get(b"size", header.size))
        if not 0 <= size < _NO_FILE:
            raise ValueError(f"a member of {size} bytes")
        # Links and devices may name a size, and have no content.
        regular = header.isreg() or header.type not in tarfile.SUPPORTED_TYPES
        size = size if regular else 0
        name = _text(pax[b"path"]) if b"path" in pax else long_name or header.name
        sparse = header.issparse() or any(key.startswith(b"GNU.sparse") for key in pax)
        start = content.tell()
        if not header.isdir():
            yield Entry(name, start, size, header.isreg() and not sparse)
        _pass_over(content, start + size, name)
        content.seek(_padded(start + size))
        pax, long_name = {}, ""


def _pass_over(content: BinaryIO, end: int, name: str) -> None:
    """Go to where a member's content ends, which must be in the file."""
    if end > content.tell():
        content.seek(end - 1)
        if not content.read(1):
            raise EOFError(f"{name} is cut off")


def _extra(content: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= _LONGEST:
        raise ValueError(f"a header of {size} bytes")
    extra = content.read(size)
    if len(extra) < size:
        raise EOFError("a header is cut off")
    content.seek(_padded(content.tell()))
    return extra


def _padded(place: int) -> int:
    return -(-place // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _pax(records: bytes) -> dict[bytes, bytes]:
    """Keys and values of records that are each "LENGTH KEY=VALUE" and a line's end."""
    found = {}
    while records.strip(b"\0"):
        digits, _, _ = records.partition(b" ")
        length = int(digits)
        if not len(digits) < length <= len(records):
            raise ValueError(f"a record of {length} bytes")
        key, _, value = records[len(digits) + 1 : length - 1].partition(b"=")
        found[key] = value
        records = records[length:]
    return found


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")

"""Packed content, read within bounds: a small file may unfold to more than any disk holds."""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np

from facewright.errors import DataError

MOST_EXPANSION = 250
"""Times its packed size that content may unfold to. Deflate reaches 1,032 where all bytes are
alike; photos hardly shrink."""

_ALWAYS_BYTES = 1 << 20  # tiny files may hold one blank image
_CHUNK_BYTES = 1 << 20


def unfolds_too_far(packed: int, unpacked: int) -> bool:
    """Is this much content from so few bytes an attack rather than photos?"""
    return unpacked > max(_ALWAYS_BYTES, MOST_EXPANSION * packed)


class Unfolding(gzip.GzipFile):
    """The content of a gzip file, refused where it unfolds too far."""

    def read(self, size: int | None = -1) -> bytes:
        """As of any file.

        Raises:
            DataError: it unfolds too far.
            OSError, EOFError, zlib.error: it is damaged.
        """
        content = super().read(size)
        packed = cast(BinaryIO, self.fileobj)
        if unfolds_too_far(packed.tell(), self.tell()):
            raise DataError(
                f"{packed.name} unfolds to more than {MOST_EXPANSION} times its size",
                expected="photos, which hardly shrink",
                fix="unpack it with another program, if you trust it, and name the result",
            )
        return content


@contextmanager
def unpacked(file: Path) -> Iterator[BinaryIO]:
    """The content of a file, unfolded while it is read if the file is gzip."""
    with file.open("rb") as content:
        packed = content.read(2) == b"\x1f\x8b"
        content.seek(0)
        if not packed:
            yield content
            return
        with Unfolding(fileobj=content) as unfolding:
            yield cast(BinaryIO, unfolding)


def copy(source: IO[bytes], target: BinaryIO | None, most: int) -> int:
    """Copy to the end, but never more than `most` bytes.

    Args:
        source: what is read.
        target: where it is kept; None passes over it.
        most: bytes.

    Returns:
        How many bytes there were.

    Raises:
        DataError: no room.
    """
    left = most
    while left and (chunk := source.read(min(_CHUNK_BYTES, left))):
        left -= len(chunk)
        if target is not None:
            _write(target, chunk)
    return most - left


def _write(target: BinaryIO, chunk: bytes) -> None:
    try:
        target.write(chunk)
    except OSError as error:
        raise DataError(
            f"{tempfile.gettempdir()} has no room to unpack into: {error.strerror}",
            expected="room for what the file holds",
            fix="TMPDIR=/another/folder before the command",
        ) from None


def mapped_bytes(file: BinaryIO) -> np.ndarray:
    """(N,) uint8, all that was written to a file; its pages are on disk, it outlives the file."""
    file.flush()
    size = file.seek(0, 2)
    # A plain array, because slices of it are sent to the workers.
    return np.memmap(file, np.uint8, mode="r").view(np.ndarray) if size else np.zeros(0, np.uint8)

"""Images in one array: `.npy`, and `.npz` as ADM and EDM write their samples.

Headers are read and judged here before numpy maps anything; pickled objects are never read.
"""

import io
import math
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from facewright.data.labels import LabelColumn, Labels, numbered_classes
from facewright.data.photo import MAX_PIXELS
from facewright.data.sources.archive import content_start
from facewright.data.sources.source import OWN_PHOTOS, Files, Source, as_it_is, numbered
from facewright.data.sources.unpack import copy, mapped_bytes, unfolds_too_far
from facewright.errors import DataError

EXPECTED = "uint8 images of shape (N, H, W, C), channels last, C = 1 or 3"

_USUAL = "arr_0"
_CLASSES = ("arr_1", "label", "labels", "class", "classes", "y")  # arr_1: ADM's
_LONGEST_HEADER = 1 << 16
_LISTED = 8
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error),  # broken bytes
    *(RuntimeError, NotImplementedError),  # encrypted, or packed in a way not known here
    *(OSError, EOFError, ValueError, OverflowError),  # cut off, or places that no file has
)


@dataclass(frozen=True)
class Header:
    """What an array file says of itself.

    Args:
        kind: of its numbers.
        shape: of the array.
        fortran: the first index runs fastest.
        start: where the numbers begin.
    """

    kind: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    start: int

    @property
    def bytes(self) -> int:
        """That all numbers take."""
        return math.prod(self.shape) * self.kind.itemsize

    @property
    def is_images(self) -> bool:
        """Could these be photos?"""
        if self.kind != np.uint8 or len(self.shape) != 4 or self.shape[3] not in (1, 3):
            return False
        return self.bytes > 0 and math.prod(self.shape[1:3]) <= MAX_PIXELS

    def is_column_of(self, count: int) -> bool:
        """Could these be numbers, one for each of so many photos?"""
        return self.kind.kind in "biuf" and self.shape in ((count,), (count, 1))

    def __str__(self) -> str:
        return f"{self.kind} numbers of shape {self.shape}"


def npy_file(path: Path) -> Source | None:
    """The images of a `.npy` file, whatever its name; None if it is of another kind.

    Raises:
        DataError: it is damaged, or holds something else than images.
    """
    with path.open("rb") as file:
        if file.read(6) != np.lib.format.MAGIC_PREFIX:
            return None
        file.seek(0)
        header = _header(file, path.name)
    if not header.is_images:
        raise _no_images(path, {path.name: header})
    return _source(path, _mapped(path, header, header.start), Labels.none(header.shape[0]), ())


def npz_file(files: Files) -> Source | None:
    """The images of a `.npz` file, with the numbers beside them as labels; None if it is none.

    Args:
        files: of a zip.

    Raises:
        DataError: it is damaged, or holds something else than images.
    """
    if not files.names or not all(name.endswith(".npy") for name in files.names):
        return None
    try:
        with zipfile.ZipFile(files.root) as archive:
            return _source(files.root, *_npz(files.root, archive, files.names))
    except _DAMAGES as error:
        raise _damaged(files.root, str(error)) from None


def _source(path: Path, pixels: np.ndarray, labels: Labels, notes: tuple[str, ...]) -> Source:
    channels = pixels.shape[3]
    return Source(
        kind="array",
        place=path.name,
        licence=OWN_PHOTOS,
        names=numbered(path.name, len(pixels)),
        addresses=pixels[..., 0] if channels == 1 else pixels,
        read=as_it_is,
        labels=labels,
        channels=channels,
        notes=notes,
    )


def _npz(
    path: Path, archive: zipfile.ZipFile, members: Sequence[str]
) -> tuple[np.ndarray, Labels, tuple[str, ...]]:
    headers, places = {}, {}
    for member in members:
        name = member.removesuffix(".npy")
        with archive.open(member) as content:
            # Not more: the header's own length is a promise of the file, too.
            headers[name] = _header(io.BytesIO(content.read(_LONGEST_HEADER)), name)
        places[name] = archive.getinfo(member)
    images = [name for name, header in headers.items() if header.is_images]
    if len(images) != 1 and _USUAL not in images:
        raise _no_images(path, headers)
    chosen = _USUAL if _USUAL in images else images[0]
    pixels = _content(path, archive, places.pop(chosen), headers[chosen])
    labels, skipped = Labels.none(len(pixels)), []
    for name, member in places.items():
        header = headers[name]
        if header.is_column_of(len(pixels)):
            labels = labels.beside(_column(name, _content(path, archive, member, header)))
        else:
            skipped.append(f"array {name} ({header}) is no label that can be stored")
    return pixels, labels, tuple(skipped)


def _header(content: BinaryIO, name: str) -> Header:
    try:
        read = _READERS[np.lib.format.read_magic(content)]
        shape, fortran, kind = read(content)
    except MemoryError:
        raise
    except Exception as error:  # the header is Python's own syntax: it may fail in any way
        raise DataError(
            f"{name} has a damaged header: {str(error).splitlines()[0][:80]}",
            expected="an array as numpy.save writes it",
            fix="write it again with numpy.save or numpy.savez",
        ) from None
    if kind.hasobject or not all(type(side) is int and 0 <= side < 1 << 40 for side in shape):
        raise DataError(
            f"{name} holds {'Python objects' if kind.hasobject else f'the shape {shape}'[:80]}",
            expected=EXPECTED,
            fix=f"numpy.save('images.npy', images), with {EXPECTED}",
        )
    return Header(kind, shape, fortran, content.tell())


def _content(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header
) -> np.ndarray:
    """The array of one member: where it lies, or unpacked to a file without a name."""
    if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
        with path.open("rb") as file:
            start = content_start(file, member.header_offset)
        return _mapped(path, header, start + header.start)
    size = header.start + header.bytes
    if unfolds_too_far(member.compress_size, size):
        raise _damaged(path, f"{member.filename} would unfold to {size:,} bytes")
    with archive.open(member) as content, tempfile.TemporaryFile() as kept:
        if copy(content, kept, size + 1) != size:
            raise _damaged(path, f"{member.filename} has not the {size:,} bytes of its shape")
        return _shaped(mapped_bytes(kept)[header.start :], header)


def _mapped(path: Path, header: Header, start: int) -> np.ndarray:
    if path.stat().st_size < start + header.bytes:
        raise _damaged(path, f"it is too short for {header}")
    content = np.memmap(path, np.uint8, mode="r", offset=start, shape=header.bytes)
    return _shaped(content.view(np.ndarray), header)


def _shaped(content: np.ndarray, header: Header) -> np.ndarray:
    return content.view(header.kind).reshape(header.shape, order="F" if header.fortran else "C")


def _column(name: str, values: np.ndarray) -> Labels:
    values = values.reshape(-1)
    if name in _CLASSES and values.dtype.kind in "iu":
        return numbered_classes("class", values)
    kind = "binary" if values.dtype.kind == "b" else "number"
    numbers = values.astype(np.float32)
    numbers[~np.isfinite(numbers)] = np.nan
    return Labels((LabelColumn(name, kind),), numbers.reshape(-1, 1))


def _no_images(path: Path, headers: dict[str, Header]) -> DataError:
    few = [f"{name}: {header}" for name, header in list(headers.items())[:_LISTED]]
    found = few[0].partition(": ")[2] if len(headers) == 1 else "; ".join(few)
    return DataError(f"{path} holds {found}", expected=EXPECTED, fix=_fix(path, headers))


def _fix(path: Path, headers: dict[str, Header]) -> str:
    for name, header in headers.items():
        if header.is_images:
            return f"numpy.save('images.npy', numpy.load({path.name!r})[{name!r}]), and images.npy"
        if header.kind == np.uint8 and len(header.shape) == 4 and header.shape[1] in (1, 3):
            return "images.transpose(0, 2, 3, 1) where the channels come first"
        if header.kind == np.uint8 and len(header.shape) == 3:
            return "images[..., None] where they are gray"
        if header.kind.kind == "f" and len(header.shape) == 4:
            return (
                "np.clip((x + 1) * 127.5, 0, 255).round().astype(np.uint8), if x is in [-1, 1] "
                "and has its channels last"
            )
    return f"numpy.save('images.npy', images), with {EXPECTED}"


def _damaged(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} is damaged: {found}",
        expected="a whole array file",
        fix="fetch it again, or write it again with numpy.save or numpy.savez",
    )

"""The file format of MNIST: gray images in one file, their classes in another.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import shutil
import struct
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from facewright.data.labels import Column, Labels
from facewright.data.sources.source import Source
from facewright.errors import DataError

LICENCE = "not stated in IDX files; MNIST itself: CC BY-SA 3.0"

_IMAGES, _CLASSES = b"\0\0\x08\x03", b"\0\0\x08\x01"  # unsigned bytes, in 3 dimensions and in 1


def idx_images(path: Path) -> list[Path]:
    """The IDX files of images at a path or in a folder; none if it holds something else."""
    candidates = sorted(path.glob("*idx3*")) if path.is_dir() else [path]
    return [file for file in candidates if file.is_file() and _begins_with(file, _IMAGES)]


def idx(path: Path, files: list[Path]) -> Source:
    """The images of IDX files, one file after the other, with the classes lying beside them.

    Args:
        path: the file or folder that the user named.
        files: what `idx_images` found there.
    """
    images = [_read(file, _IMAGES) for file in files]
    classes = [_classes_beside(file, len(part)) for file, part in zip(files, images, strict=True)]
    values = np.concatenate(classes)
    known = values[~np.isnan(values)]
    labels = Labels.none(len(values))
    if len(known):
        names = tuple(str(i) for i in range(int(known.max()) + 1))
        labels = Labels((Column("class", "class", names),), values.reshape(-1, 1))
    return Source(
        kind="idx",
        place=path.name,
        licence=LICENCE,
        names=[
            f"{file.name.removesuffix('.gz')}:{i:06d}"
            for file, part in zip(files, images, strict=True)
            for i in range(len(part))
        ],
        addresses=_Joined(images),
        read=_as_it_is,
        labels=labels,
        channels=1,
    )


class _Joined(Sequence[np.ndarray]):
    """Several arrays as one. What is asked for travels to the worker; the rest stays on disk."""

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        return np.array(self._parts[part][index - self._starts[part]])


def _as_it_is(pixels: np.ndarray) -> np.ndarray:
    return pixels


def _read(file: Path, magic: bytes) -> np.ndarray:
    """The array in an IDX file, memory-mapped; a compressed one is unpacked to disk first."""
    dimensions = magic[3]
    try:
        with _open(file) as packed:
            header = packed.read(4 + 4 * dimensions)
            shape = struct.unpack(f">{dimensions}I", header[4:])
            unpacked = tempfile.TemporaryFile()
            shutil.copyfileobj(packed, unpacked)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise _damaged(file, str(error)) from None
    if unpacked.tell() != math.prod(shape):
        raise _damaged(file, f"{unpacked.tell()} bytes for {shape}")
    if not unpacked.tell():
        return np.zeros(shape, np.uint8)
    return np.memmap(unpacked, np.uint8, mode="r", shape=shape)


def _classes_beside(images: Path, count: int) -> np.ndarray:
    """(N,) float32 classes from the file that belongs to one of images; NaN without it."""
    stem = images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    for file in (images.with_name(stem), images.with_name(stem + ".gz")):
        if file.is_file() and _begins_with(file, _CLASSES):
            classes = _read(file, _CLASSES)
            if len(classes) != count:
                raise _damaged(file, f"{len(classes)} classes for {count} images")
            return classes.astype(np.float32)
    return np.full(count, np.nan, np.float32)


def _begins_with(file: Path, magic: bytes) -> bool:
    try:
        with _open(file) as content:
            return content.read(4) == magic
    except (OSError, EOFError, zlib.error):
        return False


def _open(file: Path) -> IO[bytes]:
    with file.open("rb") as content:
        packed = content.read(2) == b"\x1f\x8b"
    return gzip.open(file) if packed else file.open("rb")


def _damaged(file: Path, found: str) -> DataError:
    return DataError(
        f"{file} is damaged: {found}", expected="a whole IDX file", fix="download it again"
    )

"""The file format of MNIST: gray images in one file, their classes in another.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
"""

import math
import struct
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from facewright.data.labels import LabelColumn, Labels
from facewright.data.photo import MAX_PIXELS
from facewright.data.sources.source import Source, as_it_is, numbered
from facewright.data.sources.unpack import copy, mapped_bytes, unpacked
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
    with tempfile.TemporaryFile() as kept:
        sizes = [_unpack(file, _IMAGES, kept) for file in files]
        if len({size[1:] for size in sizes}) > 1:
            raise DataError(
                f"{path.name} holds images of {' and '.join(f'{h}x{w}' for _, h, w in sizes)}",
                expected="one size",
                fix="name one of the files instead of the folder",
            )
        counts = [size[0] for size in sizes]
        images = mapped_bytes(kept).reshape(sum(counts), *sizes[0][1:])
    labels = _labels(files, counts)
    return Source(
        kind="idx",
        place=path.name,
        licence=LICENCE,
        names=[
            name
            for file, count in zip(files, counts, strict=True)
            for name in numbered(file.name.removesuffix(".gz"), count)
        ],
        addresses=images,
        read=as_it_is,
        labels=labels,
        channels=1,
    )


def _labels(files: list[Path], counts: list[int]) -> Labels:
    """Classes from the files that belong to those of images; NaN without one."""
    parts = [_classes_beside(file, count) for file, count in zip(files, counts, strict=True)]
    values = np.concatenate(parts)
    if np.isnan(values).all():
        return Labels.none(len(values))
    names = tuple(str(i) for i in range(int(np.nanmax(values)) + 1))
    return Labels((LabelColumn("class", "class", names),), values.reshape(-1, 1))


def _classes_beside(images: Path, count: int) -> np.ndarray:
    stem = images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    for file in (images.with_name(stem), images.with_name(stem + ".gz")):
        if file.is_file() and _begins_with(file, _CLASSES):
            with tempfile.TemporaryFile() as kept:
                _unpack(file, _CLASSES, kept, (count,))
                return mapped_bytes(kept).astype(np.float32)
    return np.full(count, np.nan, np.float32)


def _unpack(
    file: Path, magic: bytes, target: BinaryIO, wanted: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """Append the array in an IDX file to `target`, and return its shape."""
    try:
        with unpacked(file) as packed:
            dimensions = magic[3]
            shape = struct.unpack(f">{dimensions}I", packed.read(4 + 4 * dimensions)[4:])
            if wanted not in (None, shape):
                raise _damaged(file, f"{shape[0]} classes for {wanted[0]} images")
            if dimensions > 1 and not 0 < math.prod(shape[1:]) <= MAX_PIXELS:
                raise _damaged(file, f"images of {shape[1]}x{shape[2]}")
            size = math.prod(shape)
            found = copy(packed, target, size + 1)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise _damaged(file, str(error)) from None
    if found != size:
        raise _damaged(file, f"{f'more than {size}' if found > size else found} bytes for {shape}")
    return shape


def _begins_with(file: Path, magic: bytes) -> bool:
    try:
        with unpacked(file) as content:
            return content.read(4) == magic
    except (OSError, EOFError, zlib.error):
        return False


def _damaged(file: Path, found: str) -> DataError:
    return DataError(
        f"{file} is damaged: {found}", expected="a whole IDX file", fix="download it again"
    )

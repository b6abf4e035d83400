"""From the pictures that workers wrote to the arrays of a store."""

import contextlib
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

ROWS = "rows.tmp"
"""Folder inside a store that is being made, for the pictures of each task."""

_COPY_BYTES = 1 << 22


def arrange(
    rows: Path, folder: Path, parts: dict[str, np.ndarray], shape: tuple[int, int, int]
) -> None:
    """Deal pictures out to one array for each part, in one pass and constant memory.

    Args:
        rows: folder of files with the bytes of pictures, in the order of the files' names; it is
            removed.
        folder: gets the arrays.
        parts: the numbers of the pictures of each, in order, by the name of the array.
        shape: (H, W, C) of a picture.
    """
    row_bytes = math.prod(shape)
    with contextlib.ExitStack() as open_files:
        targets = {}
        for name, indices in parts.items():
            targets[name] = open_files.enter_context((folder / f"{name}.npy").open("wb"))
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(indices), *shape)}
            np.lib.format.write_array_header_1_0(targets[name], header)
        start = 0
        for content in _blocks(
            sorted(rows.iterdir()), max(1, _COPY_BYTES // row_bytes) * row_bytes
        ):
            pixels = np.frombuffer(content, np.uint8).reshape(-1, *shape)
            for name, indices in parts.items():
                first, last = np.searchsorted(indices, (start, start + len(pixels)))
                targets[name].write(pixels[indices[first:last] - start])
            start += len(pixels)
    shutil.rmtree(rows)


def _blocks(files: Iterable[Path], size: int) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            while block := file.read(size):
                yield block

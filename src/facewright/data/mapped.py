"""Arrays on disk, of which only the parts in use occupy memory."""

import contextlib
import math
import mmap
from pathlib import Path

import numpy as np

from facewright import outside
from facewright.errors import DataError
from facewright.machine import memory
from facewright.schema import Wording

DAMAGED = Wording(DataError, fix="the file from a copy, or made anew by what wrote it")
FEW_PAGES = 4
"""Of the system's memory; in larger rows reading on within the row is of use."""


def mapped(file: Path, *, shuffled: bool = False, cache: int | None = None) -> np.ndarray:
    """An array of a file.

    A system that expects neighbours to be read next reads up to megabytes of them for each
    row. If the file is larger than the memory, they are evicted before they are used. For such a
    file with small rows, the system is therefore advised to read no more than is asked for.

    Args:
        file: in numpy's format.
        shuffled: most rows will be read in a shuffled order, not one after the other.
        cache: bytes of the file that the system will keep in memory; half of the machine's
            memory if not given.

    Raises:
        FileNotFoundError: it is not there.
        DataError: it holds no such array.
    """
    outside.opened(file, DAMAGED).close()
    try:
        # Not `numpy.load`, which also opens archives and, if it may, pickles.
        array = np.lib.format.open_memmap(file, mode="r")
    except (OSError, ValueError, EOFError, OverflowError, TypeError) as error:
        cause = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DAMAGED.refusal(f"{file} holds no array: {cause}", "a whole .npy file") from None
    if cache is None:
        cache = memory() // 2
    small = math.prod(array.shape[1:]) * array.itemsize <= FEW_PAGES * mmap.PAGESIZE
    if shuffled and small and array.nbytes > cache:
        _read_no_neighbours(array)
    return array


def _read_no_neighbours(array: np.ndarray) -> None:
    """Advice, which not every system takes."""
    if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_RANDOM"):
        with contextlib.suppress(OSError):
            array.base.madvise(mmap.MADV_RANDOM)

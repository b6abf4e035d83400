"""Arrays on disk, of which only those parts in use occupy memory."""

import mmap
from pathlib import Path

import numpy as np

WARM = 4 << 30
"""Up to so many bytes a file is soon in the system's cache, and whatever is read along with
a row brings it there sooner. What is larger may not fit, and is read row by row."""


def mapped(file: Path, *, shuffled: bool = False, warm: int = WARM) -> np.ndarray:
    """An array of a file.

    A system that expects neighbours to be read next reads up to megabytes of them for each
    row. Of a file that memory cannot hold they are gone before they are wanted.

    Args:
        file: in numpy's format.
        shuffled: most rows will be read in a shuffled order, not one after the other.
        warm: bytes up to which the system may read what it likes all the same.

    Raises:
        OSError, ValueError, EOFError: there is no such array.
    """
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    advises = isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_RANDOM")
    if shuffled and advises and array.nbytes > warm:
        array.base.madvise(mmap.MADV_RANDOM)
    return array

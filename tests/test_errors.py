"""What the system refuses is said in full: found, expected, and what to try."""

import errno
import os

import pytest

from facewright.errors import is_out_of_memory, of_the_system


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EROFS, "another folder"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "another disk"),
        (errno.ENAMETOOLONG, "another path"),
    ],
)
def test_every_refusal_of_the_system_names_file_expectation_and_way_out(number, way_out):
    error = of_the_system(OSError(number, os.strerror(number), "faces.png"))
    assert error.what == f"faces.png: {os.strerror(number)}"
    assert error.expected
    assert way_out in error.fix


def test_memory_may_also_be_refused_by_number_or_by_a_library():
    assert is_out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert is_out_of_memory(RuntimeError("could not create a primitive"))
    assert not is_out_of_memory(OSError(errno.ENOSPC, "No space left on device"))

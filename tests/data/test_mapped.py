"""Rows of a large file are read without their neighbours."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from facewright.data.mapped import mapped


def flags_of(file: Path) -> list[str]:
    """What the system was told of the pages of a file."""
    maps = Path("/proc/self/smaps").read_text(encoding="utf-8")
    (part,) = re.findall(rf"{re.escape(str(file))}\n(.*?)VmFlags: ([^\n]*)", maps, re.DOTALL)
    return part[1].split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("shuffled", "warm", "row_by_row"),
    [(True, 10_000, False), (True, 100, True), (False, 100, False)],
)
def test_only_a_file_that_memory_may_not_hold_is_read_row_by_row(
    tmp_path: Path, shuffled: bool, warm: int, row_by_row: bool
) -> None:
    file = tmp_path / "rows.npy"
    rows = np.arange(1000, dtype=np.uint8).reshape(100, 10)
    np.save(file, rows)
    found = mapped(file, shuffled=shuffled, warm=warm)
    assert ("rr" in flags_of(file)) == row_by_row
    np.testing.assert_array_equal(found[[7, 3]], rows[[7, 3]])

"""Rows of a large file are read without their neighbours."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from facewright.data.mapped import mapped
from facewright.data.store import Store
from tests.stores import write_store


def flags_of(file: Path) -> list[str]:
    """What the system was told of the pages of a file."""
    maps = Path("/proc/self/smaps").read_text(encoding="utf-8")
    (part,) = re.findall(rf"{re.escape(str(file))}\n(.*?)VmFlags: ([^\n]*)", maps, re.DOTALL)
    return part[1].split()


pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what the system was told is read from /proc"
)


@pytest.mark.parametrize(
    ("shuffled", "side", "cache", "alone"),
    [
        (True, 28, 100, True),
        (True, 64, 100, True),
        (True, 28, 10**6, False),
        (True, 256, 100, False),  # 49 pages, which are better read together
        (False, 28, 100, False),
    ],
)
def test_small_rows_of_what_memory_cannot_hold_are_read_without_their_neighbours(
    tmp_path: Path, shuffled: bool, side: int, cache: int, alone: bool
) -> None:
    file = tmp_path / "rows.npy"
    rows = np.random.default_rng(0).integers(256, size=(9, side, side, 3), dtype=np.uint8)
    np.save(file, rows)
    found = mapped(file, shuffled=shuffled, cache=cache)
    assert ("rr" in flags_of(file)) == alone
    np.testing.assert_array_equal(found[[7, 3]], rows[[7, 3]])


@pytest.mark.parametrize(("size", "alone"), [(2000, True), (10**9, False)])
def test_of_a_store_it_is_the_photos_to_train_on(tmp_path, monkeypatch, size, alone):
    path = write_store(tmp_path / "store", count=40)
    monkeypatch.setattr("facewright.data.mapped.memory", lambda: size)
    store = Store.open(path)
    assert ("rr" in flags_of(path / "train.npy")) == alone
    assert "rr" not in flags_of(path / "val.npy")
    assert len(store.train) + len(store.val) == 40


def test_a_system_that_takes_no_advice_reads_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("facewright.data.mapped.mmap.MADV_RANDOM", -1)
    file = tmp_path / "rows.npy"
    np.save(file, np.arange(10, dtype=np.uint8))
    assert mapped(file, shuffled=True, cache=0)[3] == 3

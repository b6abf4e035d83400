"""Photos in use that are overwritten are noticed; those that are only moved are still there."""

import os
import shutil

import numpy as np
import pytest

from facewright.data.store import Store
from facewright.data.store_watch import StoreChangedError, StoreWatch
from tests.stores import write_store


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(write_store(tmp_path / "store"))


def overwritten(store: Store) -> None:
    np.save(store.path / "train.npy", 255 - np.array(store.train))


def truncated(store: Store) -> None:
    os.truncate(store.path / "val.npy", 200)


def replaced(store: Store) -> None:
    shutil.move(store.path, store.path.with_name("former"))
    write_store(store.path, count=200)


def labelled_anew(store: Store) -> None:
    np.save(store.path / "labels.npy", 1 - np.array(store.labels))


@pytest.mark.parametrize("change", [overwritten, truncated, replaced, labelled_anew])
def test_what_is_written_to_a_store_is_seen_at_once(change, store):
    watch = StoreWatch(store)
    watch.look()
    change(store)
    with pytest.raises(StoreChangedError, match="overwritten") as refusal:
        watch.look()
    assert store.content_hash[:12] in refusal.value.expected


def test_a_write_that_leaves_the_files_times_alone_is_seen_in_the_photos(store):
    watch = StoreWatch(store)
    file = store.path / "train.npy"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    pixels = np.load(file, mmap_mode="r+")
    pixels[:] = 255 - pixels
    pixels.flush()
    os.utime(file, ns=times)
    watch.look()
    with pytest.raises(StoreChangedError):
        watch.compare()


def test_the_same_bytes_with_another_time_are_the_same_photos(store):
    watch = StoreWatch(store)
    os.utime(store.path / "train.npy", ns=(1, 1))
    watch.compare()


@pytest.mark.parametrize("away", [lambda path: path.rename(path.parent / "new"), shutil.rmtree])
def test_a_store_that_is_moved_or_removed_is_still_there(away, store, caplog):
    watch = StoreWatch(store)
    away(store.path)
    watch.look()
    watch.compare()
    assert caplog.text.count("moved or removed") == 1

"""What a store promises to those who train on it."""

import json
import pickle
import shutil

import numpy as np
import pytest

from facewright.data.store import FORMAT, Store, content_hash
from facewright.errors import DataError
from tests.stores import write_store


@pytest.fixture
def folder(tmp_path):
    return write_store(tmp_path / "store", count=20, size=8, labelled=False)


def edit_manifest(folder, **changes) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_pixels_are_mapped_and_not_read(folder):
    store = Store.open(folder)
    assert isinstance(store.train, np.memmap)
    assert store.train.dtype == store.val.dtype == np.uint8
    assert not store.train.flags.writeable
    assert store.shape == (3, 8, 8)
    assert store.labels is None


def test_plain_numpy_opens_it_too(folder):
    np.testing.assert_array_equal(
        np.load(folder / "train.npy", mmap_mode="r"), Store.open(folder).train
    )


def test_another_process_is_sent_the_folder_and_no_pixels(tmp_path):
    store = Store.open(write_store(tmp_path / "store", count=200))
    sent = pickle.dumps(store)
    assert len(sent) < 1000 < store.train.nbytes
    received = pickle.loads(sent)
    assert isinstance(received.train, np.memmap)
    np.testing.assert_array_equal(received.train, store.train)
    assert received.manifest == store.manifest


def test_an_untouched_store_is_verified(folder):
    Store.open(folder).verify()


@pytest.mark.parametrize("name", ["train", "val"])
def test_one_changed_pixel_is_noticed(folder, name):
    pixels = np.load(folder / f"{name}.npy", mmap_mode="r+")
    pixels[-1, -1, -1, -1] ^= 1
    pixels.flush()
    with pytest.raises(DataError, match="was changed after it was written"):
        Store.open(folder).verify()


def test_one_changed_label_is_noticed(folder):
    np.save(folder / "labels.npy", np.zeros((20, 1), np.float32))
    edit_manifest(folder, labels=[{"name": "age", "kind": "number"}])
    edit_manifest(folder, content_hash=content_hash(folder))
    Store.open(folder).verify()
    labels = np.load(folder / "labels.npy")
    labels[3] = 1
    np.save(folder / "labels.npy", labels)
    with pytest.raises(DataError, match="was changed"):
        Store.open(folder).verify()


def test_the_same_bytes_in_another_shape_have_another_hash(folder):
    before = content_hash(folder)
    np.save(folder / "val.npy", np.load(folder / "val.npy").reshape(5, 4, 16, 3))
    assert content_hash(folder) != before


def test_an_empty_validation_part_is_allowed(folder):
    np.save(folder / "val.npy", np.zeros((0, 8, 8, 3), np.uint8))
    edit_manifest(folder, counts={"train": 15, "val": 0})
    edit_manifest(folder, content_hash=content_hash(folder))
    store = Store.open(folder)
    store.verify()
    assert len(store.val) == 0


def test_a_missing_folder_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist") as caught:
        Store.open(tmp_path / "nowhere")
    assert caught.value.fix.startswith("facewright prepare ")


def test_a_foreign_folder_is_no_store_but_may_hold_photos(tmp_path):
    with pytest.raises(DataError, match="is no training store") as caught:
        Store.open(tmp_path)
    assert caught.value.fix == f"facewright prepare {tmp_path} --out stores/NAME --size 28"
    (tmp_path / "manifest.json").write_text("[1, 2]")
    with pytest.raises(DataError, match="is no training store"):
        Store.open(tmp_path)


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is no training store"):
        Store.open(tmp_path / "file")


def test_another_format_is_refused(folder):
    edit_manifest(folder, format="facewright-store-99")
    with pytest.raises(DataError, match="has the format facewright-store-99") as caught:
        Store.open(folder)
    assert caught.value.expected == FORMAT


def test_a_missing_array_is_named(folder):
    (folder / "val.npy").unlink()
    with pytest.raises(DataError, match=r"val\.npy is missing"):
        Store.open(folder)


@pytest.mark.parametrize("kept", [0, 20, 1000])
def test_a_truncated_array_is_named(folder, kept):
    content = (folder / "train.npy").read_bytes()
    (folder / "train.npy").write_bytes(content[:kept])
    with pytest.raises(DataError, match=r"train\.npy holds no array"):
        Store.open(folder)


def test_an_array_of_another_store_is_named(folder, tmp_path):
    other = write_store(tmp_path / "other", count=28, size=8)
    shutil.copy(other / "train.npy", folder)
    with pytest.raises(DataError, match=r"train\.npy has shape \(21, 8, 8, 3\)"):
        Store.open(folder)


def test_pixels_of_another_type_are_refused(folder):
    np.save(folder / "val.npy", np.load(folder / "val.npy").astype(np.float32))
    with pytest.raises(DataError, match=r"val\.npy has type float32"):
        Store.open(folder)


def test_a_pickled_array_is_not_loaded(folder):
    np.save(folder / "val.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"val\.npy holds no array"):
        Store.open(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": "28x28"}, r"manifest\.json\.size = '28x28'"),
        ({"channels": 0}, r"manifest\.json\.channels = 0(.|\n)*one of 1, 3"),
        ({"counts": {"train": "18", "val": 1}}, r"manifest\.json\.counts\.train = '18'"),
        ({"labels": [{"kind": "binary"}]}, r"manifest\.json\.labels\[0\] lacks name"),
        ({"labels": [{"name": "a", "kind": "bin"}]}, "did you mean 'binary'"),
    ],
)
def test_an_entry_of_the_wrong_type_is_named(folder, change, said):
    edit_manifest(folder, **change)
    with pytest.raises(DataError, match=said):
        Store.open(folder)


def test_a_damaged_manifest_is_named(folder):
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match=r"manifest\.json is no JSON"):
        Store.open(folder)
    write_store(folder.parent / "b", count=20, size=8)
    (folder.parent / "b" / "manifest.json").write_text(json.dumps({"format": FORMAT, "labels": []}))
    with pytest.raises(DataError, match=r"lacks channels, content_hash, counts, size"):
        Store.open(folder.parent / "b")


CLASSES = {"kind": "class", "classes": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ({"kind": "number"}, np.inf, r"labels\.npy has inf in age(.|\n)*finite"),
        ({"kind": "binary"}, 2, r"has 2 in age(.|\n)*0 and 1"),
        (CLASSES, 3, r"has 3 in age(.|\n)*0 to 2"),
        (CLASSES, -1, r"has -1 in age"),
        (CLASSES, 0.5, r"has 0\.5 in age"),
    ],
)
def test_a_label_that_its_column_cannot_hold_is_named(folder, column, value, said):
    labels = np.full((20, 1), np.nan, np.float32)
    labels[3] = value
    np.save(folder / "labels.npy", labels)
    edit_manifest(folder, labels=[{"name": "age", **column}])
    with pytest.raises(DataError, match=said):
        Store.open(folder)


@pytest.mark.parametrize(("column", "value"), [({"kind": "binary"}, 1), (CLASSES, 2)])
def test_the_last_value_of_a_column_and_an_unknown_one_are_read(folder, column, value):
    labels = np.full((20, 1), np.nan, np.float32)
    labels[3] = value
    np.save(folder / "labels.npy", labels)
    edit_manifest(folder, labels=[{"name": "age", **column}])
    assert Store.open(folder).labels is not None

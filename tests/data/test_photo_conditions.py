"""The condition vectors of a store's photos: the right columns, rows and meaning."""

import numpy as np
import pytest

from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.errors import ConfigError
from tests.stores import write_photos, write_store


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(write_store(tmp_path / "blobs", count=48))


def test_each_photo_has_its_own_labels_in_the_order_asked_for(store):
    known = PhotoConditions.of(store, ["quarter", "reddish"])
    assert store.labels is not None
    reddish, quarter = store.labels[:, 0], store.labels[:, 1]
    for rows, part in ((known.train, slice(0, 36)), (known.val, slice(36, 48))):
        assert len(rows) == len(reddish[part])
        found = rows[slice(None)] * np.sqrt(2)
        assert found[:, :4].argmax(dim=1).tolist() == quarter[part].tolist()
        expected = np.nan_to_num(2 * reddish[part] - 1)
        np.testing.assert_allclose(found[:, 4], expected, rtol=1e-6)


def test_rows_can_be_asked_for_in_any_order(store):
    rows = PhotoConditions.of(store, ["reddish"]).train
    assert rows[np.array([3, 1])].tolist() == [rows[slice(3, 4)].tolist()[0], rows[1:2].tolist()[0]]


def test_how_often_labels_occur_is_that_of_the_photos_trained_on(store):
    known = PhotoConditions.of(store, ["quarter"])
    assert store.labels is not None
    counts = np.bincount(store.labels[:36, 1].astype(int), minlength=4)
    assert known.meaning.counts.tolist() == counts[counts > 0].tolist()


def test_without_labels_the_vectors_have_no_length(store):
    known = PhotoConditions.of(store, ())
    assert known.train[slice(None)].shape == (36, 0)
    assert known.val[slice(None)].shape == (12, 0)


def test_another_stores_photos_are_refused_where_their_labels_mean_something_else(store, tmp_path):
    meaning = PhotoConditions.of(store, ["quarter"]).meaning
    assert PhotoConditions.for_model(store, meaning).meaning.labels == meaning.labels
    fewer = {"quarter": np.arange(16) % 3}
    other = Store.open(write_photos(tmp_path / "other", np.zeros((16, 16, 16, 3)), fewer))
    with pytest.raises(ConfigError, match="'quarter' is one of 0, 1, 2") as refusal:
        PhotoConditions.for_model(other, meaning)
    assert refusal.value.expected == "one of 0, 1, 2, 3, as in the model's training"


@pytest.mark.parametrize(("fewest", "asks"), [(9, False), (10, True), (0, False)])
def test_labels_with_few_photos_for_each_class_are_a_question(store, fewest, asks):
    """36 photos of four quarters are nine of each, on average."""
    known = PhotoConditions.of(store, ["reddish", "quarter"])
    if not asks:
        known.refuse_rare_classes(fewest)
        return
    with pytest.raises(ConfigError, match="'quarter' has 4 classes on 36 photos") as refused:
        known.refuse_rare_classes(fewest)
    assert refused.value.fix.endswith("--set data.class_photos=0")


def test_only_classes_that_occur_and_photos_that_are_known_count(tmp_path):
    age = np.arange(64) % 5.0 + 10
    age[::2] = np.nan  # 24 training photos are left for 5 of 15 classes
    store = Store.open(write_photos(tmp_path / "s", np.zeros((64, 4, 4, 3)), {"age": age}))
    known = PhotoConditions.of(store, ["age"])
    known.refuse_rare_classes(4)
    with pytest.raises(ConfigError, match="5 classes on 24 photos"):
        known.refuse_rare_classes(5)

"""A store is looked at, whoever made it."""

import json
from pathlib import Path

import pytest
from PIL import Image

import facewright
from facewright.cli.look import shown
from facewright.cli.main import main
from facewright.errors import DataError
from tests.data.drawings import encoded, picture, write_pictures
from tests.stores import write_store


@pytest.fixture
def store(tmp_path) -> Path:
    photos = write_pictures(tmp_path / "photos", 40)
    (photos / "one.png").write_bytes(encoded(picture(0, (1, 1))))
    facewright.prepare(str(photos), out=tmp_path / "s", size=16, workers=1)
    return tmp_path / "s"


def height(sheet: Path) -> int:
    with Image.open(sheet) as image:
        return image.height


def test_the_sheet_lies_in_the_store_unless_it_is_wanted_elsewhere(store, tmp_path):
    first = (store / "preview.png").read_bytes()
    (store / "preview.png").unlink()
    assert facewright.look(store).sheet == store / "preview.png"
    assert (store / "preview.png").read_bytes() == first
    looked = facewright.look(store, out=tmp_path / "more" / "x.png", count=40, seed=1)
    assert looked.sheet == tmp_path / "more" / "x.png"
    assert height(looked.sheet) > height(store / "preview.png")
    assert (store / "preview.png").read_bytes() == first


def test_looking_changes_nothing_that_training_reads(store):
    before = facewright.look(store, seed=3).store
    before.verify()
    assert facewright.look(store).store.content_hash == before.content_hash


def test_what_is_known_of_the_store_is_said(store, capsys):
    looked = facewright.look(store)
    said = str(shown(looked)).splitlines()
    assert said[0] == f"look at this: {store / 'preview.png'}"
    assert said[1].startswith(f"{store}: ")
    assert said[1].endswith(" held out, 16x16x3")
    assert "1 set aside: too small" in said
    assert main(["look", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sheet"] == str(store / "preview.png")
    assert told["counts"]["quarantined"] == 1
    assert "1 set aside: too small" in told["remarks"]


def test_a_store_that_tells_nothing_of_its_photos_can_be_looked_at(tmp_path):
    looked = facewright.look(write_store(tmp_path / "s", size=28))
    assert looked.remarks == []
    assert looked.sheet.is_file()


@pytest.mark.parametrize(
    ("key", "value"),
    [("quarantined", 7), ("quarantined", [["x"]]), ("notes", [None]), ("notes", {"a": 1})],
)
def test_a_manifest_of_another_form_is_refused(store, key, value):
    path = store / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(DataError, match=key) as caught:
        facewright.look(store)
    assert "facewright prepare" in caught.value.fix


@pytest.mark.parametrize("count", [0, -1, 257])
def test_a_count_out_of_range_is_refused(store, count):
    with pytest.raises(DataError, match=f"--count {count}"):
        facewright.look(store, count=count)


def test_a_place_that_cannot_be_written_is_refused_with_a_way_out(store, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written") as caught:
        facewright.look(store, out=tmp_path / "file" / "x.png")
    assert caught.value.fix == "--out sheet.png"


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(DataError, match="no training store"):
        facewright.look(tmp_path)


def test_the_sheets_of_a_store_are_not_taken_for_photos(store, tmp_path):
    with pytest.raises(DataError, match="no photos in s; 1 x a training store"):
        facewright.prepare(str(store), out=tmp_path / "t", size=16, workers=1)
    around = facewright.prepare(str(tmp_path), out=tmp_path / "t", size=16, workers=1).store
    assert around.manifest["counts"]["train"] + around.manifest["counts"]["val"] == 40
    reasons = [entry["reason"] for entry in around.manifest["quarantined"]]
    assert sorted(reasons) == ["a training store", "too small"]

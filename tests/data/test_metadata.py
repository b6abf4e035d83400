"""metadata.csv and metadata.jsonl beside photos."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from tests.data.drawings import write_pictures
from tests.data.test_sources import column, kinds, zipped

ROWS = [{"file_name": "001.png", "age": 5, "mood": "calm"},
        {"file_name": "000.png", "age": 6, "mood": None}]  # fmt: skip


def write_metadata(folder: Path, form: str, rows=ROWS) -> None:
    path = folder / f"metadata.{form}"
    if form == "csv":
        lines = [",".join(str(cell or "") for cell in row.values()) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines]))
    elif form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)


def found(path: Path) -> Source:
    return find_source(str(path), size=(8, 8))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("packed", [False, True])
def test_metadata_beside_photos_become_their_labels(tmp_path, form, packed):
    root = write_pictures(tmp_path / "d", 2)
    write_metadata(root, form)
    source = found(zipped(tmp_path / "d.zip", root) if packed else root)
    assert list(source.names) == ["000.png", "001.png"]
    assert column(source, "age") == [6, 5]
    assert column(source, "mood") == [None, 0]
    assert kinds(source) == {"age": "number", "mood": "class"}
    assert source.notes == (f"metadata.{form}: photos are named by file_name",)


def test_each_split_has_metadata_of_its_own(tmp_path):
    for split, age in (("train", 20), ("test", 40)):
        root = write_pictures(tmp_path / split, 2)
        write_metadata(root, "csv", [{**row, "age": age + i} for i, row in enumerate(ROWS)])
    source = found(tmp_path)
    ages = dict(zip(source.names, column(source, "age"), strict=True))
    assert ages == {
        "test/000.png": 41, "test/001.png": 40, "train/000.png": 21, "train/001.png": 20,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["file_name,age\nother.png,3\n", "{", "", "file_name\n000.png\n"])
def test_metadata_that_say_nothing_cost_no_photo_and_are_mentioned(tmp_path, text):
    root = write_pictures(tmp_path / "d", 2)
    (root / "metadata.csv").write_text(text)
    source = found(root)
    assert not source.labels.columns
    assert "000.png" in source.names
    assert any(note.startswith("no labels from metadata.csv: ") for note in source.notes)

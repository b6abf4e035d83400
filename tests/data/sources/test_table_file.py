"""Arrow folders, as `save_to_disk` writes them, are read as parquet files are."""

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facewright.data.image_files import read_pictures
from facewright.data.photo import Unusable, decode
from facewright.data.prepare import StoreSpec, prepare
from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from facewright.errors import DataError
from tests.data.drawings import encoded, picture


def found(path: Path) -> Source:
    return find_source(str(path), size=(16, 16))


def table(count: int, first: int = 0) -> pa.Table:
    images = [{"bytes": encoded(picture(first + i)), "path": None} for i in range(count)]
    cells = {"image": images, "label": [i % 2 for i in range(count)]}
    features = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    return pa.table(cells).replace_schema_metadata({b"huggingface": json.dumps(features).encode()})


def write_arrow(path: Path, rows: pa.Table, *, stream: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), rows.schema) as writer:
        writer.write_table(rows, max_chunksize=2)
    return path


def save_to_disk(folder: Path, *parts: pa.Table) -> Path:
    """What the datasets library leaves in a folder."""
    for i, rows in enumerate(parts):
        write_arrow(folder / f"data-{i:05d}-of-{len(parts):05d}.arrow", rows)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text('{"_split": "train"}')
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_of_save_to_disk_is_read_with_its_classes(tmp_path, workers):
    source = found(save_to_disk(tmp_path / "d", table(5), table(3, 5)))
    assert source.names[6] == "data-00001-of-00002.arrow:000001"
    for i, address in enumerate(source.addresses):
        np.testing.assert_array_equal(decode(source.read(address)), picture(i))
    assert source.labels.columns[0].classes == ("cat", "dog")
    assert source.labels.values.ravel().tolist() == [0, 1, 0, 1, 0, 0, 1, 0]
    store, _ = prepare(source, tmp_path / "s", StoreSpec((16, 16)), workers=workers)
    assert len(store.train) + len(store.val) == 8


def test_such_a_folder_is_no_checkpoint_and_can_be_measured(tmp_path):
    from facewright.models.open_model import kind_of

    folder = save_to_disk(tmp_path / "d", table(4))
    assert kind_of(folder) is None
    assert read_pictures(folder, channels=3).shape == (4, 60, 60, 3)


@pytest.mark.parametrize("stream", [True, False])
def test_a_single_arrow_file_may_have_any_name(tmp_path, stream):
    path = write_arrow(tmp_path / "faces", table(3), stream=stream)
    assert len(found(path).names) == 3


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_an_arrow_file_that_is_cut_off_is_refused(tmp_path, keep):
    path = write_arrow(tmp_path / "a.arrow", table(6))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(DataError, match=r"a\.arrow cannot be read") as caught:
        found(path)
    assert caught.value.fix


def test_an_offset_that_leads_nowhere_is_not_followed(tmp_path):
    path = write_arrow(tmp_path / "a.arrow", pa.table({"image": [b"hello", b"you"]}))
    content = path.read_bytes()
    assert content.count(struct.pack("<3i", 0, 5, 8)) == 1
    path.write_bytes(
        content.replace(struct.pack("<3i", 0, 5, 8), struct.pack("<3i", 0, 5, 1 << 30))
    )
    source = found(path)
    with pytest.raises(Unusable, match="unreadable"):
        source.read(source.addresses[1])


def test_words_in_place_of_an_image_are_set_aside(tmp_path):
    cells = pa.array([{"bytes": "hello", "path": None}])
    source = found(write_arrow(tmp_path / "a.arrow", pa.table({"image": cells})))
    with pytest.raises(Unusable, match="no image in the row"):
        source.read(source.addresses[0])


def test_any_bytes_in_place_of_a_schema_are_refused(tmp_path):
    (tmp_path / "a.arrow").write_bytes(b"\xff\xff\xff\xff" + bytes(range(256)) * 8)
    with pytest.raises(DataError, match="cannot be read"):
        found(tmp_path / "a.arrow")

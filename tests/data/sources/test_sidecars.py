"""Labels that lie among the photos are found, whatever container holds both."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewright.data.image_files import read_pictures
from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from facewright.errors import DataError
from tests.data.drawings import encoded, picture

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"


def found(path: Path) -> Source:
    return find_source(str(path), size=(28, 28))


def column(source: Source, name: str) -> list[float | None]:
    i = [c.name for c in source.labels.columns].index(name)
    return [None if np.isnan(v) else float(v) for v in source.labels.values[:, i]]


def kinds(source: Source) -> dict[str, str]:
    return {c.name: c.kind for c in source.labels.columns}


def folder_of(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, members: dict[str, bytes], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


def packed_tar_of(path: Path, members: dict[str, bytes]) -> Path:
    return tar_of(path, members, "w:gz")


CONTAINERS = [folder_of, zip_of, tar_of, packed_tar_of]


def photos(count: int, pattern: str = "00000/img{:08d}.png") -> dict[str, bytes]:
    return {pattern.format(i): encoded(picture(i)) for i in range(count)}


def index(*labels: Any) -> bytes:
    entries = [[f"00000/img{i:08d}.png", label] for i, label in enumerate(labels)]
    return json.dumps({"labels": entries}).encode()


# StyleGAN


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("above", ["", "faces/"])
def test_styleGANs_index_labels_the_photos_of_any_container(tmp_path, container, above):
    members = photos(4, "00000/img{:08d}.png") | {"dataset.json": index(10, 2, 10, 0)}
    path = container(tmp_path / "sg", {f"{above}{name}": part for name, part in members.items()})
    source = found(path)
    assert (source.kind, len(source.names)) == ("stylegan", 4)
    assert source.labels.columns[0].classes == ("0", "2", "10")
    assert column(source, "class") == [2, 1, 2, 0]
    assert kinds(source) == {"class": "class"}
    assert source.notes == ()
    assert read_pictures(path, channels=3).shape == (4, 60, 60, 3)


def test_lists_in_styleGANs_index_are_numbers(tmp_path):
    path = zip_of(tmp_path / "a", photos(2) | {"dataset.json": index([0.5, 1], [2, float("nan")])})
    source = found(path)
    assert column(source, "label_0") == [0.5, 2]
    assert column(source, "label_1") == [1, None]


def test_an_index_without_labels_is_no_photo(tmp_path):
    path = zip_of(tmp_path / "a", photos(2) | {"dataset.json": b'{"labels": null}'})
    source = found(path)
    assert source.labels.columns == ()
    assert len(source.names) == 2


def test_what_an_index_leaves_out_is_counted(tmp_path):
    members = photos(3) | {"dataset.json": index(1, 2)[:-2] + b', ["gone.png", 3]]}'}
    source = found(zip_of(tmp_path / "a", members))
    assert column(source, "class") == [0, 1, None]
    assert source.notes == (
        "1 photos are not in dataset.json, their labels are unknown",
        "1 lines of dataset.json name no photo, or one that an earlier line names",
    )


@pytest.mark.parametrize(
    "labels",
    ["7", "[7]", '[["a", 1, 2]]', '[[1, 1]]', '[["00000/img00000000.png", "x"]]',
     '[["00000/img00000000.png", 0.5]]', '[["00000/img00000000.png", true]]',
     '[["00000/img00000000.png", []]]',
     '[["00000/img00000000.png", [1]], ["00000/img00000001.png", [1, 2]]]'],
)  # fmt: skip
def test_a_damaged_index_is_refused(tmp_path, labels):
    content = f'{{"labels": {labels}}}'.encode()
    with pytest.raises(DataError, match=r"dataset\.json in a") as caught:
        found(zip_of(tmp_path / "a", photos(2) | {"dataset.json": content}))
    assert caught.value.expected
    assert "remove dataset.json" in caught.value.fix


@pytest.mark.parametrize("content", [b"[]", b"{}", b"{", b"[" * 100_000, b"9" * 5000, b""])
def test_another_file_of_that_name_is_no_index(tmp_path, content):
    source = found(zip_of(tmp_path / "a", photos(2) | {"dataset.json": content}))
    assert source.kind == "photos"
    assert "dataset.json" in source.names  # and will be set aside, as no image


# WebDataset


def samples(count: int) -> dict[str, bytes]:
    members = {}
    for i in range(count):
        about = {"age": i / 2, "smile": i % 2 == 0, "mood": "ab"[i % 2], "box": [1, 2], "no": None}
        members[f"{i:08d}.jpg"] = encoded(picture(i), "JPEG")
        members[f"{i:08d}.json"] = json.dumps(about).encode()
        members[f"{i:08d}.cls"] = str(10 - i).encode()
        members[f"{i:08d}.txt"] = b"a face"
        members[f"{i:08d}.seg.png"] = encoded(picture(100 + i))
    return members


@pytest.mark.parametrize("container", CONTAINERS)
def test_members_of_a_photos_name_are_its_labels(tmp_path, container):
    path = container(tmp_path / "a", samples(4))
    source = found(path)
    assert list(source.names) == [f"{i:08d}.jpg" for i in range(4)]
    assert column(source, "age") == [0, 0.5, 1, 1.5]
    assert column(source, "smile") == [1, 0, 1, 0]
    assert column(source, "mood") == [0, 1, 0, 1]
    assert source.labels.columns[-1].classes == ("7", "8", "9", "10")
    assert column(source, "class") == [3, 2, 1, 0]
    assert kinds(source) == {"age": "number", "smile": "binary", "mood": "class", "class": "class"}
    assert set(source.notes) == {
        "column box is no label that can be stored",
        "column no is no label that can be stored",
        "4 .txt beside photos are no labels",
        "4 .seg.png beside photos are no labels",
    }
    assert read_pictures(path, channels=3).shape == (4, 60, 60, 3)


def test_shards_are_one_set_and_no_label(tmp_path):
    all_of_them = sorted(samples(6).items())
    for shard in (0, 1):
        half = dict(all_of_them[15 * shard : 15 * (shard + 1)])
        tar_of(tmp_path / f"faces-{shard:06d}.tar", half)
    source = found(tmp_path)
    assert len(source.names) == 6
    assert column(source, "age") == [0, 0.5, 1, 1.5, 2, 2.5]
    assert "folder" not in kinds(source)


def test_shards_that_each_count_from_zero_keep_their_own_labels(tmp_path):
    for shard in (0, 1):
        members = {"0.jpg": encoded(picture(shard)), "0.json": json.dumps({"age": shard}).encode()}
        tar_of(tmp_path / f"faces-{shard:06d}.tar", members)
    source = found(tmp_path)
    assert list(source.names) == ["faces-000000.tar:0.jpg", "faces-000001.tar:0.jpg"]
    assert column(source, "age") == [0, 1]
    assert source.read(source.addresses[1]) == encoded(picture(1))


@pytest.mark.parametrize("content", [b"[]", b"{", b"[" * 100_000, b'{"age": ' + b"9" * 5000 + b"}"])
def test_a_damaged_member_costs_the_labels_of_one_photo(tmp_path, content):
    members = {name: part for name, part in samples(4).items() if name.endswith(("jpg", "json"))}
    source = found(zip_of(tmp_path / "a", members | {"00000001.json": content}))
    assert column(source, "age") == [0, None, 1, 1.5]
    assert "1 .json are damaged, their labels are unknown" in source.notes


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1e999", "1" + "0" * 400, "1e39"])
def test_numbers_that_a_label_cannot_hold_are_unknown(tmp_path, value):
    members = photos(2, "{}.png") | {
        "0.json": f'{{"age": {value}}}'.encode(),
        "1.json": b'{"age": 2}',
    }
    assert column(found(zip_of(tmp_path / "a", members)), "age") == [None, 2]


def test_a_class_that_is_no_number_is_unknown(tmp_path):
    members = photos(2, "{}.png") | {"0.cls": b"x", "1.cls": b" 3\n"}
    assert column(found(zip_of(tmp_path / "a", members)), "class") == [None, 0]


def test_columns_beyond_any_use_are_left_out(tmp_path):
    many = {f"c{i:03d}": i for i in range(300)}
    members = photos(1, "{}.png") | {"0.json": json.dumps(many).encode()}
    source = found(zip_of(tmp_path / "a", members))
    assert len(source.labels.columns) == 256
    assert "44 columns beyond 256 are left out" in source.notes


def test_a_few_notes_beside_photos_are_no_data_set(tmp_path):
    members = photos(3, "{}.png") | {"0.json": b'{"age": 3}', "about.txt": b"mine"}
    source = found(folder_of(tmp_path / "a", members))
    assert source.labels.columns == ()
    assert {"0.json", "about.txt"} <= set(source.names)


def test_folders_are_a_label_as_without_members_beside(tmp_path):
    members = photos(2, "glad/{}.png") | photos(2, "sad/{}.png")
    members |= {name.replace("png", "txt"): b"a face" for name in members}
    source = found(folder_of(tmp_path / "a", members))
    assert column(source, "folder") == [0, 0, 1, 1]


# the cases of the field


@pytest.mark.parametrize(
    ("case", "count", "labels"),
    [
        ("wds", 40, {"age": "number", "class": "class"}),
        ("sg.zip", 40, {"class": "class"}),
        ("samples_100x64x64x3.npz", 100, {}),
    ],
)
def test_the_cases_of_the_field_are_read(case, count, labels):
    if not (CASES / case).exists():
        pytest.skip(f"no cases at {CASES}")
    source = found(CASES / case)
    assert len(source.names) == count
    assert kinds(source) == labels
    assert read_pictures(CASES / case, channels=3).shape == (count, 64, 64, 3)

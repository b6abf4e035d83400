"""Every form that collections of faces come in."""

import gzip
import json
import os
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facewright.data.drawn import ATTRIBUTES, draw
from facewright.data.photo import Unusable, decode
from facewright.data.sources import find, idx, parquet
from facewright.data.sources.find import find_source
from facewright.data.sources.source import Source
from facewright.errors import DataError, MissingExtraError
from tests.data.drawings import encoded, picture, write_pictures

FRAME = (178, 218)


def found(path: Path | str, **options) -> Source:
    return find_source(str(path), size=(28, 28), **options)


def column(source: Source, name: str) -> list[float | None]:
    i = [c.name for c in source.labels.columns].index(name)
    return [None if np.isnan(v) else float(v) for v in source.labels.values[:, i]]


def kinds(source: Source) -> dict[str, str]:
    return {c.name: c.kind for c in source.labels.columns}


# CelebA

TABLES = {
    "list_attr_celeba": "3\nBald Smiling \n000001.jpg -1  1\n000002.jpg  1 -1\n000003.jpg  1  1\n",
    "list_eval_partition": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    "list_landmarks_align_celeba": "3\nlefteye_x lefteye_y\n000001.jpg 69 109\n000002.jpg 70 111\n",
    "list_bbox_celeba": "3\nimage_id x_1 y_1\n000001.jpg 95  71\n000003.jpg 1 2\n",
    "identity_CelebA": "000001.jpg 2880\n000002.jpg 17\n000003.jpg 2880\n",
}


def write_tables(folder: Path, suffix: str = "txt") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TABLES.items():
        if suffix == "csv":
            lines = [line for line in text.splitlines() if not line.isdigit()]
            if "." not in lines[0].split()[0] and not lines[0].startswith("image_id"):
                lines[0] = f"image_id {lines[0]}"
            elif "." in lines[0].split()[0]:
                lines.insert(0, "image_id value")
            text = "".join(",".join(line.split()) + "\n" for line in lines)
        (folder / f"{name}.{suffix}").write_text(text)


def write_photos(folder: Path, suffix: str = "jpg") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in (1, 2, 3):
        picture(i, FRAME).save(folder / f"{i:06d}.{suffix}")


def zipped(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def as_one_folder(root: Path) -> Path:
    write_photos(root / "c" / "img_align_celeba")
    write_tables(root / "c")
    return root / "c"


def as_kaggle(root: Path) -> Path:
    write_photos(root / "k" / "img_align_celeba" / "img_align_celeba")
    write_tables(root / "k", "csv")
    return root / "k"


def as_photos_with_tables_beside(root: Path) -> Path:
    as_one_folder(root)
    return root / "c" / "img_align_celeba"


def as_one_zip(root: Path) -> Path:
    return zipped(root / "any-name.zip", as_one_folder(root))


def as_zip_with_tables_beside(root: Path) -> Path:
    write_photos(root / "z" / "img_align_celeba")
    write_tables(root)
    return zipped(root / "img_align_celeba.zip", root / "z")


def as_downloaded(root: Path) -> Path:
    write_photos(root / "unzipped" / "img_align_celeba")
    (root / "CelebA" / "Img").mkdir(parents=True)
    zipped(root / "CelebA" / "Img" / "img_align_celeba.zip", root / "unzipped")
    write_tables(root / "CelebA" / "Anno")
    return root / "CelebA"


def as_png_edition(root: Path) -> Path:
    write_photos(root / "p" / "img_align_celeba_png", "png")
    write_tables(root / "p")
    return root / "p"


def as_kaggles_inner_folder(root: Path) -> Path:
    return as_kaggle(root) / "img_align_celeba" / "img_align_celeba"


def as_kaggles_outer_folder(root: Path) -> Path:
    return as_kaggle(root) / "img_align_celeba"


def as_unpacked(root: Path) -> Path:
    """The official layout: Img, Anno and Eval."""
    write_photos(root / "CelebA" / "Img" / "img_align_celeba")
    write_tables(root / "CelebA" / "Anno")
    (root / "CelebA" / "Eval").mkdir()
    table = "list_eval_partition.txt"
    (root / "CelebA" / "Anno" / table).rename(root / "CelebA" / "Eval" / table)
    return root / "CelebA"


def as_unpacked_img(root: Path) -> Path:
    return as_unpacked(root) / "Img"


def as_unpacked_photos(root: Path) -> Path:
    return as_unpacked(root) / "Img" / "img_align_celeba"


def as_downloaded_zip(root: Path) -> Path:
    return as_downloaded(root) / "Img" / "img_align_celeba.zip"


INSIDE = [as_one_folder, as_kaggle, as_one_zip, as_downloaded, as_png_edition, as_unpacked]
OUTSIDE = [
    as_photos_with_tables_beside,
    as_zip_with_tables_beside,
    as_kaggles_inner_folder,
    as_kaggles_outer_folder,
    as_unpacked_img,
    as_unpacked_photos,
    as_downloaded_zip,
]
"""With the tables out of what the user named."""


@pytest.mark.parametrize("written", [*INSIDE, *OUTSIDE])
def test_celeba_is_known_in_every_usual_shape(written, tmp_path):
    source = found(written(tmp_path))
    assert source.kind == "celeba"
    assert "non-commercial" in source.licence
    assert [Path(name).stem for name in source.names] == ["000001", "000002", "000003"]
    assert column(source, "Bald") == [0, 1, 1]
    assert column(source, "Smiling") == [1, 0, 1]
    assert column(source, "partition") == [0, 1, 2]
    assert column(source, "lefteye_x") == [69, 70, None]
    assert column(source, "lefteye_y") == [109, 111, None]
    assert column(source, "y_1") == [71, None, 2]
    assert column(source, "identity") == [1, 0, 1]
    assert kinds(source)["Bald"] == "binary"
    assert kinds(source)["identity"] == kinds(source)["partition"] == "class"
    assert not source.set_aside
    assert decode(source.read(source.addresses[1])).size == FRAME
    said = " ".join(source.notes)
    assert ("labels from the folder" in said) == (written in OUTSIDE)
    assert ("list_attr_celeba" in said) == (written in OUTSIDE)


def test_celeba_without_tables_has_no_labels_and_that_is_said(tmp_path):
    write_photos(tmp_path / "img_align_celeba")
    source = found(tmp_path / "img_align_celeba")
    assert source.labels.columns == ()
    assert source.notes == (
        "no labels: list_attr_celeba.txt lies neither here nor in the two folders above",
    )


def test_tables_above_photos_that_need_not_be_celebas_are_only_mentioned(tmp_path):
    write_photos(tmp_path / "mine")
    write_tables(tmp_path)
    source = found(tmp_path / "mine")
    assert source.kind == "photos"
    assert not source.labels.columns
    (note,) = source.notes
    assert note.startswith(f"not read: {tmp_path / 'identity_CelebA.txt'}")


def as_celebamask_hq(root: Path) -> Path:
    folder = root / "CelebAMask-HQ"
    (folder / "CelebAMask-HQ-mask-anno" / "0").mkdir(parents=True)
    (folder / "CelebA-HQ-img").mkdir()
    for i in (0, 1, 10):
        picture(i).save(folder / "CelebA-HQ-img" / f"{i}.jpg")
        picture(i).save(folder / "CelebAMask-HQ-mask-anno" / "0" / f"{i:05d}_hair.png")
    rows = "".join(f"{i}.jpg  {v}  1\n" for i, v in ((0, 1), (1, -1), (10, 1)))
    (folder / "CelebAMask-HQ-attribute-anno.txt").write_text(f"3\nBald Smiling\n{rows}")
    poses = "".join(f"{i}.jpg {i}.5 -2 0\n" for i in (0, 1, 10))
    (folder / "CelebAMask-HQ-pose-anno.txt").write_text(f"3\nYaw Pitch Raw\n{poses}")
    mapping = "idx orig_idx orig_file\n0 119613 119614.jpg\n"
    (folder / "CelebA-HQ-to-CelebA-mapping.txt").write_text(mapping)
    return folder


@pytest.mark.parametrize("inner", ["", "CelebA-HQ-img"])
def test_celebamask_hq_gives_photos_with_their_attributes_and_no_masks(tmp_path, inner):
    source = found(as_celebamask_hq(tmp_path) / inner)
    assert source.kind == "celebamask-hq"
    assert "non-commercial" in source.licence
    assert [Path(name).name for name in source.names] == ["0.jpg", "1.jpg", "10.jpg"]
    assert column(source, "Bald") == [1, 0, 1]
    assert column(source, "Yaw") == [0.5, 1.5, 10.5]
    assert kinds(source) == {
        "Bald": "binary", "Smiling": "binary", "Yaw": "number", "Pitch": "number", "Raw": "number",
    }  # fmt: skip


def test_damaged_rows_of_a_celeba_table_are_counted(tmp_path):
    as_one_folder(tmp_path)
    table = tmp_path / "c" / "list_attr_celeba.txt"
    table.write_text("3\nBald Smiling\n000001.jpg 1\n000002.jpg x y\n000003.jpg 1 1\n")
    source = found(tmp_path / "c")
    assert source.notes == ("list_attr_celeba: 2 malformed rows, their labels are unknown",)
    assert column(source, "Bald") == [None, None, 1]


def test_a_celeba_table_without_its_header_is_refused(tmp_path):
    as_one_folder(tmp_path)
    (tmp_path / "c" / "list_attr_celeba.txt").write_text("000001.jpg 1 1\n")
    with pytest.raises(DataError, match="list_attr_celeba has no line of column names"):
        found(tmp_path / "c")


def test_files_around_celebas_photos_are_mentioned(tmp_path):
    as_one_folder(tmp_path)
    (tmp_path / "c" / "README.txt").write_text("read me")
    assert found(tmp_path / "c").notes == ("1 files outside img_align_celeba were not looked at",)


# names and folders


def test_utkface_names_are_labels_and_malformed_ones_are_unknown(tmp_path):
    names = [
        "25_0_1_20170101000000000.jpg.chip.jpg",
        "116_1_4_20170101000000001.jpg.chip.jpg",
        "39_1_20170116174525125.jpg.chip.jpg",
        *(f"{age}_0_0_20170101000000000.jpg.chip.jpg" for age in range(60, 66)),
    ]
    for i, name in enumerate(sorted(names)):
        (tmp_path / name).write_bytes(encoded(picture(i), "JPEG"))
    source = found(tmp_path)
    row = {name: source.labels.values[i].tolist() for i, name in enumerate(source.names)}
    assert source.kind == "utkface"
    assert row[names[0]] == [25, 0, 1]
    assert row[names[1]] == [116, 1, 4]
    assert np.isnan(row[names[2]]).all()
    assert source.labels.columns[2].classes[1] == "black"
    assert source.notes == ("1 names are not AGE_GENDER_RACE_TIME, their labels are unknown",)


def test_lfw_folders_are_identities(tmp_path):
    for person, count in (("Ann_Lee", 2), ("Bob", 1)):
        (tmp_path / "lfw" / person).mkdir(parents=True)
        for i in range(count):
            path = tmp_path / "lfw" / person / f"{person}_{i + 1:04d}.jpg"
            path.write_bytes(encoded(picture(i), "JPEG"))
    source = found(tmp_path)
    assert source.kind == "lfw"
    assert source.labels.columns[0].classes == ("Ann_Lee", "Bob")
    assert column(source, "identity") == [0, 0, 1]


def test_folders_that_tell_photos_apart_are_a_label(tmp_path):
    write_pictures(tmp_path / "faces" / "happy" / "2020", 2)
    write_pictures(tmp_path / "faces" / "sad", 1)
    write_pictures(tmp_path / "faces", 1)
    source = found(tmp_path)
    assert source.kind == "photos"
    assert source.labels.columns[0].classes == ("happy", "sad")
    assert column(source, "folder") == [None, 0, 0, 1]
    assert "responsible" in source.licence


def test_a_plain_folder_has_no_labels(tmp_path):
    assert found(write_pictures(tmp_path / "a" / "b", 2)).labels.columns == ()
    assert found(tmp_path).labels.columns == ()


# IDX


def write_idx(
    folder: Path, part: str, images: np.ndarray, packed: bool, labels: bool = True
) -> None:
    folder.mkdir(exist_ok=True)
    files = {
        f"{part}-images-idx3-ubyte": struct.pack(">IIII", 0x803, *images.shape) + images.tobytes()
    }
    if labels:
        classes = np.arange(len(images), dtype=np.uint8)
        files[f"{part}-labels-idx1-ubyte"] = (
            struct.pack(">II", 0x801, len(images)) + classes.tobytes()
        )
    for name, content in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def digits(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_of_a_folder_follow_each_other_with_their_classes(tmp_path, packed):
    write_idx(tmp_path / "mnist", "t10k", digits(2), packed)
    write_idx(tmp_path / "mnist", "train", digits(3), packed)
    source = found(tmp_path / "mnist")
    assert (source.kind, source.channels) == ("idx", 1)
    assert column(source, "class") == [0, 1, 0, 1, 2]
    assert source.names[2] == "train-images-idx3-ubyte:000000"
    pixels = [source.read(address) for address in source.addresses]
    np.testing.assert_array_equal(pixels, np.concatenate([digits(2), digits(3)]))


def test_stacks_hold_three_digits_each_in_its_colour(tmp_path):
    write_idx(tmp_path / "mnist", "train", digits(7), packed=False)
    single = found(str(tmp_path / "mnist"))
    source = found(f"stacked:{tmp_path / 'mnist'}", count=500, seed=2)
    assert (source.kind, source.channels, len(source.names)) == ("stacked", 3, 500)
    names = [column.name for column in source.labels.columns]
    assert names == ["red_class", "green_class", "blue_class"]
    pairs = zip(single.addresses, single.labels.values, strict=True)
    class_of = {digit.tobytes(): value.item() for digit, value in pairs}
    some = source.addresses[100:103]
    for address, classes in zip(some, source.labels.values[100:103], strict=True):
        pixels = np.asarray(source.read(address))
        assert pixels.shape == (*digits(1).shape[1:], 3)
        assert [class_of[pixels[..., c].tobytes()] for c in range(3)] == classes.tolist()
    triples = {tuple(row) for row in source.labels.values.tolist()}
    assert len(triples) > 0.9 * 7**3 * (1 - np.exp(-500 / 7**3))  # with replacement, all alike
    again = found(f"stacked:{tmp_path / 'mnist'}", count=500, seed=2)
    other = found(f"stacked:{tmp_path / 'mnist'}", count=500, seed=3)
    assert np.array_equal(again.labels.values, source.labels.values)
    assert not np.array_equal(other.labels.values, source.labels.values)


def test_only_gray_images_are_stacked(tmp_path):
    write_pictures(tmp_path / "photos", 2)
    with pytest.raises(DataError, match="of the kind photos"):
        found(f"stacked:{tmp_path / 'photos'}")


def test_a_single_idx_file_may_have_any_name_and_no_classes(tmp_path):
    write_idx(tmp_path / "m", "train", digits(3), packed=True, labels=False)
    file = (tmp_path / "m" / "train-images-idx3-ubyte.gz").rename(tmp_path / "digits.bin")
    source = found(file)
    assert len(source.names) == 3
    assert source.labels.columns == ()


def test_a_truncated_idx_file_is_refused(tmp_path):
    write_idx(tmp_path / "m", "train", digits(3), packed=False)
    file = tmp_path / "m" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError, match="is damaged: 2347 bytes for"):
        found(tmp_path / "m")


def test_a_truncated_gz_is_refused(tmp_path):
    write_idx(tmp_path / "m", "train", digits(3), packed=True)
    file = tmp_path / "m" / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DataError, match="is damaged"):
        found(tmp_path / "m")


def test_a_gz_that_unfolds_to_more_than_it_announced_is_not_unpacked_to_its_end(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(idx.tempfile, "TemporaryFile", lambda: (tmp_path / "unpacked").open("w+b"))
    header = struct.pack(">IIII", 0x803, 2, 28, 28)
    bomb = tmp_path / "bomb-idx3-ubyte.gz"
    bomb.write_bytes(gzip.compress(header + bytes(10_000_000)))
    with pytest.raises(DataError, match=r"more than 1568 bytes for \(2, 28, 28\)"):
        found(bomb)
    assert (tmp_path / "unpacked").stat().st_size <= 2 * 28 * 28 + 1


def test_a_header_of_blank_images_that_unfold_a_thousandfold_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(idx.tempfile, "TemporaryFile", lambda: (tmp_path / "unpacked").open("w+b"))
    content = struct.pack(">IIII", 0x803, 20_000, 28, 28) + bytes(20_000 * 28 * 28)
    (tmp_path / "blank-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match="unfolds to more than 250 times its size"):
        found(tmp_path / "blank-idx3-ubyte.gz")
    assert (tmp_path / "unpacked").stat().st_size < len(content)


def test_classes_for_other_images_are_refused_before_they_are_unpacked(tmp_path):
    write_idx(tmp_path / "m", "train", digits(3), packed=True)
    claim = struct.pack(">II", 0x801, 4_000_000_000)
    (tmp_path / "m" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(claim + bytes(99)))
    with pytest.raises(DataError, match="4000000000 classes for 3 images"):
        found(tmp_path / "m")


@pytest.mark.parametrize("shape", [(1, 60_000, 60_000), (3, 0, 28), (3, 28, 0)])
def test_idx_images_of_no_size_or_beyond_any_photo_are_refused(tmp_path, shape):
    (tmp_path / "a").write_bytes(struct.pack(">IIII", 0x803, *shape) + bytes(99))
    with pytest.raises(DataError, match="is damaged: images of"):
        found(tmp_path / "a")


# parquet and the hub


def write_parquet(path: Path, count: int, first: int = 0, *, struct_cells: bool = True) -> None:
    images = [encoded(picture(first + i)) for i in range(count)]
    cells = [{"bytes": image, "path": None} for image in images] if struct_cells else images
    table = pa.table(
        {
            "image": cells,
            "label": [i % 2 for i in range(count)],
            "score": [i / 2 for i in range(count)],
            "glad": [i == 0 for i in range(count)],
            "caption": [f"face {first + i}" for i in range(count)],
        }
    )
    features = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    table = table.replace_schema_metadata({b"huggingface": json.dumps(features).encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2)


@pytest.mark.parametrize("struct_cells", [True, False])
def test_parquet_rows_are_photos_and_other_columns_labels(tmp_path, struct_cells):
    for i in range(2):
        write_parquet(tmp_path / "d" / f"{i}.parquet", 3, 3 * i, struct_cells=struct_cells)
    source = found(tmp_path / "d")
    assert source.kind == "parquet"
    assert source.names[4] == "1.parquet:000001"
    for i, address in enumerate(source.addresses):
        np.testing.assert_array_equal(decode(source.read(address)), picture(i))
    assert kinds(source) == {"label": "class", "score": "number", "glad": "binary"}
    assert source.labels.columns[0].classes == ("cat", "dog")
    assert column(source, "score") == [0, 0.5, 1, 0, 0.5, 1]
    assert source.notes == (
        "column caption is left out: it has a word of its own for nearly each photo",
    )


def write_columns(path: Path, columns: dict[str, list], classes: dict[str, list[str]]) -> None:
    count = len(next(iter(columns.values())))
    table = pa.table({"image": [encoded(picture(i)) for i in range(count)], **columns})
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in classes.items()}
    noted = json.dumps({"info": {"features": features}}).encode()
    pq.write_table(table.replace_schema_metadata({b"huggingface": noted}), path)


def test_parquet_columns_that_some_files_lack_are_kept(tmp_path):
    write_columns(tmp_path / "0.parquet", {"age": [1.5, 2.5]}, {})
    write_columns(tmp_path / "1.parquet", {"label": [0, 1], "age": [3, 4]}, {"label": ["a", "b"]})
    write_columns(tmp_path / "2.parquet", {"label": [-1, 7]}, {"label": ["a", "b"]})
    source = found(tmp_path)
    assert column(source, "age") == [1.5, 2.5, 3, 4, None, None]
    assert column(source, "label") == [None, None, 0, 1, None, None]
    assert kinds(source) == {"age": "number", "label": "class"}


def test_parquet_classes_are_joined_by_their_names(tmp_path):
    write_columns(tmp_path / "0.parquet", {"label": [0, 1]}, {"label": ["no", "yes"]})
    write_columns(tmp_path / "1.parquet", {"label": [0, 1]}, {"label": ["yes", "maybe"]})
    source = found(tmp_path)
    assert source.labels.columns[0].classes == ("no", "yes", "maybe")
    assert column(source, "label") == [0, 1, 1, 2]


def test_parquet_columns_of_two_kinds_are_no_label_and_that_is_said(tmp_path):
    write_columns(tmp_path / "0.parquet", {"label": [0, 1], "age": ["31", "NA"]}, {})
    write_columns(tmp_path / "1.parquet", {"label": ["no", "yes"], "age": ["32", "33"]}, {})
    source = found(tmp_path)
    assert kinds(source) == {"age": "number"}
    assert column(source, "age") == [31, None, 32, 33]
    assert source.notes == ("column label is no label that can be stored",)


def test_a_parquet_file_without_images_among_others_is_said(tmp_path):
    pq.write_table(pa.table({"age": [1]}), tmp_path / "0.parquet")
    write_columns(tmp_path / "1.parquet", {"age": [2, 3]}, {})
    source = found(tmp_path)
    assert column(source, "age") == [2, 3]
    assert source.notes == ("0.parquet has no column image: not looked at",)


def test_a_parquet_file_beside_photos_does_not_take_their_place(tmp_path):
    write_pictures(tmp_path / "train", 6)
    pq.write_table(pa.table({"file_name": ["000.png"]}), tmp_path / "train" / "metadata.parquet")
    source = found(tmp_path)
    assert source.kind == "photos"
    assert sum(name.endswith(".png") for name in source.names) == 6


def test_a_row_without_an_image_is_set_aside(tmp_path):
    pq.write_table(pa.table({"image": pa.array([None, b"x"], pa.binary())}), tmp_path / "a.parquet")
    source = found(tmp_path / "a.parquet")
    with pytest.raises(Unusable, match="no image in the row"):
        source.read(source.addresses[0])


def test_parquet_without_images_is_refused(tmp_path):
    pq.write_table(pa.table({"age": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has the columns age"):
        found(tmp_path / "a.parquet")


def test_a_damaged_parquet_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"a\.parquet cannot be read"):
        found(tmp_path / "a.parquet")


def test_parquet_without_the_extra_names_it(tmp_path, monkeypatch):
    write_parquet(tmp_path / "a.parquet", 1)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="needs the extra 'hub'"):
        found(tmp_path / "a.parquet")


def fake_hub(monkeypatch, download) -> None:
    module = types.ModuleType("huggingface_hub")
    module.__dict__["snapshot_download"] = download
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


def test_a_data_set_of_the_hub_is_read_from_its_parquet_files(tmp_path, monkeypatch):
    write_parquet(tmp_path / "data" / "train.parquet", 2)
    fake_hub(monkeypatch, lambda name, **options: str(tmp_path))
    source = found("hub:somebody/faces")
    assert (source.kind, source.place) == ("hub", "somebody/faces")
    assert source.licence == "as stated at https://huggingface.co/datasets/somebody/faces"
    assert len(source.names) == 2


def test_a_data_set_of_another_format_is_taken_from_the_hubs_conversion(tmp_path, monkeypatch):
    (tmp_path / "main").mkdir()
    write_parquet(tmp_path / "refs" / "convert" / "parquet" / "0.parquet", 2)
    fake_hub(monkeypatch, lambda name, *, revision, **options: str(tmp_path / revision))
    assert len(found("hub:somebody/faces").names) == 2


def test_no_network_is_a_clear_error(monkeypatch):
    def fail(name, **options):
        raise ConnectionError("no route to host\nand a long story")

    fake_hub(monkeypatch, fail)
    with pytest.raises(DataError) as caught:
        found("hub:somebody/faces")
    assert caught.value.what == (
        "somebody/faces cannot be fetched, the Hugging Face hub said: no route to host"
    )


def test_the_hub_without_its_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="needs the extra 'hub'"):
        found("hub:somebody/faces")


# names


def test_drawn_faces_come_with_their_attributes():
    source = found("drawn", count=5, seed=3)
    pixels, attributes = draw(4, size=(28, 28), seed=3)
    np.testing.assert_array_equal(source.read(source.addresses[4]), pixels)
    assert [c.name for c in source.labels.columns] == list(ATTRIBUTES)
    assert source.labels.values[4].tolist() == list(attributes.values())


def test_a_named_download_is_fetched_and_then_read(tmp_path, monkeypatch):
    write_idx(tmp_path / "mnist", "train", digits(3), packed=True)
    monkeypatch.setattr(find, "fetch", lambda name, _listener: tmp_path / name)
    assert found("mnist").kind == "idx"


def test_a_local_folder_comes_before_a_download_of_that_name(tmp_path, monkeypatch):
    write_pictures(tmp_path / "celeba", 1)
    monkeypatch.chdir(tmp_path)
    assert found("celeba").kind == "photos"


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(DataError, match="celebra does not exist") as caught:
        found("celebra")
    assert "did you mean 'celeba'?" in caught.value.expected


@pytest.mark.parametrize("parent", ["there", "nowhere"])
def test_without_the_prefix_the_hub_is_never_asked(tmp_path, monkeypatch, parent):
    write_pictures(tmp_path / "there" / "photos", 1)
    monkeypatch.chdir(tmp_path)
    fake_hub(monkeypatch, lambda *_, **__: pytest.fail("the hub was asked"))
    with pytest.raises(DataError, match=f"{parent}/fotos does not exist") as caught:
        found(f"{parent}/fotos")
    assert f"hub:{parent}/fotos" in caught.value.fix
    assert caught.value.fix.startswith("there/photos") == (parent == "there")


@pytest.mark.parametrize("name", ["faces", "../faces", "a/b/c", ""])
def test_what_names_no_data_set_is_not_asked_for(name, monkeypatch):
    fake_hub(monkeypatch, lambda *_, **__: pytest.fail("the hub was asked"))
    with pytest.raises(DataError, match="names no data set"):
        found(f"hub:{name}")


def test_a_name_too_long_for_any_file_does_not_exist():
    with pytest.raises(DataError, match="does not exist"):
        found("x" * 5000)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.zip").write_bytes(b"")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(DataError, match="may not be read") as caught:
        found(tmp_path / "a.zip")
    assert "chmod" in caught.value.fix


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_may_be_read_for_ever_is_not_opened(tmp_path, kind):
    path = Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    with pytest.raises(DataError, match="neither a file nor a folder") as caught:
        found(path)
    assert "name the folder" in caught.value.fix


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"7z\xbc\xaf\x27\x1c", "unpack it"),
        (gzip.compress(b"hello", mtime=0), "unpack it"),
        (b"\x89HDF\r\n\x1a\n", "numpy.save"),
        (b"\x80\x04\x95", "never read"),
        (b"\0\0\0\x18ftypisom", "ffmpeg"),
        (b"hello", "name the folder"),
        (b"", "name the folder"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_helps(tmp_path, content, fix):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match="file is a single file") as caught:
        found(tmp_path / "file")
    assert fix in caught.value.fix


def test_a_single_photo_is_no_source(tmp_path):
    write_pictures(tmp_path, 1)
    with pytest.raises(DataError, match=r"000\.png is a single file"):
        found(tmp_path / "000.png")


def test_the_row_group_cache_tells_columns_apart(tmp_path):
    parquet._row_group.cache_clear()
    table = pa.table({"image": [b"one"], "mask": [b"two"]})
    pq.write_table(table, tmp_path / "a.parquet")
    address = (str(tmp_path / "a.parquet"), 0, 0)
    assert parquet.ParquetReader("image")(address) == b"one"
    assert parquet.ParquetReader("mask")(address) == b"two"

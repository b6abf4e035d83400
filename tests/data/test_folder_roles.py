"""Folders that are classes, and those that are not."""

from pathlib import Path

import pytest

from facewright.data.sources.find import find_source
from facewright.data.sources.folder_roles import masks_among
from facewright.data.sources.source import Source
from tests.data.drawings import encoded, picture


def found(root: Path, *names: str) -> Source:
    """The source of a folder with these photos in it."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(picture(0)) if name.endswith(("g", "p")) else b"text")
    return find_source(str(root), size=(8, 8))


def classes(source: Source) -> tuple[str, ...]:
    return source.labels.columns[0].classes if source.labels.columns else ()


@pytest.mark.parametrize(
    "names",
    [
        ("00000/00000.png", "00000/00999.png", "69000/69000.png"),  # FFHQ
        ("00000/img00000000.png", "00001/img00001000.png", "00001/img00001999.png"),  # EDM
        ("00000/000000012.jpg", "00001/000010003.jpg"),  # img2dataset
        ("0/1999.png", "1/2000.png"),
        ("00000/seed7-00012.png", "00001/seed7-01003.png"),
        ("part-0/a.png", "part-1/a.png", "part-2/b.png"),
        ("ffhq/shard_000/a.png", "ffhq/shard_001/b.png"),
    ],
)
def test_shards_are_no_label_and_that_is_said(tmp_path, names):
    source = found(tmp_path, *names)
    assert classes(source) == ()
    assert source.notes[0].endswith("are parts of one collection, and no label")


@pytest.mark.parametrize(
    "names",
    [
        ("001/0.png", "001/1.png", "002/0.png", "002/1.png"),  # ages
        ("0/3.png", "0/12.png", "1/5.png", "1/7.png"),  # digits, numbered without regard to them
        ("0000045/001.jpg", "0000045/002.jpg", "0000099/001.jpg", "0000099/002.jpg"),  # persons
        ("7/happy.png", "8/sad.png"),
    ],
)
def test_classes_with_numbers_for_names_stay_classes_and_that_is_said(tmp_path, names):
    source = found(tmp_path, *names)
    assert classes(source) == tuple(sorted({name.split("/")[0] for name in names}))
    assert "are taken for classes" in source.notes[0]


def test_classes_are_looked_for_below_shards_and_splits(tmp_path):
    names = ("train/images_001/a/1.png", "train/images_002/b/1.png", "val/images_001/a/2.png")
    source = found(tmp_path, *names)
    assert classes(source) == ("a", "b")
    assert source.labels.values[:, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "splits", [("train", "val"), ("Training", "Testing"), ("train", "extra", "test")]
)
def test_splits_are_no_label_and_what_is_put_together_is_said(tmp_path, splits):
    source = found(tmp_path, *(f"faces/{split}/{i}.png" for split in splits for i in range(3)))
    assert classes(source) == ()
    (note,) = source.notes
    assert note.startswith("splits put together")
    assert note.count("3 of ") == len(splits)


def test_one_folder_called_test_among_classes_is_a_class(tmp_path):
    assert classes(found(tmp_path, "happy/1.png", "test/1.png", "sad/1.png"))


def test_what_lies_beside_photos_makes_no_class(tmp_path):
    source = found(tmp_path, "images/1.png", "images/2.png", "annotations/1.xml", "README.md")
    assert classes(source) == ()


def test_a_folder_for_nearly_each_photo_is_no_label_and_that_is_said(tmp_path):
    source = found(tmp_path, *(f"person {i}/1.png" for i in range(9)), "person 1/2.png")
    assert classes(source) == ()
    assert source.notes == ("9 folders hold so few photos each that they are no label",)


@pytest.mark.parametrize(
    ("photos", "masks"),
    [
        (("images/1.jpg", "images/2.jpg"), ("masks/1.png", "masks/2.png")),
        (("1.jpg", "2.jpg"), ("face_segmentation/1_seg.png", "face_segmentation/2_seg.png")),
        (("img/0.jpg", "img/7.jpg"), ("mask-anno/0/00000_hair.png", "mask-anno/0/00007_l_eye.png")),
        (("train/images/a.jpg",), ("train/labels/a.png",)),
        (("a.jpg", "b.jpg"), ("a_mask.png", "b_mask.png")),
    ],
)
def test_masks_are_no_photos_and_that_is_said(tmp_path, photos, masks):
    source = found(tmp_path, *photos, *masks)
    assert list(source.names) == sorted(photos)
    assert classes(source) == ()
    assert source.notes[0].startswith(f"{len(masks)} masks or other maps of photos left out")


@pytest.mark.parametrize(
    "names",
    [
        ("with_mask/1.jpg", "without_mask/1.jpg"),
        ("mask/1.jpg", "no_mask/1.jpg"),
        ("Mask/1.jpg", "NonMask/1.jpg"),
        ("masks/1.jpg", "masks/2.jpg"),
        ("masks/1.jpg", "faces/2.jpg", "masks/3.jpg"),
        ("carnival_mask.jpg", "1.jpg"),
    ],
)
def test_faces_with_masks_and_masks_without_photos_are_photos(names):
    assert masks_among(names) == set()

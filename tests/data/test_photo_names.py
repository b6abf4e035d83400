"""From a cell to the one photo that it means."""

import pytest

from facewright.data.photo_names import PhotoNames, split_of

TREE = ("a/000.png", "a/001.png", "b/000.png", "b/Zoë.JPG", "c.d.png")


def meant(cell: str, names=TREE, place="ph", below="") -> str | None:
    found = PhotoNames(names, place, below).meant(cell)
    return names[found.photo] if found else None


@pytest.mark.parametrize(
    ("cell", "photo"),
    [
        ("a/000.png", "a/000.png"),
        ("./a/000.png", "a/000.png"),
        ("a/000", "a/000.png"),
        ("001.png", "a/001.png"),
        ("001", "a/001.png"),
        ("001.jpg", "a/001.png"),  # the table is of another edition
        ("001.PNG", "a/001.png"),
        ("ZOË.jpg", "b/Zoë.JPG"),
        ("zoe\u0308", "b/Zoë.JPG"),  # as a Mac writes it
        ("c.d", "c.d.png"),
        ("/home/me/ph/b/000.png", "b/000.png"),
        (r"C:\Users\me\ph\b\000.png", "b/000.png"),
        (r"b\000", "b/000.png"),
        ("https://example.org/ph/a/001.png", "a/001.png"),
        ("000.png", None),
        ("000", None),
        ("002.png", None),
        ("1.png", None),
        ("", None),
        ("/", None),
        ("/" * 100_000 + "x/" * 100_000, None),
    ],
)
def test_a_photo_is_meant_by_any_end_of_its_path_that_fits_no_other(cell, photo):
    assert meant(cell) == photo


def test_exact_names_come_before_those_that_differ_in_capitals_or_suffix():
    names = ("A.png", "a.png", "a.jpg", r"odd\a.png")
    for name in names:
        assert meant(name, names) == name
    assert meant("a", names) is None
    assert meant("A.PNG", names) is None


def test_the_folder_that_was_named_is_a_part_of_the_path():
    """FairFace's val/1.jpg is not the 1.jpg in the folder train."""
    assert meant("train/1.jpg", ("1.jpg",), "train") == "1.jpg"
    assert meant("val/1.jpg", ("1.jpg",), "train") is None
    assert meant("Train/1.jpg", ("1.jpg",), "train") == "1.jpg"


def test_another_folder_is_no_hindrance_and_is_told():
    photos = PhotoNames(("000.png",), "ph")
    for cell, elsewhere in (("images/000.png", True), ("ph/000.png", False), ("/x/ph/000", False)):
        found = photos.meant(cell)
        assert found is not None
        assert found.elsewhere is elsewhere


def test_only_photos_below_a_folder_can_be_asked_for():
    assert meant("000.png", below="b/") == "b/000.png"
    assert meant("001.png", below="b/") is None


@pytest.mark.parametrize(("cell", "form"), [("7.png", "file"), ("7", "number"), ("x7", "stem")])
def test_the_form_of_a_name_is_told(cell, form):
    found = PhotoNames(("7.png", "x7.png"), "ph").meant(cell)
    assert found is not None
    assert found.form == form


def test_files_that_are_no_photos_are_not_counted():
    assert len(PhotoNames(("a.png", "b.png", "labels.csv"), "ph")) == 2
    assert len(PhotoNames(("a", "b"), "ph")) == 2


@pytest.mark.parametrize(
    ("part", "split"),
    [("train", "train"), ("Training", "training"), ("val_images", "val"), ("train2017", "train"),
     ("partial-train", "train"), ("trainer", ""), ("happy", ""), ("validity", "")],
)  # fmt: skip
def test_splits_are_known_by_their_names(part, split):
    assert split_of(part) == split

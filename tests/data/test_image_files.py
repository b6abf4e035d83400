"""Finished images are read as they are, or refused."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from facewright.data.image_files import read_pictures
from facewright.errors import DataError


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)


def write(folder, pixels):
    folder.mkdir(parents=True)
    for number, image in enumerate(pixels):
        Image.fromarray(image.squeeze()).save(folder / f"{number}.png")
    return folder


def test_a_folder_a_zip_and_an_array_give_the_same(tmp_path, pixels):
    folder = write(tmp_path / "images", pixels)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    np.save(tmp_path / "images.npy", pixels)
    for place in (folder, tmp_path / "images.zip", tmp_path / "images.npy"):
        np.testing.assert_array_equal(read_pictures(place, channels=3), pixels)


def test_gray_files_serve_colour_stores_and_the_other_way_round(tmp_path, pixels):
    folder = write(tmp_path / "gray", pixels[..., :1])
    np.testing.assert_array_equal(
        read_pictures(folder, channels=3), pixels[..., :1].repeat(3, axis=3)
    )
    np.testing.assert_array_equal(read_pictures(folder, channels=1), pixels[..., :1])


def test_one_image_of_another_size_is_named(tmp_path, pixels):
    folder = write(tmp_path / "images", pixels)
    Image.new("RGB", (9, 9)).save(folder / "3.png")
    with pytest.raises(DataError, match=r"3\.png is 9x9, the first image is 6x7"):
        read_pictures(folder, channels=3)


def test_a_file_that_is_no_image_is_named(tmp_path, pixels):
    folder = write(tmp_path / "images", pixels)
    (folder / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"notes\.txt is no usable image"):
        read_pictures(folder, channels=3)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 6, 7, 3), np.float32),
        np.full((4, 6, 7, 3), np.nan),
        np.zeros((4, 6, 7), np.uint8),
        np.zeros((0, 6, 7, 3), np.uint8),
    ],
)
def test_an_array_of_another_kind_is_refused_with_its_shape_and_type(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match="holds") as caught:
        read_pictures(tmp_path / "a.npy", channels=3)
    assert "uint8 images of shape (N, H, W, C)" in str(caught.value)


def test_channels_that_are_not_the_stores_are_refused(tmp_path, pixels):
    np.save(tmp_path / "a.npy", pixels)
    with pytest.raises(DataError, match=r"shape \(6, 7, 3\)"):
        read_pictures(tmp_path / "a.npy", channels=1)


@pytest.mark.parametrize("name", ["missing", "empty", "text.txt", "broken.npy"])
def test_places_without_images_are_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError):
        read_pictures(tmp_path / name, channels=3)

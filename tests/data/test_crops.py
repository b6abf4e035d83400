"""Where the crops lie, for every scale of the photo."""

import itertools
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from facewright.data import crops
from facewright.data.alignment import NoFaceError
from facewright.data.crops import CropName, crop_named
from facewright.data.faces import DetectedFace
from facewright.data.photo import Photo, Unusable
from facewright.errors import DataError, MissingExtraError
from tests.data.drawings import encoded

FRAME = (178, 218)


def drawing() -> Image.Image:
    """A smooth ground in CelebA's frame with a white disc where the left eye usually is."""
    x, y = np.meshgrid(np.arange(FRAME[0]), np.arange(FRAME[1]))
    image = Image.fromarray(np.stack([x, y // 2, (x + y) // 4], axis=2).astype(np.uint8))
    ImageDraw.Draw(image).ellipse((69 - 6, 111 - 6, 69 + 6, 111 + 6), fill="white")
    return image


def cut(name: CropName, image: Image.Image, size: tuple[int, int], **options: Any) -> Image.Image:
    """The only picture that a crop makes of a photo."""
    (only,) = crop_named(name, size, **options)(Photo(image), size)
    return only.image


def brightest(image: Image.Image) -> tuple[float, float]:
    """(x, y) of the centre of what is almost white, in pixels."""
    rows, columns = np.nonzero(np.asarray(image).min(axis=2) > 180)
    return columns.mean() + 0.5, rows.mean() + 0.5


@pytest.mark.parametrize(
    ("name", "left", "top", "side"), [("celeba-108", 35, 55, 108), ("celeba-128", 25, 57, 128)]
)
def test_the_celeba_boxes_put_the_eye_where_paper_says(name, left, top, side):
    small = cut(name, drawing(), (54, 54))
    expected = ((69.5 - left) * 54 / side, (111.5 - top) * 54 / side)
    assert brightest(small) == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize("name", ["celeba-108", "celeba-128"])
def test_a_half_size_copy_gives_nearly_the_same_crop(name):
    whole = drawing()
    half = whole.resize((89, 109), Image.Resampling.BOX)
    of_whole, of_half = (np.asarray(cut(name, im, (28, 28))).astype(int) for im in (whole, half))
    assert abs(of_whole - of_half).max() <= 12
    assert abs(of_whole - of_half).mean() < 0.5


def test_the_108_crop_of_a_half_size_photo_lies_between_its_pixels():
    # Half of (35, 55, 143, 163) is (17.5, 27.5, 71.5, 81.5): 54 pixels, each the mean of four.
    half = Image.fromarray(np.random.default_rng(0).integers(0, 256, (109, 89), dtype=np.uint8))
    found = cut("celeba-108", half, (54, 54))
    pixels = np.asarray(half).astype(float)
    shifted = half.transform(
        (54, 54), Image.Transform.AFFINE, (1, 0, 17.5, 0, 1, 27.5), Image.Resampling.BILINEAR
    )
    assert np.corrcoef(np.asarray(found).ravel(), np.asarray(shifted).ravel())[0, 1] > 0.9
    for rows in (slice(30, 84), slice(27, 81)):
        assert np.corrcoef(np.asarray(found).ravel(), pixels[rows, 17:71].ravel())[0, 1] < 0.9


@pytest.mark.parametrize("size", [(200, 200), (218, 178), (178, 216)])
def test_photos_outside_celebas_frame_are_set_aside_by_its_crops(size):
    with pytest.raises(Unusable, match="not the 178x218 frame of celeba-108"):
        cut("celeba-108", Image.new("RGB", size), (28, 28))


@pytest.mark.parametrize("size", [(89, 109), (356, 436), (64, 78), (178, 218)])
def test_scaled_copies_of_the_frame_are_accepted_in_whole_pixels(size):
    assert cut("celeba-128", Image.new("RGB", size), (8, 8)).size == (8, 8)


def test_center_keeps_the_middle_of_a_wide_photo():
    photo = np.zeros((10, 30, 3), np.uint8)
    photo[:, 10:20] = 255
    small = cut("center", Image.fromarray(photo), (5, 5))
    assert small.size == (5, 5)
    assert np.asarray(small)[:, 1:4].min() > 200


def test_center_takes_on_the_shape_of_the_result():
    x, _ = np.meshgrid(np.arange(90), np.arange(60))
    small = cut("center", Image.fromarray(x.astype(np.uint8)), (20, 10))
    assert small.size == (10, 20)
    # The box is 30 wide and 60 high, from column 30 to 60: one cell is three columns.
    np.testing.assert_allclose(np.asarray(small)[10, 2:8], np.arange(2, 8) * 3 + 31, atol=1)


def test_none_keeps_everything_and_stretches_it():
    photo = np.zeros((20, 40), np.uint8)
    photo[:, 20:] = 200
    small = np.asarray(cut("none", Image.fromarray(photo), (10, 10)))
    assert small[5, 1] == 0
    assert small[5, 8] == 200


def test_none_leaves_a_photo_of_the_right_size_untouched():
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    assert cut("none", photo, (9, 7)).tobytes() == photo.tobytes()


def test_the_first_rough_step_of_shrinking_stays_close_to_a_single_step():
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((400, 400), Image.Resampling.BICUBIC)
    small = np.asarray(cut("center", photo, (28, 28))).astype(int)
    exact = np.asarray(photo.resize((28, 28), Image.Resampling.LANCZOS)).astype(int)
    assert abs(small - exact).mean() < 1
    assert abs(small - exact).max() <= 6


def test_shrinking_is_antialiased():
    # Stripes finer than a result's pixel become their mean, not a random choice of them.
    stripes = np.zeros((280, 280), np.uint8)
    stripes[:, ::2] = 255
    small = np.asarray(cut("center", Image.fromarray(stripes), (28, 28)))
    assert abs(small[:, 2:-2].astype(int) - 127).max() <= 1
    assert abs(small.astype(int) - 127).max() <= 16  # a part of a stripe is cut off at the edge


# Eyes 40 apart at y = 100, mouth 40 below them: a frame from (20, 24) to (180, 184).
LEVEL = np.array([[80, 100], [120, 100], [100, 120], [85, 140], [115, 140]], dtype=float)


class Finder:
    """Stands for the detector: two faces in every photo but black ones, one 200 to the right."""

    def main(self, photo: Photo, pixels: int) -> DetectedFace:
        return self.every(photo, pixels)[0]

    def every(self, photo: Photo, _pixels: int) -> list[DetectedFace]:
        if not np.asarray(photo.at_least()).any():
            raise NoFaceError("no face", expected="one", fix="another photo")
        return [DetectedFace((0, 0, 1, 1), LEVEL + np.array([200 * i, 0])) for i in range(2)]


@pytest.fixture
def finder(monkeypatch):
    monkeypatch.setattr(crops, "_finder", Finder)


def two_faces() -> Image.Image:
    photo = np.full((210, 400, 3), 60, np.uint8)
    photo[24:184, 20:180] = (200, 0, 0)
    photo[24:184, 220:380] = (0, 0, 200)
    return Image.fromarray(photo)


@pytest.mark.usefixtures("finder")
def test_the_face_crop_is_the_frame_of_the_main_face():
    found = np.asarray(cut("face", two_faces(), (40, 32))).astype(int)
    assert found.shape == (40, 32, 3)
    assert abs(found[2:-2] - (200, 0, 0)).max() <= 2


@pytest.mark.usefixtures("finder")
def test_every_face_is_a_picture_on_request_and_the_main_one_comes_first():
    found = crop_named("face", (32, 32), faces="all")(Photo(two_faces()), (32, 32))
    middles = [one.image.getpixel((16, 16)) for one in found]
    assert middles == [(200, 0, 0), (0, 0, 200)]


@pytest.mark.usefixtures("finder")
def test_a_margin_shows_more_around_the_face_and_a_negative_one_less():
    wide = np.asarray(cut("face", two_faces(), (40, 40), margin=0.125))[..., 0]
    # 160 becomes 200 pixels in 40: the frame of before begins after four of them.
    assert wide[20, 6:34].min() > 190
    assert wide[6:34, 20].min() > 190
    assert wide[20, [0, 1, 2, 37, 38, 39]].max() < 70
    near = np.asarray(cut("face", two_faces(), (40, 40), margin=-0.125)).astype(int)
    assert abs(near - (200, 0, 0)).max() <= 2


@pytest.mark.usefixtures("finder")
def test_a_photo_without_a_face_is_set_aside_by_the_face_crop():
    with pytest.raises(Unusable, match="no face found"):
        cut("face", Image.new("RGB", (50, 50)), (8, 8))


@pytest.mark.usefixtures("finder")
def test_a_gray_photo_gives_the_gray_face():
    photo = two_faces()
    gray, coloured = cut("face", photo.convert("L"), (32, 32)), cut("face", photo, (32, 32))
    assert gray.mode == "L"
    assert abs(np.asarray(gray).astype(int) - np.asarray(coloured.convert("L"))).max() <= 1


def test_a_margin_of_the_centre_leaves_out_that_share_at_each_end():
    photo = np.zeros((100, 140), np.uint8)
    photo[20:80, 40:100] = 255  # the middle 60 of 100
    found = np.asarray(cut("center", Image.fromarray(photo), (30, 30), margin=0.2))
    assert found.min() > 220  # the filter reaches a little beyond
    assert np.asarray(cut("center", Image.fromarray(photo), (30, 30), margin=0.15)).min() < 30


@pytest.mark.usefixtures("finder")
@pytest.mark.parametrize(
    ("name", "size", "photo", "factor"),
    [
        ("center", (64, 64), (54, 54), 64 / 54),
        ("center", (64, 64), (640, 480), 64 / 480),
        ("center", (30, 30), (30, 40), 1.0),
        ("none", (64, 32), (320, 16), 4.0),
        ("none", (16, 320), (320, 16), 1.0),
        ("celeba-108", (108, 108), (178, 218), 1.0),
        ("celeba-108", (64, 64), (89, 109), 64 / 54),
        ("face", (320, 200), (400, 210), 2.0),
        ("face", (80, 80), (400, 210), 0.5),
    ],
)
def test_a_picture_says_how_much_it_was_enlarged(name, size, photo, factor):
    (only,) = crop_named(name, size)(Photo(Image.new("RGB", photo, "white")), size)
    assert only.enlarged == pytest.approx(factor)


@pytest.mark.usefixtures("finder")
def test_a_margin_of_the_centre_counts_as_enlarging():
    photo = Photo(Image.new("RGB", (100, 100), "white"))
    (only,) = crop_named("center", (80, 80), margin=0.25)(photo, (80, 80))
    assert only.enlarged == pytest.approx(80 / 50)
    (wide,) = crop_named("face", (80, 80), margin=0.5)(photo, (80, 80))
    assert wide.enlarged == pytest.approx(80 / 320)


@pytest.mark.usefixtures("finder")
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("center", {"margin": -0.1}, "--crop center --margin -0.1"),
        ("center", {"margin": 0.5}, "--crop center --margin 0.5"),
        ("face", {"margin": -0.5}, "--crop face --margin -0.5"),
        ("face", {"margin": float("nan")}, "--crop face --margin nan"),
        ("none", {"margin": 0.1}, "--crop none --margin 0.1"),
        ("celeba-108", {"margin": 0.1}, "--crop celeba-108 --margin 0.1"),
        ("center", {"faces": "all"}, "--crop center --faces all"),
    ],
)
def test_a_margin_or_faces_that_a_crop_does_not_have_are_refused(name, options, message):
    with pytest.raises(DataError, match=message) as caught:
        crop_named(name, (8, 8), **options)
    assert caught.value.expected
    assert "--" in caught.value.fix


@pytest.mark.usefixtures("finder")
@pytest.mark.parametrize("name", ["center", "celeba-108", "none", "face"])
def test_the_manifest_names_a_margin_and_faces_only_where_they_are(name):
    plain = crop_named(name, (8, 8)).description
    assert not {"margin", "faces"} & plain.keys()
    if name == "face":
        told = crop_named(name, (8, 8), margin=0.2, faces="all").description
        assert told == {**plain, "margin": 0.2, "faces": "all"}


@pytest.mark.usefixtures("finder")
@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize(
    ("name", "size"), [("center", (40, 40)), ("none", (30, 40)), ("face", (40, 40))]
)
def test_a_large_jpeg_that_is_decoded_coarsely_gives_nearly_the_same_picture(
    name, size, orientation
):
    """Twelve million pixels, a profile and a turn: what is left out of the decoding is not seen."""
    x, y = np.meshgrid(np.linspace(0, 255, 2051), np.linspace(0, 255, 1539))
    smooth = Image.fromarray(np.stack([x, y, (x + y) / 2], axis=2).astype(np.uint8))
    stored = smooth if orientation < 5 else smooth.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, "JPEG", quality=95, exif=exif)
    crop = crop_named(name, size)
    coarse, whole = Photo(content, 960), Photo(content)
    (one,), (other,) = crop(coarse, size), crop(whole, size)
    assert coarse.size == whole.size == (2051, 1539)
    assert one.enlarged == other.enlarged
    difference = np.asarray(one.image).astype(int) - np.asarray(other.image)
    assert abs(difference).mean() < 1
    assert abs(difference).max() <= 4


def test_the_face_crop_without_its_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "retinaface", None)
    crops._finder.cache_clear()
    with pytest.raises(MissingExtraError, match="needs the extra 'faces'"):
        crop_named("face", (8, 8))


def test_a_square_box_is_not_stretched_to_an_oblong_size():
    with pytest.raises(DataError, match="celeba-108 is square, --size is 28x20"):
        crop_named("celeba-108", (28, 20))


@dataclass(frozen=True)
class Frame:
    """Stands for a photo of this size, and takes note of which part of it is asked for."""

    width: int
    height: int
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def at_least(self, _scale: float) -> "Frame":
        return self

    def resize(self, _size, _filter, *, box, reducing_gap) -> "Frame":
        assert reducing_gap >= 1
        self.boxes.append(box)
        return self


def asked_of(crop, width: int, height: int, size: tuple[int, int]) -> tuple[float, ...]:
    photo = Frame(width, height)
    crop(photo, size)
    return photo.boxes[-1] if photo.boxes else (0, 0, width, height)


@pytest.mark.parametrize("name", ["center", "none"])
def test_no_crop_asks_for_more_than_there_is_of_any_square_photo(name):
    for size in range(8, 257):
        crop = crop_named(name, (size, size))
        for side in range(16, 601):
            box = asked_of(crop, side, side, (size, size))
            assert 0 <= max(box[:2]) < 1e-9
            assert side - 1e-9 < min(box[2:]) <= max(box[2:]) <= side


@pytest.mark.parametrize("name", ["center", "celeba-108", "celeba-128"])
def test_no_crop_asks_for_more_than_there_is_of_a_scaled_frame(name):
    for size in range(8, 257):
        crop = crop_named(name, (size, size))
        for tenths in range(3, 40):
            width, height = 178 * tenths // 10, 218 * tenths // 10
            left, top, right, bottom = asked_of(crop, width, height, (size, size))
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert right - left == pytest.approx(bottom - top, abs=1.0)


def test_the_largest_centred_part_of_any_shape_fits():
    for height, width in itertools.product(range(8, 100, 7), repeat=2):
        crop = crop_named("center", (height, width))
        for wide, high in ((100, 218), (218, 100), (178, 218), (250, 250), (500, 333)):
            left, top, right, bottom = asked_of(crop, wide, high, (height, width))
            assert 0 <= left < right <= wide
            assert 0 <= top < bottom <= high
            assert max((right - left) / wide, (bottom - top) / high) == pytest.approx(1)
            assert (right - left) * height == pytest.approx((bottom - top) * width)


@pytest.mark.parametrize(
    ("side", "size"), [((250, 250), 30), ((500, 500), 60), ((178, 218), 88), ((100, 218), 22)]
)
def test_pillow_takes_the_box_of_sizes_that_do_not_divide(side, size):
    small = cut("center", Image.new("RGB", side, "white"), (size, size))
    assert small.size == (size, size)
    assert np.asarray(small).min() == 255

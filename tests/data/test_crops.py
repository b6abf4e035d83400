"""Where the crops lie, for every scale of the photo."""

import itertools
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image, ImageDraw

from facewright.data import crops
from facewright.data.crops import crop_named
from facewright.data.faces import NoFaceError
from facewright.data.photo import Unusable
from facewright.errors import DataError, MissingExtraError

FRAME = (178, 218)


def drawing() -> Image.Image:
    """A smooth ground in CelebA's frame with a white disc where the left eye usually is."""
    x, y = np.meshgrid(np.arange(FRAME[0]), np.arange(FRAME[1]))
    image = Image.fromarray(np.stack([x, y // 2, (x + y) // 4], axis=2).astype(np.uint8))
    ImageDraw.Draw(image).ellipse((69 - 6, 111 - 6, 69 + 6, 111 + 6), fill="white")
    return image


def brightest(image: Image.Image) -> tuple[float, float]:
    """(x, y) of the centre of what is almost white, in pixels."""
    rows, columns = np.nonzero(np.asarray(image).min(axis=2) > 180)
    return columns.mean() + 0.5, rows.mean() + 0.5


@pytest.mark.parametrize(
    ("name", "left", "top", "side"), [("celeba-108", 35, 55, 108), ("celeba-128", 25, 57, 128)]
)
def test_the_celeba_boxes_put_the_eye_where_paper_says(name, left, top, side):
    small = crop_named(name, (54, 54))(drawing(), (54, 54))
    expected = ((69.5 - left) * 54 / side, (111.5 - top) * 54 / side)
    assert brightest(small) == pytest.approx(expected, abs=0.4)


@pytest.mark.parametrize("name", ["celeba-108", "celeba-128"])
def test_a_half_size_copy_gives_nearly_the_same_crop(name):
    crop, whole = crop_named(name, (28, 28)), drawing()
    half = whole.resize((89, 109), Image.Resampling.BOX)
    of_whole, of_half = (np.asarray(crop(im, (28, 28))).astype(int) for im in (whole, half))
    assert abs(of_whole - of_half).max() <= 12
    assert abs(of_whole - of_half).mean() < 0.5


def test_the_108_crop_of_a_half_size_photo_lies_between_its_pixels():
    # Half of (35, 55, 143, 163) is (17.5, 27.5, 71.5, 81.5): 54 pixels, each the mean of four.
    half = Image.fromarray(np.random.default_rng(0).integers(0, 256, (109, 89), dtype=np.uint8))
    found = crop_named("celeba-108", (54, 54))(half, (54, 54))
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
        crop_named("celeba-108", (28, 28))(Image.new("RGB", size), (28, 28))


@pytest.mark.parametrize("size", [(89, 109), (356, 436), (64, 78), (178, 218)])
def test_scaled_copies_of_the_frame_are_accepted_in_whole_pixels(size):
    assert crop_named("celeba-128", (8, 8))(Image.new("RGB", size), (8, 8)).size == (8, 8)


def test_center_keeps_the_middle_of_a_wide_photo():
    photo = np.zeros((10, 30, 3), np.uint8)
    photo[:, 10:20] = 255
    small = crop_named("center", (5, 5))(Image.fromarray(photo), (5, 5))
    assert small.size == (5, 5)
    assert np.asarray(small)[:, 1:4].min() > 200


def test_center_takes_on_the_shape_of_the_result():
    x, _ = np.meshgrid(np.arange(90), np.arange(60))
    small = crop_named("center", (20, 10))(Image.fromarray(x.astype(np.uint8)), (20, 10))
    assert small.size == (10, 20)
    # The box is 30 wide and 60 high, from column 30 to 60: one cell is three columns.
    np.testing.assert_allclose(np.asarray(small)[10, 2:8], np.arange(2, 8) * 3 + 31, atol=1)


def test_none_keeps_everything_and_stretches_it():
    photo = np.zeros((20, 40), np.uint8)
    photo[:, 20:] = 200
    small = np.asarray(crop_named("none", (10, 10))(Image.fromarray(photo), (10, 10)))
    assert small[5, 1] == 0
    assert small[5, 8] == 200


def test_none_leaves_a_photo_of_the_right_size_untouched():
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    assert crop_named("none", (9, 7))(photo, (9, 7)).tobytes() == photo.tobytes()


def test_the_first_rough_step_of_shrinking_stays_close_to_a_single_step():
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((400, 400), Image.Resampling.BICUBIC)
    small = np.asarray(crop_named("center", (28, 28))(photo, (28, 28))).astype(int)
    exact = np.asarray(photo.resize((28, 28), Image.Resampling.LANCZOS)).astype(int)
    assert abs(small - exact).mean() < 1
    assert abs(small - exact).max() <= 6


def test_shrinking_is_antialiased():
    # Stripes finer than a result's pixel become their mean, not a random choice of them.
    stripes = np.zeros((280, 280), np.uint8)
    stripes[:, ::2] = 255
    small = np.asarray(crop_named("center", (28, 28))(Image.fromarray(stripes), (28, 28)))
    assert abs(small[:, 2:-2].astype(int) - 127).max() <= 1
    assert abs(small.astype(int) - 127).max() <= 16  # a part of a stripe is cut off at the edge


class Aligner:
    """Stands for the detector: finds a face in coloured photos only."""

    def crop(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        assert image.mode == "RGB"
        if image.getpixel((0, 0)) == (0, 0, 0):
            raise NoFaceError("no face")
        return image.resize((size[1], size[0]))


def test_the_face_crop_asks_the_detector(monkeypatch):
    monkeypatch.setattr(crops, "_aligner", Aligner)
    crop = crop_named("face", (8, 6))
    assert crop(Image.new("L", (50, 50), 9), (8, 6)).size == (6, 8)
    with pytest.raises(Unusable, match="no face found"):
        crop(Image.new("RGB", (50, 50)), (8, 6))


def test_the_face_crop_without_its_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "retinaface", None)
    crops._aligner.cache_clear()
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
    small = crop_named("center", (size, size))(Image.new("RGB", side, "white"), (size, size))
    assert small.size == (size, size)
    assert np.asarray(small).min() == 255

"""What becomes of one file's bytes."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from facewright.data.foreign import HEIC, RAW, remedy
from facewright.data.photo import MAX_PIXELS, Photo, Unusable, decode, quiet_pillow
from facewright.errors import MissingExtraError
from tests.data.drawings import encoded, picture


def pixels(content: bytes) -> np.ndarray:
    with quiet_pillow():
        return np.asarray(decode(content).convert("RGB")).astype(int)


def reason(content: bytes) -> str:
    with quiet_pillow(), pytest.raises(Unusable) as caught:
        decode(content)
    return caught.value.reason


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation):
    upright = picture(0, (40, 24))
    # What a camera stores so that the viewer has to turn it: the inverse of each turn.
    stored = {
        1: lambda im: im,
        2: lambda im: im.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda im: im.transpose(Image.Transpose.ROTATE_180),
        4: lambda im: im.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda im: im.transpose(Image.Transpose.TRANSPOSE),
        6: lambda im: im.transpose(Image.Transpose.ROTATE_90),
        7: lambda im: im.transpose(Image.Transpose.TRANSVERSE),
        8: lambda im: im.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(pixels(encoded(stored, exif=exif)), np.asarray(upright))


def test_damaged_metadata_do_not_spoil_the_photo():
    content = encoded(picture(0), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert pixels(content).shape == (60, 60, 3)


def test_transparent_pixels_become_white_and_half_transparent_ones_half_white():
    image = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        image.putpixel((x, 0), (0, 0, 0, alpha))
    np.testing.assert_allclose(pixels(encoded(image))[0, :, 0], [255, 127, 0], atol=1)


def test_a_transparent_palette_colour_becomes_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    found = pixels(encoded(image, transparency=0))
    np.testing.assert_array_equal(found[0], [[255, 255, 255], [40, 50, 60]])


def test_16_bit_gray_is_scaled_and_not_clipped():
    values = np.array([[0, 257, 25700, 65535]], np.uint16)
    found = pixels(encoded(Image.fromarray(values)))
    np.testing.assert_array_equal(found[0, :, 0], [0, 1, 100, 255])


def test_twelve_bits_in_sixteen_are_not_black():
    values = np.array([[0, 819, 2048, 4095]], np.uint16)
    found = pixels(encoded(Image.fromarray(values)))
    np.testing.assert_allclose(found[0, :, 0], [0, 51, 127.5, 255], atol=0.6)


def test_16_bit_tiff_is_scaled_too():
    values = np.array([[0, 25700, 65535]], np.uint16)
    found = pixels(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(found[0, :, 0], [0, 100, 255])


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "CMYK", "RGBA"])
def test_other_kinds_of_pixels_show_the_same_picture(mode):
    image = picture(1).convert("L").convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    expected = np.asarray(image.convert("RGB")).astype(int)
    np.testing.assert_allclose(pixels(encoded(image, kind)), expected, atol=2)


def test_a_cmyk_jpeg_has_the_right_colours():
    found = pixels(encoded(Image.new("RGB", (32, 32), (200, 40, 90)).convert("CMYK"), "JPEG"))
    np.testing.assert_allclose(found.mean((0, 1)), [200, 40, 90], atol=4)


def test_of_a_phones_mpo_the_photo_is_taken_and_not_the_preview():
    content = encoded(picture(2), "MPO", save_all=True, append_images=[picture(3)], quality=95)
    assert abs(pixels(content) - np.asarray(picture(2))).mean() < 5


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_animations_and_documents_of_several_pages_are_set_aside(kind):
    content = encoded(picture(2), kind, save_all=True, append_images=[picture(3)])
    assert reason(content) == "animated or several pages"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_an_animation_cut_anywhere_is_set_aside(kind):
    content = encoded(picture(2), kind, save_all=True, append_images=[picture(3), picture(4)])
    for end in range(0, len(content), max(1, len(content) // 200)):
        with quiet_pillow():
            try:
                decode(content[:end])
            except Unusable:
                continue


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "BMP", "TIFF", "PPM"])
def test_still_images_of_every_format_are_read(kind):
    assert abs(pixels(encoded(picture(2), kind)) - np.asarray(picture(2))).mean() < 16


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"\0\0\0\0IEND\xaeB`\x82"
    data = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + end


@pytest.mark.parametrize("side", [9_000, 12_000, 100_000])
def test_a_bomb_is_refused_by_its_header(side):
    assert side**2 > MAX_PIXELS
    assert reason(png_header(side, side)) == "too many pixels"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "zero bytes"),
        (b"hello", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", RAW),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04 and so on", "an archive"),
        (encoded(picture(0), "JPEG")[:20], "damaged"),
        (encoded(picture(0), "JPEG", quality=95)[:-900], "truncated"),
        (encoded(picture(0))[:-300], "truncated"),
        (encoded(Image.new("F", (4, 4), 0.5), "TIFF"), "floating-point pixels"),
        (encoded(Image.new("I", (4, 4), 70_000), "TIFF"), "more than 16 bits"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_set_aside_with_its_reason(content, expected):
    assert reason(content) == expected


def phones(image: Image.Image, **options: Any) -> bytes:
    pytest.importorskip("pillow_heif").register_heif_opener()
    return encoded(image, "HEIF", quality=95, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_photo_is_as_upright_as_a_jpeg(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    photo = picture(3, (360, 240))
    from_jpeg = decode(encoded(photo, "JPEG", quality=95, exif=tags))
    from_heic = decode(phones(photo, exif=tags.tobytes()))
    assert from_heic.size == from_jpeg.size
    error = np.asarray(from_heic).astype(int) - np.asarray(from_jpeg)
    assert np.abs(error).mean() < 4


def test_the_profile_of_a_heic_photo_counts():
    gray = Image.new("RGB", (64, 64), (128, 128, 128))  # 188 in sRGB, see below
    assert abs(pixels(phones(gray, icc_profile=profile(b"RGB ", 1.0))) - 188).max() <= 3


def test_heic_without_its_extra_is_set_aside_with_the_remedy(monkeypatch):
    monkeypatch.setattr("facewright.data.photo._readable_formats", lambda: ("JPEG", "AVIF"))
    kind = reason(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert kind == HEIC
    assert remedy(["not an image", kind]) == MissingExtraError.of("heic", "").fix


def test_of_a_heic_burst_the_first_photo_is_taken():
    burst = phones(picture(0), save_all=True, append_images=[picture(1)])
    error = np.asarray(decode(burst)).astype(int) - np.asarray(picture(0))
    assert np.abs(error).mean() < 8


def test_a_damaged_heic_does_not_ask_for_the_extra_that_is_there():
    assert reason(phones(picture(0))[:60]) == "damaged"


@pytest.mark.parametrize("tags", [{0xFE: 1}, {0xC612: b"\1\4\0\0"}])
def test_the_preview_that_a_raw_file_opens_with_is_no_photo(tags):
    directory = ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
    assert reason(encoded(picture(0), "TIFF", tiffinfo=directory)) == RAW
    assert decode(encoded(picture(0), "TIFF")).size == (60, 60)


CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "icc"


@pytest.mark.parametrize("space", ["p3", "adobe"])
def test_photos_of_wide_colour_spaces_come_near_their_copies_in_srgb(space):
    if not CASES.is_dir():
        pytest.skip(f"no photos at {CASES}")
    for path in sorted((CASES / space).iterdir()):
        meant = pixels((CASES / "srgb" / path.name).read_bytes())
        assert abs(pixels(path.read_bytes()) - meant).mean() < 1
        plain = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert abs(plain - meant).mean() > 1


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def test_a_profile_that_is_srgb_changes_no_pixel():
    plain = picture(3)
    content = encoded(plain, icc_profile=SRGB.tobytes())
    assert np.array_equal(pixels(content), np.asarray(plain.convert("RGB")))


def profile(space: bytes, power: float) -> bytes:
    """An ICC profile (version 2.4) for gray or RGB with one power for its curve, sRGB's colours."""
    curve = struct.pack(">4sII", b"curv", 0, 1) + struct.pack(">Hxx", round(power * 256))

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))

    tags = {b"wtpt": xyz(0.9642, 1, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        colours = {b"r": (0.436, 0.2225, 0.0139), b"g": (0.3851, 0.7169, 0.0971)}
        colours[b"b"] = (0.1431, 0.0606, 0.7139)
        for name, values in colours.items():
            tags[name + b"XYZ"], tags[name + b"TRC"] = xyz(*values), curve
    start, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1, 0.8249))) + bytes(48)
    return header + table + body


@pytest.mark.parametrize(("space", "mode"), [(b"GRAY", "L"), (b"RGB ", "RGB")])
def test_half_a_light_is_188_in_srgb_whatever_curve_it_was_saved_with(space, mode):
    # On paper: 128 of 255 in a linear space is half of the light, and sRGB writes that as 188.
    gray = Image.new(mode, (4, 4), 128 if mode == "L" else (128, 128, 128))
    content = encoded(gray, icc_profile=profile(space, 1.0))
    assert abs(pixels(content) - 188).max() <= 1
    with quiet_pillow():
        assert decode(content).mode == mode


@pytest.mark.parametrize("broken", [b"", b"no profile", profile(b"GRAY", 1.0), bytes(200)])
def test_a_profile_that_is_of_no_use_changes_nothing(broken):
    plain = picture(3)
    assert np.array_equal(
        pixels(encoded(plain, icc_profile=broken)), np.asarray(plain.convert("RGB"))
    )


def test_memory_that_runs_out_is_no_fault_of_the_photo(monkeypatch):
    def full(_self):
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(MemoryError):
        decode(encoded(picture(0)))


# large photos, decoded coarsely


def large(orientation: int = 1, kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """801 x 401 pixels upright, brighter to the right and redder at the top."""
    x, y = np.meshgrid(np.linspace(0, 255, 801), np.linspace(255, 0, 401))
    upright = Image.fromarray(np.stack([y, x, x], axis=2).astype(np.uint8))
    stored = {
        1: lambda im: im,
        3: lambda im: im.transpose(Image.Transpose.ROTATE_180),
        6: lambda im: im.transpose(Image.Transpose.ROTATE_90),
        8: lambda im: im.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored.convert(mode), kind, exif=exif, quality=95)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize(
    ("side", "width"), [(100, 101), (101, 201), (200, 201), (201, 401), (401, 801), (5000, 801)]
)
def test_a_jpeg_is_decoded_as_coarsely_as_suffices_and_upright(orientation, side, width):
    photo = Photo(large(orientation), side)
    image = photo.at_least()
    assert photo.size == (801, 401)
    assert image.width == width
    assert max(image.size) >= min(side, 801)
    whole = decode(large(orientation)).resize(image.size, Image.Resampling.BOX)
    # The last pixel stands for one of the photo only: up to a pixel's slope (2.5) is off.
    assert abs(np.asarray(image).astype(int) - np.asarray(whole)).mean() < 2


def test_it_is_decoded_again_where_more_is_asked_for_and_only_there():
    photo = Photo(large(), 100)
    coarse = photo.at_least()
    assert photo.at_least(1 / 8) is coarse
    assert photo.at_least(0.2).width == 201
    finer = photo.at_least(0.4)
    assert finer.width == 401
    assert photo.at_least(0.1) is finer
    assert photo.at_least(3).width == 801


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "L"), ("JPEG", "CMYK"), ("MPO", "RGB"), ("PNG", "RGB")]
)
def test_other_kinds_of_photos_keep_their_colours_when_they_are_decoded_coarsely(kind, mode):
    photo = Photo(large(kind=kind, mode=mode), 100)
    image = photo.at_least()
    assert image.width == (801 if kind == "PNG" else 101)
    whole = decode(large(kind=kind, mode=mode)).resize(image.size, Image.Resampling.BOX)
    assert image.mode == whole.mode == ("L" if mode == "L" else "RGB")
    assert abs(np.asarray(image).astype(int) - np.asarray(whole)).mean() < 2


def test_a_progressive_jpeg_is_decoded_coarsely_too():
    content = encoded(decode(large()), "JPEG", progressive=True, quality=95)
    assert Photo(content, 100).at_least().width == 101


def test_the_profile_of_a_photo_is_there_however_coarsely_it_is_decoded():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(decode(large()), "JPEG", icc_profile=profile)
    assert Photo(content, 100).profile == Photo(content).profile == profile


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000), (4000, 3), (9, 2000)])
def test_a_strip_is_decoded_whatever_its_shape(size):
    photo = Photo(encoded(Image.new("RGB", size, (200, 40, 90)), "JPEG", quality=95), 100)
    assert photo.size == size
    np.testing.assert_allclose(np.asarray(photo.at_least()).mean((0, 1)), (200, 40, 90), atol=4)


@pytest.mark.parametrize("cut", [400, 900])
def test_a_truncated_jpeg_is_set_aside_however_coarsely_it_is_decoded(cut):
    with pytest.raises(Unusable, match="truncated"):
        Photo(large()[:-cut], 100)

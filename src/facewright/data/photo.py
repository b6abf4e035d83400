"""From the content of one file to an upright image, or a reason why it is none."""

import contextlib
import functools
import importlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from facewright.data.colour_profile import in_srgb
from facewright.data.foreign import HEIC, RAW, kind_of_content

MAX_PIXELS = 80_000_000
"""More than a photo of a face needs, less than what exhausts a worker's memory."""

MAX_BYTES = 256 << 20
"""The largest file that is read at all."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")
"""Recognised by content, whatever the suffix; a phone's MPO opens as JPEG, HEIF needs an extra.
EPS is left out, because reading it starts another program."""

_ONE_PHOTO = ("MPO", "HEIF")
"""A phone's formats: the photo comes first, what follows are previews, depths or a burst."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP")

# EXIF orientation -> what turns the stored pixels upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = [turn for orientation, turn in _UPRIGHT.items() if orientation >= 5]
_ORIENTATION = 0x0112
_DNG_VERSION, _SUBFILE_TYPE, _REDUCED = 0xC612, 0xFE, 1
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")


class Unusable(Exception):
    """A photo that is set aside.

    Args:
        reason: a few words that are the same for every photo with this fault.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Photo:
    """A photo, upright, on white, in 8 bits, decoded no more finely than it is looked at.

    A camera's twelve million pixels take ten times longer to decode, to search and to shrink than
    a face of a few hundred needs. A JPEG can be decoded at a half, a quarter or an eighth of its
    size at once, each pixel about the mean of those that it stands for.

    Args:
        content: an encoded image, or (H, W) or (H, W, 3) uint8 pixels.
        side: how many pixels of the longer side suffice at first.

    Attributes:
        size: (width, height) of the whole photo, however coarsely it is decoded.
        profile: the ICC profile that its colours are meant by, if it has one. Twelve million
            colours take longer to convert than to decode: who makes the photo small does that
            first, and calls `in_srgb` then.

    Raises:
        Unusable: with the reason that the manifest will state.
    """

    size: tuple[int, int]
    profile: bytes | None = None

    def __init__(self, content: bytes | np.ndarray | Image.Image, side: int | None = None) -> None:
        self._content, self._shrink = content, 1
        if isinstance(content, bytes):
            image = _open(content)
            self._load(image, side / max(image.size) if side else 1)
        else:
            self._image = Image.fromarray(content) if isinstance(content, np.ndarray) else content
            self.size = self._image.size

    def at_least(self, scale: float = 0) -> Image.Image:
        """The whole photo, of mode "L" or "RGB", with that many pixels for one of its own or more.

        Args:
            scale: above 1 asks for no more than 1; the smallest takes what is decoded already.

        Raises:
            Unusable: with the reason that the manifest will state.
        """
        if self._shrink > 1 and self._shrink * scale > 1:
            assert isinstance(self._content, bytes)  # nothing else is decoded coarsely
            self._load(_open(self._content), scale)
        return self._image

    def _load(self, image: Image.Image, scale: float) -> None:
        whole = image.size
        self._shrink = _drafted(image, scale)
        try:
            # An animation has no one photo.
            several = getattr(image, "is_animated", False) and image.format not in _ONE_PHOTO
            if not several:
                image.load()
        except MemoryError:  # no fault of the photo
            raise
        except Exception as error:  # each decoder fails in its own way on damaged bytes
            fault = "truncated" if "truncated" in str(error).lower() else "damaged"
            raise Unusable(fault) from None
        if several:
            raise Unusable("animated or several pages")
        turn, profile = _turn(image), image.info.get("icc_profile")
        upright = image if turn is None else image.transpose(turn)
        if self._shrink == 1:
            self.size = upright.size
        else:
            self.size = (whole[1], whole[0]) if turn in _SIDEWAYS else whole
        if upright.mode == "CMYK":  # Pillow's own way from there knows no profile
            upright, profile = in_srgb(upright, profile), None
        self._image, self.profile = _plain(upright), profile


def decode(content: bytes | np.ndarray) -> Image.Image:
    """The photo in a file's bytes, upright, on white, in 8 bits, in sRGB.

    Args:
        content: as of `Photo`.

    Raises:
        Unusable: with the reason that the manifest will state.
    """
    photo = Photo(content)
    return in_srgb(photo.at_least(1), photo.profile)


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silences Pillow's warnings about unusual files inside; what matters becomes a reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(content: bytes) -> Image.Image:
    if not content:
        raise Unusable("zero bytes")
    try:
        image = Image.open(io.BytesIO(content), formats=_readable_formats())
    except Image.DecompressionBombError:
        raise Unusable("too many pixels") from None
    except UnidentifiedImageError:
        kind = kind_of_content(content)
        damaged = content.startswith(_MAGIC) or (kind == HEIC and "HEIF" in _readable_formats())
        raise Unusable("damaged" if damaged else kind) from None
    except MemoryError:
        raise
    except Exception:  # a header that one of the readers cannot parse
        raise Unusable("damaged") from None
    if image.width * image.height > MAX_PIXELS:
        raise Unusable("too many pixels")
    if isinstance(image, TiffImageFile) and _is_preview(image):
        raise Unusable(RAW)
    return image


def _is_preview(image: TiffImageFile) -> bool:
    """Is it the small picture that a raw file (DNG, NEF, CR2 ...) opens with as a TIFF?"""
    return bool(_DNG_VERSION in image.tag_v2 or image.tag_v2.get(_SUBFILE_TYPE, 0) == _REDUCED)


@functools.cache
def _readable_formats() -> tuple[str, ...]:
    Image.init()  # some formats are compiled into some installations of Pillow only
    with contextlib.suppress(ImportError):
        # The workers are as many as the processors already.
        importlib.import_module("pillow_heif").register_heif_opener(decode_threads=1)
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _drafted(image: Image.Image, scale: float) -> int:
    """Make a JPEG be decoded coarsely where that suffices; returns by how much."""
    fits = [shrink for shrink in (8, 4, 2) if shrink * scale <= 1]
    if not fits or image.format not in ("JPEG", "MPO"):
        return 1
    image.draft(None, (max(1, image.width // fits[0]), max(1, image.height // fits[0])))
    return fits[0]


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata do not spoil the pixels
        return None


def _plain(image: Image.Image) -> Image.Image:
    """The image as "L" or "RGB"."""
    if image.mode in ("L", "RGB"):
        if "transparency" not in image.info:
            return image
    elif image.mode in _SIXTEEN_BIT:
        return _to_8_bit(image)
    elif image.mode == "F":
        raise Unusable("floating-point pixels")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    # Pillow's own conversion clips at 255, which turns most 16-bit photos white.
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise Unusable("more than 16 bits")
    pixels = pixels.astype(np.uint32)
    if 255 < pixels.max() < 4096:  # a camera's 12 bits as they are: in 16 they would look black
        pixels = (pixels * 65535 + 2047) // 4095
    return Image.fromarray(((pixels + 128) // 257).astype(np.uint8))

"""What a file is that is no photo we can read, and what helps."""

from collections.abc import Iterable

from facewright.errors import MissingExtraError

_UNPACK = "unpack it, and name the folder"
_EXPORT = "export it as JPEG or PNG"
_ARRAY = "save its images as an array: numpy.save('images.npy', images), uint8 (N, H, W, C)"

HEIC = "HEIC, which needs the extra 'heic'"
RAW = "a camera's raw file"
NO_IMAGE = "not an image"

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

_BY_BEGINNING = {
    b"PK\x03\x04": "an archive",
    b"\x1f\x8b": "an archive",
    b"7z\xbc\xaf\x27\x1c": "an archive",
    b"Rar!": "an archive",
    b"\xfd7zXZ": "an archive",
    b"BZh": "an archive",
    b"\x28\xb5\x2f\xfd": "an archive",
    b"%PDF": "a PDF",
    b"8BPS": "a Photoshop file",
    b"\x1aE\xdf\xa3": "a video",
    b"\x89HDF": "an HDF5 file",
    b"\x80\x02": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x93NUMPY": "an array",
    b"PAR1": "a table",
    b"ARROW1": "a table",
}
_REMEDIES = {
    "an archive": _UNPACK,
    "encrypted": _UNPACK,
    "unfolds too far": f"{_UNPACK}, if you trust it",
    "unknown compression": _UNPACK,
    "a PDF": _EXPORT,
    "a Photoshop file": _EXPORT,
    RAW: _EXPORT,
    "a video": "save single frames of it: ffmpeg -i VIDEO -r 1 frames/%06d.png",
    "an HDF5 file": _ARRAY,
    "a pickle": f"{_ARRAY}; pickles are never read, because they may run any program",
    "an array": "name it by itself: arrays beside other files are not read",
    "a table": "name it by itself: tables beside photos are not read",
    "AVIF, which this Pillow cannot read": "pip install --upgrade pillow",
}


def kind_of_content(content: bytes) -> str:
    """What bytes are that no reader of photos knows, in words that are the same for their kind."""
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand in _HEIF_BRANDS:
            return HEIC
        if brand == b"crx ":
            return RAW
        return "AVIF, which this Pillow cannot read" if brand in (b"avif", b"avis") else "a video"
    known = (kind for magic, kind in _BY_BEGINNING.items() if content.startswith(magic))
    return next(known, NO_IMAGE)


def remedy(kinds: Iterable[str]) -> str:
    """What helps with the first of these kinds that anything helps with; empty if with none."""
    for kind in kinds:
        if kind == HEIC:
            return MissingExtraError.of("heic", "reading HEIC photos").fix
        if kind in _REMEDIES:
            return _REMEDIES[kind]
    return ""

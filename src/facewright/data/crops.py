"""Which part of a photo is kept, and how it becomes small."""

import functools
from dataclasses import dataclass
from typing import Literal, Protocol

from PIL import Image

from facewright.data.photo import Unusable
from facewright.errors import DataError

CropName = Literal["center", "celeba-108", "celeba-128", "face", "none"]

FILTER = Image.Resampling.LANCZOS
"""Antialiased, as all of Pillow's filters. Numbers are comparable within one filter only, so
its name is in every manifest. The pipelines of 2016 used BILINEAR, which is softer."""

_REDUCING_GAP = 3.0
"""Photos more than six times too large are first halved by whole factors: less than half of
the time at 200 -> 28 px, and 0.2 of 255 levels from the single step (at most 4)."""

RESIZE = f"Pillow {FILTER.name}, antialiased, reducing_gap {_REDUCING_GAP:g}"
"""The filter as the manifest names it."""

Box = tuple[float, float, float, float]


class Crop(Protocol):
    """Makes one small image out of a photo."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        ...

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The kept part at (height, width), or `Unusable`."""
        ...


@dataclass(frozen=True)
class FrameBox:
    """A fixed box in a fixed frame, as for CelebA's aligned photos.

    A photo that is a scaled copy of the frame gets the same part of the face: the box
    scales along and may lie between pixels.

    Args:
        name: of the crop.
        box: (left, top, right, bottom) in pixels of the frame.
        frame: (width, height) that the box refers to.
    """

    name: str
    box: tuple[int, int, int, int]
    frame: tuple[int, int] = (178, 218)

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {"name": self.name, "box": list(self.box), "frame": list(self.frame)}

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The kept part, at (height, width)."""
        x, y = photo.width / self.frame[0], photo.height / self.frame[1]
        # The smallest copies in use are a quarter of the size; below that any shape would fit.
        if x < 0.2 or abs(photo.height - x * self.frame[1]) > 1:
            raise Unusable(f"not the {self.frame[0]}x{self.frame[1]} frame of {self.name}")
        left, top, right, bottom = self.box
        return _resize(photo, size, (left * x, top * y, right * x, bottom * y))


@dataclass(frozen=True)
class Center:
    """The largest centred part that has the shape of the result."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {"name": "center", "box": "largest centred box of the result's aspect"}

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The kept part, at (height, width)."""
        scale = min(photo.height / size[0], photo.width / size[1])
        height, width = size[0] * scale, size[1] * scale
        left, top = (photo.width - width) / 2, (photo.height - height) / 2
        return _resize(photo, size, (left, top, left + width, top + height))


@dataclass(frozen=True)
class Whole:
    """The whole photo, stretched where its shape is another."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {"name": "none", "box": "whole photo"}

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The kept part, at (height, width)."""
        if photo.size == (size[1], size[0]):
            return photo
        return _resize(photo, size, (0, 0, photo.width, photo.height))


@dataclass(frozen=True)
class FaceCrop:
    """The main face, found by a detector and aligned by its landmarks (extra `faces`)."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {"name": "face", "box": "5 landmarks, FFHQ geometry"}

    def __call__(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The kept part, at (height, width)."""
        from facewright.data.faces import NoFaceError

        try:
            return _aligner().crop(photo.convert("RGB"), size)
        except NoFaceError:
            raise Unusable("no face found") from None


def crop_named(name: CropName, size: tuple[int, int]) -> Crop:
    """The crop of that name, checked against the wanted size.

    Args:
        name: of the crop.
        size: (height, width) of the result.

    Raises:
        DataError: the box would have to be stretched to fit the size.
        MissingExtraError: `face` without the extra `faces`.
    """
    if name == "face":
        _aligner()
    crop: Crop = {
        "celeba-108": FrameBox("celeba-108", (35, 55, 143, 163)),
        "celeba-128": FrameBox("celeba-128", (25, 57, 153, 185)),
        "center": Center(),
        "none": Whole(),
        "face": FaceCrop(),
    }[name]
    if isinstance(crop, FrameBox) and size[0] != size[1]:
        raise DataError(
            f"--crop {name} is square, --size is {size[0]}x{size[1]}",
            expected="a square size",
            fix=f"--size {size[0]}, or --crop center",
        )
    return crop


def _resize(photo: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    left, top, right, bottom = box
    # 30 * (250 / 30) is more than 250 by a rounding, and Pillow refuses a box beyond the photo.
    box = (max(left, 0.0), max(top, 0.0), min(right, photo.width), min(bottom, photo.height))
    return photo.resize((size[1], size[0]), FILTER, box=box, reducing_gap=_REDUCING_GAP)


@functools.cache
def _aligner():
    # One detector for each process: loading it takes longer than using it.
    from facewright.data.faces import FaceAligner

    return FaceAligner()

"""Which part of a photo is kept, and how it becomes small."""

import functools
import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from PIL import Image

from facewright.data.photo import Photo, Unusable
from facewright.errors import DataError

CropName = Literal["center", "celeba-108", "celeba-128", "face", "none"]
FacesName = Literal["one", "all"]

FILTER = Image.Resampling.LANCZOS
"""Antialiased, as all of Pillow's filters. Numbers are comparable within one filter only, so
its name is in every manifest. The pipelines of 2016 used BILINEAR, which is softer."""

_REDUCING_GAP = 3.0
"""Photos more than six times too large are first halved by whole factors: less than half of
the time at 200 -> 28 px, and 0.2 of 255 levels from the single step (at most 4)."""

FIRST_SIDE = 960
"""Pixels of the longer side with which a large JPEG is decoded at first. Twins are sought in that,
so that they depend on neither crop nor size; and photos below twice of it are decoded whole."""

_FINE = 2.0
"""Pixels of the decoded photo for one of the picture, if the photo has as many."""

RESIZE = (
    f"Pillow {FILTER.name}, antialiased, reducing_gap {_REDUCING_GAP:g}; JPEG decoded at 1/2, 1/4 "
    f"or 1/8 where that leaves {FIRST_SIDE} pixels of the photo and {_FINE:g} for each of a picture"
)
"""The filter as the manifest names it."""

NO_FACE = "no face found"
"""Why the crop `face` sets a photo aside."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Cut:
    """One picture, cut out of a photo.

    Args:
        image: of the wanted size, of mode "L" or "RGB".
        enlarged: how many of its pixels, side by side, show one of the photo. Above 1 the photo
            has too few.
    """

    image: Image.Image
    enlarged: float


class Crop(Protocol):
    """Makes small pictures out of a photo: one, or one of each face."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        ...

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
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

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
        """The kept part, at (height, width)."""
        width, height = photo.size
        x, y = width / self.frame[0], height / self.frame[1]
        # The smallest copies in use are a quarter of the size; below that any shape would fit.
        if x < 0.2 or abs(height - x * self.frame[1]) > 1:
            raise Unusable(f"not the {self.frame[0]}x{self.frame[1]} frame of {self.name}")
        left, top, right, bottom = self.box
        return _resize(photo, size, (left * x, top * y, right * x, bottom * y))


@dataclass(frozen=True)
class Center:
    """The largest centred part that has the shape of the result.

    Args:
        margin: share of that part's sides that is left out at each end.
    """

    margin: float = 0.0

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {
            "name": "center",
            "box": "largest centred box of the result's aspect",
            **_margin(self.margin),
        }

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
        """The kept part, at (height, width)."""
        width, height = photo.size
        scale = min(height / size[0], width / size[1]) * (1 - 2 * self.margin)
        kept_height, kept_width = size[0] * scale, size[1] * scale
        left, top = (width - kept_width) / 2, (height - kept_height) / 2
        return _resize(photo, size, (left, top, left + kept_width, top + kept_height))


@dataclass(frozen=True)
class Whole:
    """The whole photo, stretched where its shape is another."""

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {"name": "none", "box": "whole photo"}

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
        """The kept part, at (height, width)."""
        if photo.size == (size[1], size[0]):
            return [Cut(photo.at_least(1), 1.0)]
        return _resize(photo, size, (0, 0, *photo.size))


@dataclass(frozen=True)
class FaceCrop:
    """Faces, found by a detector and aligned by their landmarks (extra `faces`).

    Level eyes are 1/4 of the frame apart if the face is not much longer than usual and no margin
    is added. What lies outside the photo is its mirror image, blurred. The frame is a square of
    the longer side; the other is cut centrally, so that faces are never stretched.

    Args:
        margin: share of the frame's side that is added at each end.
        faces: the main face, or all.
    """

    margin: float = 0.0
    faces: FacesName = "one"

    @property
    def description(self) -> dict[str, object]:
        """Name and geometry, for the manifest."""
        return {
            "name": "face",
            "box": "5 landmarks, FFHQ geometry",
            **_margin(self.margin),
            **({"faces": self.faces} if self.faces != "one" else {}),
        }

    def __call__(self, photo: Photo, size: tuple[int, int]) -> list[Cut]:
        """The main face at (height, width), or every face, the main one first."""
        from facewright.data.alignment import NoFaceError, align, ffhq_quad

        finder, side = _finder(), max(size)
        pixels = round(_FINE * side)
        try:
            found = (
                finder.every(photo, pixels) if self.faces == "all" else [finder.main(photo, pixels)]
            )
        except NoFaceError:
            raise Unusable(NO_FACE) from None
        left, top = (side - size[1]) // 2, (side - size[0]) // 2
        cuts = []
        for face in found:
            quad = ffhq_quad(face.landmarks, self.margin)
            enlarged = side / math.dist(quad[0], quad[1])
            image = photo.at_least(_FINE * enlarged)
            quad = quad * (image.width / photo.size[0], image.height / photo.size[1])
            square = align(image, quad, side)
            picture = square.crop((left, top, left + size[1], top + size[0]))
            cuts.append(Cut(picture, enlarged))
        return cuts


def crop_named(
    name: CropName, size: tuple[int, int], *, margin: float = 0.0, faces: FacesName = "one"
) -> Crop:
    """The crop of that name, checked against the wanted size.

    Args:
        name: of the crop.
        size: (height, width) of the result.
        margin: `center`: share of the sides left out at each end; `face`: added at each end.
        faces: how many of a photo, for `face`.

    Raises:
        DataError: the box would have to be stretched to fit the size, or the crop has no such
            margin or no faces.
        MissingExtraError: `face` without the extra `faces`.
    """
    low, high = {"center": (0.0, 0.45), "face": (-0.25, 1.0)}.get(name, (0.0, 0.0))
    if not low <= margin <= high:
        raise DataError(
            f"--crop {name} --margin {margin:g}",
            expected=f"{low:g} to {high:g}" if high else "--margin with --crop center or face",
            fix="--margin 0.1" if high else "leave out --margin",
        )
    if faces != "one" and name != "face":
        raise DataError(
            f"--crop {name} --faces {faces}",
            expected="the crop that looks for faces",
            fix=f"--crop face --faces {faces}",
        )
    if name == "face":
        _finder()
    crop: Crop = {
        "celeba-108": FrameBox("celeba-108", (35, 55, 143, 163)),
        "celeba-128": FrameBox("celeba-128", (25, 57, 153, 185)),
        "center": Center(margin),
        "none": Whole(),
        "face": FaceCrop(margin, faces),
    }[name]
    if isinstance(crop, FrameBox) and size[0] != size[1]:
        raise DataError(
            f"--crop {name} is square, --size is {size[0]}x{size[1]}",
            expected="a square size",
            fix=f"--size {size[0]}, or --crop center",
        )
    return crop


def _resize(photo: Photo, size: tuple[int, int], box: Box) -> list[Cut]:
    left, top, right, bottom = box
    enlarged = max(size[1] / (right - left), size[0] / (bottom - top))
    image = photo.at_least(_FINE * enlarged)
    x, y = image.width / photo.size[0], image.height / photo.size[1]
    # 30 * (250 / 30) is more than 250 by a rounding, and Pillow refuses a box beyond the photo.
    box = (
        max(left * x, 0.0),
        max(top * y, 0.0),
        min(right * x, image.width),
        min(bottom * y, image.height),
    )
    picture = image.resize((size[1], size[0]), FILTER, box=box, reducing_gap=_REDUCING_GAP)
    return [Cut(picture, enlarged)]


def _margin(margin: float) -> dict[str, Any]:
    return {"margin": margin} if margin else {}


@functools.cache
def _finder():
    # One detector for each process: loading it takes longer than using it.
    from facewright.data.faces import FaceFinder

    return FaceFinder()

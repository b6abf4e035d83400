"""Find the main face of a photo and bring it upright into the frame."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from PIL import Image, ImageFilter

from facewright.errors import FacewrightError, MissingExtraError

LOOK_SIDES = (320, 960)
"""Longer side in pixels at which a photo is searched; the second only if the first finds none."""

CERTAIN = 0.9
"""Detections with a lower score are ignored."""


class NoFaceError(FacewrightError):
    """A photo in which no face was found."""


@dataclass(frozen=True)
class DetectedFace:
    """One detected face, in the photo's coordinates (0 is the left or upper edge of pixel 0).

    `box` is (left, top, right, bottom); `landmarks` is (5, 2): left eye, right eye, nose, left
    and right corner of the mouth, where left is the viewer's.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray

    @property
    def side(self) -> float:
        """The longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


class FaceAligner:
    """Crops photos to their main face, upright and always at the same place.

    One detector with one thread: `prepare` runs one aligner in each worker process.

    Raises:
        MissingExtraError: the extra `faces` is not installed.
    """

    def __init__(self) -> None:
        self._detector = _single_threaded_detector()

    def crop(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The main face of a photo.

        Args:
            image: RGB.
            size: (height, width) in pixels. The frame is a square of the longer side; the
                other side is cut centrally, so that faces are never stretched.

        Returns:
            RGB of that size. Level eyes are 1/4 of the frame apart if the face is not
            much longer than usual. What lies outside the photo is its mirror image, blurred.

        Raises:
            NoFaceError: no face was found.
        """
        height, width = size
        frame = max(size)
        square = align(image, ffhq_quad(self.find(image).landmarks), frame)
        left, top = (frame - width) // 2, (frame - height) // 2
        return square.crop((left, top, left + width, top + height))

    def find(self, image: Image.Image) -> DetectedFace:
        """The main face of a photo: the largest one, faces near the middle preferred.

        Args:
            image: RGB.

        Raises:
            NoFaceError: no face was found.
        """
        everything = (0.0, 0.0, float(image.width), float(image.height))
        for side in LOOK_SIDES:
            if faces := self._detect(image, everything, side):
                face = max(faces, key=lambda face: _prominence(face, image.size))
                return self._closer(image, face)
        raise NoFaceError(
            f"no face found in a photo of {image.width}x{image.height} pixels",
            expected="a face with visible eyes and mouth",
            fix="--crop center, if the faces are already in the middle",
        )

    def _closer(self, image: Image.Image, face: DetectedFace) -> DetectedFace:
        """The same face, from a second look if it fills little of the photo.

        The detector's landmarks are whole pixels of the scaled photo, too coarse on a face
        that is small there.
        """
        if face.side > 0.3 * max(image.size):
            return face
        left, top, right, bottom = face.box
        x, y, reach = (left + right) / 2, (top + bottom) / 2, face.side
        box = (
            max(0.0, x - reach),
            max(0.0, y - reach),
            min(float(image.width), x + reach),
            min(float(image.height), y + reach),
        )
        again = self._detect(image, box, LOOK_SIDES[0])
        return max(again, key=lambda other: _overlap(other.box, face.box), default=face)

    def _detect(
        self, image: Image.Image, box: tuple[float, float, float, float], side: int
    ) -> list[DetectedFace]:
        """All faces within a box of the photo, looked at with this many pixels."""
        left, top, right, bottom = box
        scale = side / max(right - left, bottom - top)
        seen_size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        seen = image.resize(seen_size, Image.Resampling.BICUBIC, box=box)
        found = self._detector.detect_faces(np.asarray(seen), score_threshold=CERTAIN)
        corner = np.array([left, top])

        def in_photo(x: float, y: float) -> np.ndarray:
            # The detector cuts off fractions, so a half is missing on average.
            return (np.array([x, y]) + 0.5) / scale + corner

        return [
            DetectedFace(
                box=(
                    *in_photo(f.x, f.y).tolist(),
                    *in_photo(f.x + f.width, f.y + f.height).tolist(),
                ),
                landmarks=np.array([in_photo(point.x, point.y) for point in f.landmarks]),
            )
            for f in found
        ]


def ffhq_quad(landmarks: np.ndarray) -> np.ndarray:
    """Which square of the photo shows this face in the way of FFHQ?

    The square turns with the face: its horizontal is the mean of the line through the eyes
    and the normal of the line from the eyes to the mouth. Its side is 4 times the distance of
    the eyes or 3.6 times that from eyes to mouth, whichever is longer (the first shrinks when
    the head turns), and its middle lies a tenth of the way from the eyes to the mouth.

    Args:
        landmarks: (5, 2) as in `DetectedFace`.

    Returns:
        (4, 2) corners: upper left, lower left, lower right, upper right, as seen by the face.

    Raises:
        NoFaceError: all landmarks in one point.

    Source: Karras et al. 2018, arXiv:1710.10196 appendix C, and 2019, arXiv:1812.04948. They
    use 68 landmarks; we use the eyes and mouth corners of five.
    """
    left_eye, right_eye, _, left_mouth, right_mouth = landmarks
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across, down = right_eye - left_eye, mouth - eyes
    horizontal = across + np.array([down[1], -down[0]])
    length = np.hypot(*horizontal)
    if length == 0:
        raise NoFaceError("eyes and mouth in one point", expected="a face seen from the front")
    half_side = max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down))
    x = horizontal * (half_side / length)
    y = np.array([-x[1], x[0]])
    centre = eyes + 0.1 * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def align(image: Image.Image, quad: np.ndarray, side: int) -> Image.Image:
    """Cut a turned square out of a photo, antialiased.

    Args:
        image: RGB.
        quad: (4, 2) corners as from `ffhq_quad`. Parts outside the photo show a blurred
            mirror image of it: a sharp one would put a second pair of eyes on the forehead.
        side: of the result, in pixels.

    Returns:
        (side, side) RGB.
    """
    # Bilinear sampling looks at four pixels only, so the photo may not be much finer than the
    # sheet it is sampled on: first shrink it by averaging, then sample at 4x, then filter.
    shrink = max(1, int(math.dist(quad[0], quad[1]) / (2 * side)))
    left, top = np.clip(np.floor(quad.min(axis=0)) - shrink, 0, image.size).astype(int)
    right, bottom = np.clip(np.ceil(quad.max(axis=0)) + shrink, 0, image.size).astype(int)
    part = image.crop((left, top, right, bottom)).reduce(shrink)
    part, quad = _extended(part, (quad - (left, top)) / shrink)
    sheet = part.transform(
        (4 * side, 4 * side),
        Image.Transform.QUAD,
        data=quad.ravel().tolist(),
        resample=Image.Resampling.BILINEAR,
    )
    return sheet.resize((side, side), Image.Resampling.LANCZOS)


def _extended(photo: Image.Image, quad: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """The photo continued to beyond the quad, and the quad's place in it."""
    before = np.maximum(0, np.ceil(-quad.min(axis=0))).astype(int)
    after = np.maximum(0, np.ceil(quad.max(axis=0) - photo.size)).astype(int)
    if not (before.any() or after.any()):
        return photo, quad
    across, down = zip(before.tolist(), after.tolist(), strict=True)
    mirrored = Image.fromarray(np.pad(np.asarray(photo), (down, across, (0, 0)), mode="reflect"))

    side = math.dist(quad[0], quad[1])
    beyond = [
        np.pad(np.zeros(length), pad, mode="linear_ramp", end_values=pad)
        for length, pad in zip(photo.size, (across, down), strict=True)
    ]
    # Full blur from a twentieth of the frame outwards, so that no edge shows.
    blur = np.minimum(1, np.maximum(beyond[0][None, :], beyond[1][:, None]) / (0.05 * side))
    mask = Image.fromarray(np.rint(255 * blur).astype(np.uint8))
    blurred = mirrored.filter(ImageFilter.GaussianBlur(0.06 * side))
    return Image.composite(blurred, mirrored, mask), quad + before


def _prominence(face: DetectedFace, size: tuple[int, int]) -> float:
    """Area, halved for a face at a corner of the photo."""
    left, top, right, bottom = face.box
    centre = ((left + right) / 2, (top + bottom) / 2)
    off_centre = math.dist(centre, (size[0] / 2, size[1] / 2)) / (math.hypot(*size) / 2)
    return (right - left) * (bottom - top) * (1 - 0.5 * off_centre)


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> float:
    """The area that two boxes share, over the area of both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def _single_threaded_detector() -> ModuleType:
    """The detector package, made to use one thread."""
    try:
        retinaface = importlib.import_module("retinaface")
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError:
        raise MissingExtraError.of("faces", "the crop 'face'") from None
    if retinaface.ONNX_SESSION is None:
        # The package would open a session that takes every core in every worker process.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            retinaface.WEIGHTS, options, providers=["CPUExecutionProvider"]
        )
        setattr(retinaface, "ONNX_SESSION", session)  # noqa: B010 - unknown to the type checker
    return retinaface

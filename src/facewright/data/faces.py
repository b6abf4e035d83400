"""Find the faces of a photo, however small they are in it."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from PIL import Image

from facewright.data.alignment import NoFaceError, ffhq_quad
from facewright.data.photo import Photo
from facewright.errors import MissingExtraError

LOOK_SIDES = (320, 960)
"""Longer side in pixels at which a whole photo is searched; the next only if none is found."""

FINER, WORTHWHILE = 3.0, 1.5
"""How much more finely each further search looks, as far as the photo has pixels; and how much
finer than the one before it has to be. A face that one search misses has some 30 pixels in it."""

TILE, OVERLAP = 960, 160
"""Pixels of the parts in which a photo is searched that is larger than `LOOK_SIDES`, and those
that neighbours share: a face missed before lies whole in one of them."""

CERTAIN = 0.9
"""Detections with a lower score are ignored."""

_SAME = 0.5  # share of the smaller box above which two boxes show one face
_REDUCING_GAP = 3.0  # large photos are halved by whole factors first, as all crops are

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class DetectedFace:
    """One detected face, in the photo's coordinates (0 is the left or upper edge of pixel 0).

    `box` is (left, top, right, bottom); `landmarks` is (5, 2): left eye, right eye, nose, left
    and right corner of the mouth, where left is the viewer's.
    """

    box: Box
    landmarks: np.ndarray

    @property
    def side(self) -> float:
        """The longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


class FaceFinder:
    """Finds faces in photos.

    One detector with one thread: `prepare` runs one finder in each worker process.

    Raises:
        MissingExtraError: the extra `faces` is not installed.
    """

    def __init__(self) -> None:
        self._detector = _single_threaded_detector()

    def main(self, photo: Photo, pixels: int = 0) -> DetectedFace:
        """The main face of a photo: the largest one, faces near the middle preferred.

        Args:
            photo: decoded more finely where its faces are small.
            pixels: that the frame of the face should have, if the photo has as many.

        Raises:
            NoFaceError: no face was found.
        """
        for scale, parts in _looks(photo.size):
            for face in _by_prominence(self._search(photo, scale, parts), photo.size):
                if nearer := self._closer(photo, face, pixels, doubtful=len(parts) > 1):
                    return nearer
        raise _no_face(photo)

    def every(self, photo: Photo, pixels: int = 0) -> list[DetectedFace]:
        """All faces of a photo, the main one first.

        Args:
            photo: decoded as finely as it goes.
            pixels: that the frame of a face should have, if the photo has as many.

        Raises:
            NoFaceError: no face was found.
        """
        faces: list[DetectedFace] = []

        def is_new(face: DetectedFace) -> bool:
            return all(_shared(face.box, other.box) < _SAME for other in faces)

        for scale, parts in _looks(photo.size):
            # The largest first: of a face at the edge of a part, another part shows more.
            found = sorted(self._search(photo, scale, parts), key=lambda f: f.side, reverse=True)
            for face in filter(is_new, found):
                nearer = self._closer(photo, face, pixels, doubtful=len(parts) > 1)
                if nearer and is_new(nearer):
                    faces.append(nearer)
        if not faces:
            raise _no_face(photo)
        return _by_prominence(faces, photo.size)

    def _search(self, photo: Photo, scale: float, parts: list[Box]) -> list[DetectedFace]:
        photo.at_least(scale)
        return [face for part in parts for face in self._detect(photo, part, scale)]

    def _closer(
        self, photo: Photo, face: DetectedFace, pixels: int, *, doubtful: bool
    ) -> DetectedFace | None:
        """The same face, from a second look if it fills little of the photo.

        The detector's landmarks are whole pixels of the scaled photo, too coarse on a face
        that is small there. A doubtful face that the second look does not find is none.
        """
        if face.side > 0.3 * max(photo.size):
            return face
        quad = ffhq_quad(face.landmarks)
        photo.at_least(pixels / math.dist(quad[0], quad[1]))
        left, top, right, bottom = face.box
        x, y, reach = (left + right) / 2, (top + bottom) / 2, face.side
        box = (
            max(0.0, x - reach),
            max(0.0, y - reach),
            min(float(photo.size[0]), x + reach),
            min(float(photo.size[1]), y + reach),
        )
        again = self._detect(photo, box, LOOK_SIDES[0] / max(box[2] - box[0], box[3] - box[1]))
        nearest = max(again, key=lambda other: _overlap(other.box, face.box), default=None)
        if nearest and _shared(nearest.box, face.box) >= _SAME:
            return nearest
        return None if doubtful else face

    def _detect(self, photo: Photo, box: Box, scale: float) -> list[DetectedFace]:
        """All faces within a box of the photo, looked at with so many pixels for one of its."""
        image = photo.at_least()
        x, y = image.width / photo.size[0], image.height / photo.size[1]
        left, top, right, bottom = box
        seen = image.resize(
            (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))),
            Image.Resampling.BICUBIC,
            box=(left * x, top * y, min(right * x, image.width), min(bottom * y, image.height)),
            reducing_gap=_REDUCING_GAP,
        ).convert("RGB")
        found = self._detector.detect_faces(np.asarray(seen), score_threshold=CERTAIN)
        corner = np.array([left, top])

        def in_photo(x: float, y: float) -> np.ndarray:
            # The detector cuts off fractions, so a half is missing on average.
            return (np.array([x, y]) + 0.5) / scale + corner

        faces = (
            DetectedFace(
                box=(
                    *in_photo(f.x, f.y).tolist(),
                    *in_photo(f.x + f.width, f.y + f.height).tolist(),
                ),
                landmarks=np.array([in_photo(point.x, point.y) for point in f.landmarks]),
            )
            for f in found
        )
        return [face for face in faces if _has_frame(face)]


def _looks(size: tuple[int, int]) -> Iterator[tuple[float, list[Box]]]:
    """How finely a photo is searched, ever more: the scale, and the parts looked at."""
    longer = max(size)
    for side in LOOK_SIDES:
        yield side / longer, [(0.0, 0.0, float(size[0]), float(size[1]))]
    side = float(LOOK_SIDES[-1])
    while longer >= WORTHWHILE * side:
        side = min(FINER * side, longer)
        yield side / longer, _parts(size, side / longer)


def _parts(size: tuple[int, int], scale: float) -> list[Box]:
    """The photo in parts that overlap."""
    spans = []
    for length in size:
        seen = length * scale
        count = max(1, math.ceil((seen - OVERLAP) / (TILE - OVERLAP)))
        reach = (seen + (count - 1) * OVERLAP) / count / scale
        spans.append([(start, start + reach) for start in np.linspace(0, length - reach, count)])
    return [(left, top, right, bottom) for top, bottom in spans[1] for left, right in spans[0]]


def _by_prominence(faces: list[DetectedFace], size: tuple[int, int]) -> list[DetectedFace]:
    """By area, halved for a face at a corner of the photo; the most prominent first."""

    def prominence(face: DetectedFace) -> float:
        left, top, right, bottom = face.box
        centre = ((left + right) / 2, (top + bottom) / 2)
        off_centre = math.dist(centre, (size[0] / 2, size[1] / 2)) / (math.hypot(*size) / 2)
        return _area(face.box) * (1 - 0.5 * off_centre)

    return sorted(faces, key=prominence, reverse=True)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _in_both(one: Box, other: Box) -> float:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    return _area((left, top, min(one[2], other[2]), min(one[3], other[3])))


def _overlap(one: Box, other: Box) -> float:
    """The area that two boxes share, over the area of both."""
    shared = _in_both(one, other)
    return shared / (_area(one) + _area(other) - shared)


def _shared(one: Box, other: Box) -> float:
    """The area that two boxes share, over that of the smaller."""
    return _in_both(one, other) / min(_area(one), _area(other))


def _has_frame(face: DetectedFace) -> bool:
    try:
        return bool(ffhq_quad(face.landmarks).size)
    except NoFaceError:
        return False


def _no_face(photo: Photo) -> NoFaceError:
    return NoFaceError(
        f"no face found in a photo of {photo.size[0]}x{photo.size[1]} pixels",
        expected="a face with visible eyes and mouth",
        fix="--crop center, if the faces are already in the middle",
    )


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

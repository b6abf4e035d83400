"""Where the frame of a face lies in its photo, and how it is cut out."""

import math

import numpy as np
from PIL import Image, ImageFilter

from facewright.errors import FacewrightError


class NoFaceError(FacewrightError):
    """A photo in which no face was found."""


def ffhq_quad(landmarks: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Which square of the photo shows this face in the way of FFHQ?

    The square turns with the face: its horizontal is the mean of the line through the eyes
    and the normal of the line from the eyes to the mouth. Its side is 4 times the distance of
    the eyes or 3.6 times that from eyes to mouth, whichever is longer (the first shrinks when
    the head turns), and its middle lies a tenth of the way from the eyes to the mouth.

    Args:
        landmarks: (5, 2) as in `DetectedFace`.
        margin: how much more is shown on each side, as a share of the square's; less below 0.

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
        raise NoFaceError(
            "eyes and mouth in one point",
            expected="a face seen from the front",
            fix="another photo, or another --crop",
        )
    half_side = max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down)) * (1 + 2 * margin)
    x = horizontal * (half_side / length)
    y = np.array([-x[1], x[0]])
    centre = eyes + 0.1 * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def align(image: Image.Image, quad: np.ndarray, side: int) -> Image.Image:
    """Cut a turned square out of a photo, antialiased.

    Args:
        image: of mode "L" or "RGB".
        quad: (4, 2) corners as from `ffhq_quad`. Parts outside the photo show a blurred
            mirror image of it: a sharp one would put a second pair of eyes on the forehead.
        side: of the result, in pixels.

    Returns:
        (side, side), of the mode of the image.
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
    pixels = np.asarray(photo)
    around = (down, across, (0, 0))[: pixels.ndim]
    mirrored = Image.fromarray(np.pad(pixels, around, mode="reflect"))

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

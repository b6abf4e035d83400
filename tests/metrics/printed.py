"""Digits in print, white on black as MNIST's are, for tests that do without MNIST."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def printed_digits(size: int = 28) -> np.ndarray:
    """(10, size, size, 1) uint8: the digits 0 to 9 in Pillow's own font."""
    font = ImageFont.load_default(size * 22 / 28)
    images = []
    for digit in range(10):
        image = Image.new("L", (size, size))
        ImageDraw.Draw(image).text((size / 2, size / 2), str(digit), 255, font, anchor="mm")
        images.append(np.asarray(image))
    return np.stack(images)[..., None]

"""Small pictures that stand for photos in the tests of `prepare`."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (60, 60)) -> Image.Image:
    """Random blobs of colour, (width, height) pixels; each seed has another perceptual hash."""
    cells = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file's bytes."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def write_pictures(folder: Path, count: int, first: int = 0, **options: Any) -> Path:
    """`count` pictures named 000.png and on."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        picture(first + i, **options).save(folder / f"{i:03d}.png")
    return folder

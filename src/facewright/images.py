"""Between stored pixels (uint8) and what the networks see (float in [-1, 1])."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from facewright.errors import FacewrightError

if TYPE_CHECKING:  # `prepare` draws its sheet without loading torch
    from torch import Tensor

NUMBERS_AT_ONCE = 512 * 3 * 64 * 64
"""Values in the images that pass through a network at once outside training."""


def at_once(shape: Sequence[int]) -> int:
    """How many images of (C, H, W) pass through a network at once: fewer where they are large."""
    return max(1, NUMBERS_AT_ONCE // math.prod(shape))


def to_model_range(pixels: np.ndarray) -> Tensor:
    """Stored pixels as the networks see them.

    Args:
        pixels: (N, H, W, C) uint8.

    Returns:
        (N, C, H, W) float32 in [-1, 1].
    """
    import torch

    # Copied, because a memory-mapped store is read-only and torch has no read-only tensors.
    return (
        torch.from_numpy(np.array(pixels, order="C"))
        .permute(0, 3, 1, 2)
        .contiguous()
        .float()
        .div_(127.5)
        .sub_(1)
    )


def to_pixels(images: Tensor) -> np.ndarray:
    """Generated images as stored pixels: rounded, never truncated, and clipped.

    Args:
        images: (N, C, H, W) float in [-1, 1]; values outside are clipped.

    Returns:
        (N, H, W, C) uint8.
    """
    import torch

    scaled = images.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.to("cpu", torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def grid(pixels: np.ndarray, columns: int = 0, gap: int = 2) -> np.ndarray:
    """All images on one sheet, row by row.

    Args:
        pixels: (N, H, W, C) uint8, N >= 1.
        columns: images in a row; 0 makes the sheet about square.
        gap: white pixels between images.

    Returns:
        (rows * (H + gap) + gap, columns * (W + gap) + gap, C) uint8.
    """
    count, height, width, channels = pixels.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255)
    for i, image in enumerate(pixels):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet.astype(np.uint8)


def save_png(
    pixels: np.ndarray, path: Path, scale: int = 1, text: Mapping[str, str] | None = None
) -> None:
    """Write one (H, W, C) uint8 image as PNG, whole or not at all.

    Args:
        pixels: C is 1 (gray) or 3 (RGB).
        path: written to a temporary name first, then renamed.
        scale: how many pixels each pixel becomes, for looking at small images.
        text: what the file says of itself, as keyword and text in Latin-1.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise FacewrightError(
            f"an image of shape {pixels.shape}",
            expected="(H, W, 1) or (H, W, 3)",
            fix="one or three channels, as the last axis",
        )
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    chunks = PngInfo()
    for keyword, words in (text or {}).items():
        chunks.add_text(keyword, words)
    image.save(temporary, format="PNG", pnginfo=chunks)
    os.replace(temporary, path)

"""`facewright-faces`: generated faces that come with Facewright, so that no photos are needed.

All of them are on one lossless WebP sheet: a quarter smaller than raw pixels packed by LZMA, as
small as prediction and LZMA made to measure, and one file that any viewer shows.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from facewright.data.labels import Labels
from facewright.data.sources.source import Source, as_it_is
from facewright.errors import DataError
from facewright.images import grid
from facewright.installation import reinstall

NAME = "facewright-faces"
FOLDER = Path(__file__).parents[1] / "synthetic"
FORMAT = "facewright-faces-1"
FACTS = {"licence", "model", "seed", "drawn", "dropped", "audit"}
"""What must be said of synthetic images: terms, who drew them, and what was left out why."""


def pack(pixels: np.ndarray, facts: Mapping[str, Any], folder: Path) -> Path:
    """Write a set of generated images in the form in which it ships.

    Args:
        pixels: (N, H, W, 3) uint8.
        facts: at least `FACTS`.
        folder: gets `NAME` with .webp and .json.

    Returns:
        The sheet.

    Raises:
        DataError: no such images, or a fact is missing.
    """
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8 or not len(pixels):
        raise DataError(
            f"images of shape {pixels.shape}",
            expected="(N, H, W, 3) uint8",
            fix="the array that facewright generate MODEL --out images.npy writes",
        )
    if missing := FACTS - facts.keys():
        raise DataError(
            f"nothing is said of {', '.join(sorted(missing))}",
            expected="all facts",
            fix="scripts/synthetic_faces.py, which says them",
        )
    count, height, width, _ = pixels.shape
    columns = math.isqrt(count - 1) + 1
    about = {
        "format": FORMAT,
        "count": count,
        "size": [height, width],
        "columns": columns,
        "pixels_sha256": _hash(pixels),
        **facts,
    }
    content = io.BytesIO()
    sheet = Image.fromarray(grid(pixels, columns, gap=0))
    sheet.save(content, "WEBP", lossless=True, quality=100, method=6)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.webp").write_bytes(content.getvalue())
    (folder / f"{NAME}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return folder / f"{NAME}.webp"


def synthetic() -> Source:
    """The generated faces of this installation.

    Raises:
        DataError: it has none, or they are damaged.
    """
    about = _read_about(FOLDER / f"{NAME}.json")
    pixels = _read_pixels(FOLDER / f"{NAME}.webp", about)
    drawn, dropped = about["drawn"], about["dropped"]
    return Source(
        kind=NAME,
        place=NAME,
        licence=about["licence"],
        names=[f"{NAME}-{number:05d}" for number in range(len(pixels))],
        addresses=pixels,
        read=as_it_is,
        labels=Labels.none(len(pixels)),
        notes=(
            f"no photographs: {len(pixels):,} of {drawn:,} images drawn by {about['model']['name']}"
            f"; {dropped:,} dropped because they came close to a photo it was trained on",
        ),
    )


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{NAME} is not part of this installation",
            expected=f"{path.name} and {NAME}.webp in {path.parent}",
            fix="facewright prepare drawn --out STORE --size 32 --crop none",
        ) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    known = {"format", "count", "size", "columns", "pixels_sha256"} | FACTS
    if not isinstance(about, dict) or about.get("format") != FORMAT or not about.keys() >= known:
        raise _damaged(path, f"it is not of the format {FORMAT}")
    return about


def _read_pixels(path: Path, about: Mapping[str, Any]) -> np.ndarray:
    """(N, H, W, 3) uint8, cut out of the sheet."""
    (height, width), columns, count = about["size"], about["columns"], about["count"]
    try:
        with Image.open(path, formats=("WEBP",)) as image:
            sheet = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _damaged(path, str(error)) from None
    rows = -(-count // columns)
    if sheet.shape != (rows * height, columns * width, 3):
        raise _damaged(path, f"a sheet of shape {sheet.shape}")
    cells = sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    pixels = np.ascontiguousarray(cells.reshape(-1, height, width, 3)[:count])
    if _hash(pixels) != about["pixels_sha256"]:
        raise _damaged(path, "other pixels than were packed")
    return pixels


def _hash(pixels: np.ndarray) -> str:
    return hashlib.sha256(f"{pixels.shape}\n".encode() + pixels.tobytes()).hexdigest()


def _damaged(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} is damaged: {found}",
        expected="the file that was packed",
        fix=reinstall(),
    )

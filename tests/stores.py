"""Small stores for tests of training, written without `prepare`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from facewright.data.store import FORMAT, content_hash


def write_store(
    path: Path, *, count: int = 96, size: int = 16, channels: int = 3, labelled: bool = True
) -> Path:
    """Blobs of random colours, with labels of colour and place: learnable, in milliseconds."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:size, 0:size] / size
    centres, colours = rng.uniform(0.3, 0.7, (count, 2)), rng.uniform(0.3, 1, (count, channels))
    away = np.hypot(
        rows - centres[:, 0, None, None],
        columns - centres[:, 1, None, None],
    )
    pixels = np.exp(-((away / 0.2) ** 2))[..., None] * colours[:, None, None]
    reddish = (colours[:, 0] > colours[:, -1]).astype(np.float32)
    reddish[::16] = np.nan
    quarter = 2 * (centres[:, 0] > 0.5) + (centres[:, 1] > 0.5)
    return write_photos(path, pixels, {"reddish": reddish, "quarter": quarter} if labelled else {})


def write_two_colours(path: Path, *, count: int = 256, size: int = 16) -> Path:
    """Plain images, whose label says whether they are red or blue; of some it is not known."""
    rng = np.random.default_rng(1)
    red = np.arange(count) % 2
    pixels = np.zeros((count, size, size, 3))
    pixels[np.arange(count), :, :, np.where(red, 0, 2)] = 0.8
    pixels *= rng.uniform(0.8, 1.2, (count, 1, 1, 1))
    return write_photos(path, pixels, {"red": np.where(np.arange(count) % 13, red, np.nan)})


def write_photos(path: Path, pixels: np.ndarray, labels: dict[str, np.ndarray]) -> Path:
    """A store of these pixels, (N, H, W, C) in [0, 1], of which the first quarter is held out.

    A label with values beyond 0 and 1 becomes one of classes, "0", "1" and so on.
    """
    path.mkdir(parents=True)
    held_out = len(pixels) // 4
    stored = (pixels * 255).astype(np.uint8)
    np.save(path / "train.npy", stored[held_out:])
    np.save(path / "val.npy", stored[:held_out])
    if labels:
        table = np.stack(list(labels.values()), axis=1).astype(np.float32)
        np.save(path / "labels.npy", np.concatenate([table[held_out:], table[:held_out]]))
    manifest = {
        "format": FORMAT,
        "counts": {"train": len(pixels) - held_out, "val": held_out},
        "size": list(pixels.shape[1:3]),
        "channels": pixels.shape[3],
        "labels": [_column(name, values) for name, values in labels.items()],
        "content_hash": content_hash(path),
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def _column(name: str, values: np.ndarray) -> dict[str, Any]:
    most = int(np.nanmax(values))
    if most < 2:
        return {"name": name, "kind": "binary"}
    return {"name": name, "kind": "class", "classes": [str(i) for i in range(most + 1)]}

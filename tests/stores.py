"""Small stores for tests of training, written without `prepare`."""

import json
from pathlib import Path

import numpy as np

from facewright.data.store import FORMAT, content_hash


def write_store(path: Path, *, count: int = 96, size: int = 16, channels: int = 3) -> Path:
    """Blobs of random colours: learnable, and made in milliseconds."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:size, 0:size] / size
    centres, colours = rng.uniform(0.3, 0.7, (count, 2)), rng.uniform(0.3, 1, (count, channels))
    away = np.hypot(
        rows - centres[:, 0, None, None],
        columns - centres[:, 1, None, None],
    )
    pixels = np.exp(-((away / 0.2) ** 2))[..., None] * colours[:, None, None]
    path.mkdir(parents=True)
    held_out = count // 4
    np.save(path / "train.npy", (pixels[held_out:] * 255).astype(np.uint8))
    np.save(path / "val.npy", (pixels[:held_out] * 255).astype(np.uint8))
    manifest = {
        "format": FORMAT,
        "counts": {"train": count - held_out, "val": held_out},
        "size": [size, size],
        "channels": channels,
        "labels": [],
        "content_hash": content_hash(path),
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path

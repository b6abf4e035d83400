"""A store of printed digits with labels, for lessons in tests that do without MNIST."""

import json
from pathlib import Path

import numpy as np

from facewright.data.store import FORMAT, content_hash
from tests.metrics.printed import printed_digits

COPIES = 30


def write_digit_store(path: Path, size: int = 16) -> Path:
    """Each digit many times, shifted a little; a third is held out."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), COPIES)
    pixels = printed_digits(size)[labels]
    for row, (down, right) in enumerate(rng.integers(-1, 2, (len(pixels), 2))):
        pixels[row] = np.roll(pixels[row], (down, right), axis=(0, 1))
    held_out = len(pixels) // 3
    path.mkdir(parents=True)
    np.save(path / "train.npy", pixels[held_out:])
    np.save(path / "val.npy", pixels[:held_out])
    order = np.concatenate([labels[held_out:], labels[:held_out]])
    np.save(path / "labels.npy", order[:, None].astype(np.float32))
    manifest = {
        "format": FORMAT,
        "counts": {"train": len(pixels) - held_out, "val": held_out},
        "size": [size, size],
        "channels": 1,
        "labels": [{"name": "class", "kind": "class", "classes": list("0123456789")}],
        "content_hash": content_hash(path),
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path

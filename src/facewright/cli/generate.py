"""`facewright generate`: new faces from a trained generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from facewright.errors import FacewrightError
from facewright.records.checkpoints import Which
from facewright.sampling.provenance import Provenance
from facewright.sampling.sample import load_generator, sample, write


@dataclass(frozen=True)
class Generated:
    """What was written."""

    out: Path
    count: int
    size: tuple[int, int]
    model: Path
    images_seen: int

    def as_json(self) -> dict[str, Any]:
        """Where the images are, and which checkpoint or bundle made them."""
        return {
            "out": str(self.out),
            "count": self.count,
            "height": self.size[0],
            "width": self.size[1],
            "checkpoint": str(self.model),
            "images_seen": self.images_seen,
        }

    def __rich__(self) -> str:
        return f"{self.count} images of {self.size[0]}x{self.size[1]} in {self.out} ({self.model})"


def generate(
    model: Annotated[Path, tyro.conf.Positional],
    *,
    out: Path,
    count: int = 64,
    seed: int = 0,
    grid: bool = False,
    checkpoint: Which = "newest",
) -> Generated:
    """Generate faces with a trained model.

    Args:
        model: run folder, bundle (NAME.safetensors), or the name of a bundled model.
        out: folder for PNG files; one PNG with --grid; a uint8 array (N,H,W,C) if it ends in .npy.
        count: how many.
        seed: face i of a seed is the same whatever the count.
        grid: all faces on one sheet.
        checkpoint: of a run: the newest, or the one with the best score on held-out photos.

    Raises:
        RunError: there is no such model.
        BundleError: the bundle is damaged or foreign.
        CheckpointError: the run has no usable checkpoint.
    """
    if count < 1:
        raise FacewrightError(f"--count {count}", expected="at least 1")
    generator = load_generator(model, checkpoint)
    pixels = sample(generator, count=count, seed=seed)
    write(pixels, out, as_grid=grid, maker=Provenance(generator.sha256, seed))
    return Generated(
        out, count, (pixels.shape[1], pixels.shape[2]), generator.path, generator.images_seen
    )

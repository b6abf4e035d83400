"""New faces from a trained generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.actions.arguments import assignments
from facewright.choices import Choice
from facewright.errors import FacewrightError
from facewright.models.open_model import open_model
from facewright.sampling.provenance import Provenance
from facewright.sampling.sample import sample, with_labels, write


@dataclass(frozen=True)
class Generated:
    """What was written."""

    out: Path
    count: int
    size: tuple[int, int]
    model: Path
    images_seen: int
    labels: dict[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """Where the images are, and which checkpoint or bundle made them.

        A label is null where it was not requested, but drawn as among the training photos.
        """
        return {
            "out": str(self.out),
            "count": self.count,
            "height": self.size[0],
            "width": self.size[1],
            "checkpoint": str(self.model),
            "images_seen": self.images_seen,
            "labels": self.labels,
        }


def generate(
    model: Path,
    *,
    out: Path,
    count: int = 64,
    seed: int = 0,
    grid: bool = False,
    label: tuple[str, ...] = (),
    checkpoint: Choice = "newest",
) -> Generated:
    """Generate faces with a trained model.

    Examples:
        facewright generate runs/mine --out faces.png --grid
        facewright generate faces-28 --out faces --count 1000 --seed 7

    Args:
        model: run folder, bundle (NAME.safetensors), or the name of a bundled model.
        out: folder for PNG files; one PNG with --grid; a uint8 array (N,H,W,C) if it ends in .npy.
        count: how many.
        seed: face i of a seed is the same whatever the count.
        grid: all faces on one sheet.
        label: of a model trained with `--set data.labels=...`: what to ask for, as NAME=VALUE,
            for example --label Smiling=1 --label Male=0; from Python also a dict. Labels
            that are not named are drawn as photos with the named ones have them.
        checkpoint: of a run: the newest, or the one with the best score on held-out photos.

    Raises:
        RunError: there is no such model.
        BundleError: the bundle is damaged or foreign.
        CheckpointError: the run has no usable checkpoint.
        ConfigError: a label or a value that the model does not know.
    """
    if count < 1:
        raise FacewrightError(f"--count {count}", expected="at least 1", fix="--count 64")
    requests = assignments(label)
    source = with_labels(open_model(model, checkpoint), requests)
    pixels = sample(source, count=count, seed=seed)
    requested = dict(request.split("=", 1) for request in requests)
    write(pixels, out, as_grid=grid, maker=Provenance(source.sha256, seed, requested))
    return Generated(
        out,
        count,
        (pixels.shape[1], pixels.shape[2]),
        source.path,
        source.images_seen,
        {one.name: requested.get(one.name) for one in source.conditioning.labels},
    )

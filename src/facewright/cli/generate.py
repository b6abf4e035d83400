"""`facewright generate`: new faces from a trained generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.text import Text

from facewright.cli.arguments import assignments
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
    labels: dict[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """Where the images are, and which checkpoint or bundle made them.

        A label is null where it was not asked for, but drawn as among the training photos.
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

    def __rich__(self) -> Text:
        asked = [f"{name}={value}" for name, value in self.labels.items() if value is not None]
        return Text(
            f"{self.count} image{'s' if self.count > 1 else ''} of {self.size[0]}x{self.size[1]}"
            f"{' with ' if asked else ''}{', '.join(asked)} in {self.out} ({self.model}, "
            f"{self.images_seen:,} images seen)"
        )


def generate(
    model: Annotated[Path, tyro.conf.Positional],
    *,
    out: Path,
    count: int = 64,
    seed: int = 0,
    grid: bool = False,
    label: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    checkpoint: Which = "newest",
) -> Generated:
    """Generate faces with a trained model.

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
        raise FacewrightError(f"--count {count}", expected="at least 1")
    wishes = assignments(label)
    generator = load_generator(model, checkpoint).asked(wishes)
    pixels = sample(generator, count=count, seed=seed)
    asked = dict(wish.split("=", 1) for wish in wishes)
    write(pixels, out, as_grid=grid, maker=Provenance(generator.sha256, seed, asked))
    return Generated(
        out,
        count,
        (pixels.shape[1], pixels.shape[2]),
        generator.path,
        generator.images_seen,
        {one.name: asked.get(one.name) for one in generator.conditioning.labels},
    )

"""`facewright demo`: the main job, start to end, on faces that Facewright draws itself."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from facewright.cli.generate import generate
from facewright.cli.prepare import prepare
from facewright.cli.report import report
from facewright.cli.resume import resume
from facewright.cli.train import train
from facewright.records.folder import RunFolder

DRAWINGS = 6000
SIZE = 32


@dataclass(frozen=True)
class Demonstrated:
    """Where the results of the demo are."""

    sheet: Path
    page: Path
    run: Path
    seconds: float
    exit_status: int = 0

    def as_json(self) -> dict[str, Any]:
        """The files, and how long it all took."""
        return {
            "sheet": str(self.sheet),
            "report": str(self.page),
            "run": str(self.run),
            "seconds": round(self.seconds, 1),
        }

    def __rich__(self) -> str:
        return (
            f"done in {self.seconds / 60:.1f} minutes\n"
            f"generated faces: {self.sheet}\n"
            f"report:          {self.page}\n"
            f"next: facewright prepare PHOTOS --out stores/mine --size 28 --crop face"
        )


def demo(*, out: Path = Path("demo"), images: int | None = None, seed: int = 0) -> Demonstrated:
    """Prepare, train, generate and report on drawn faces, in minutes on a laptop CPU.

    Called again after an interruption it goes on where it stopped.

    Args:
        out: folder for everything that is made.
        images: images to show in training; the recipe's number if not given.
        seed: every random number follows from it.

    Raises:
        FacewrightError: `out` cannot be used.
    """
    started = time.perf_counter()
    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    store, run = out / "store", out / "run"

    say(f"[1/4] drawing {DRAWINGS:,} faces of {SIZE}x{SIZE} into {store}")
    if not store.exists():
        prepare("drawn", out=store, size=SIZE, count=DRAWINGS, seed=seed, crop="none")

    say(f"[2/4] training a generator on them in {run} (Ctrl-C saves; the same command goes on)")
    if RunFolder(run).config.exists():
        trained = resume(run, data=store, images=images)
    else:
        trained = train(recipe="drawn-32", data=store, out=run, images=images, seed=seed)
    if trained.exit_status == 130:
        raise KeyboardInterrupt

    say("[3/4] generating new faces")
    sheet = generate(run, out=out / "faces.png", grid=True, seed=seed).out

    say("[4/4] writing the report")
    page = report(run, out=out / "report.html").page
    return Demonstrated(sheet, page, run, time.perf_counter() - started, trained.exit_status)

"""The main job, start to end, on faces that come with Facewright."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facewright import settings
from facewright.actions.diagnose import Diagnosed, diagnose
from facewright.actions.events import Note, OnEvent, ignore
from facewright.actions.generate import generate
from facewright.actions.prepare import prepare
from facewright.actions.report import report
from facewright.actions.resume import resume
from facewright.actions.train import train
from facewright.config import Config
from facewright.data.store import Store
from facewright.errors import FacewrightError, StoppedError
from facewright.planning.pace import round_down
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import schedule_for, shorter
from facewright.records import record
from facewright.records.rows import MetricRow, RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import newest_metrics


@dataclass(frozen=True)
class Programme:
    """What the demo trains on what.

    Args:
        source: of the faces, as `facewright prepare` takes it.
        count: how many are drawn, where the source is a series of drawings.
        size: side of the images in pixels.
        recipe: that fits them.
        images: shown in training, for a demo of less than three minutes.
    """

    source: str
    count: int
    size: int
    recipe: str
    images: int


DEMO = Programme(source="facewright-faces", count=4000, size=28, recipe="fast-28", images=36_000)
"""The one place that says what the demo does."""

UNMEASURED = ("record.equilibrium_images=0", "record.final_samples=0")
"""What the demo leaves to `facewright equilibrium` and `evaluate`: the equilibrium probe takes a
tenth of the whole demo, and on a slow machine, where training takes long enough to be evaluated
at its end, Inception's features would take longer than training."""


@dataclass(frozen=True)
class Demonstrated:
    """Where the results of the demo are, and how good they are.

    Args:
        sheet: of generated faces.
        page: the report.
        run: the training.
        diagnosed: the doctor's verdict.
        scores: rows of `metrics.jsonl` about the end of the training.
        seconds: that it all took.
        exit_status: that of the training.
    """

    sheet: Path
    page: Path
    run: Path
    diagnosed: Diagnosed
    scores: list[dict[str, Any]]
    seconds: float
    exit_status: int = 0

    def as_json(self) -> dict[str, Any]:
        """The files, the verdict, the scores, and how long it all took."""
        return {
            "sheet": str(self.sheet),
            "report": str(self.page),
            "run": str(self.run),
            "verdict": self.diagnosed.diagnosis.verdict,
            "grade": self.diagnosed.diagnosis.grade,
            "metrics": self.scores,
            "seconds": round(self.seconds, 1),
        }


def demo(
    *,
    out: Path = Path("demo"),
    images: int | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Demonstrated:
    """Prepare, train, generate, diagnose and report, in minutes on a laptop CPU.

    The faces to train on come with Facewright; they are generated, nobody's photograph ships.

    Called again after an interruption it goes on where it stopped.

    Examples:
        facewright demo
        facewright demo --out demo-short --images 9k

    Args:
        out: folder for everything that is made.
        images: images to show in training; as many as take less than three minutes if not given.
        seed: every random number follows from it.
        on_event: hears of each stage, and all that the training tells.

    Raises:
        FacewrightError: `out` cannot be used, or has another demo in it.
        StoppedError: the training was interrupted; the same call goes on.
    """
    started = time.perf_counter()
    store, run, chosen = out / "store", out / "run", DEMO
    begun = RunFolder(run).config.exists()
    if begun:
        _refuse_another_run(run, chosen, seed)

    on_event(
        Note(f"[1/4] preparing faces of {chosen.size}x{chosen.size} ({chosen.source}) in {store}")
    )
    if store.exists():
        _refuse_other_faces(store, chosen, seed)
    else:
        _prepare(chosen, store, seed, on_event)

    on_event(
        Note(
            f"[2/4] training a generator on them in {run} (Ctrl-C saves; the same command goes on)"
        )
    )
    if begun:
        trained = resume(run, data=store, images=images, on_event=on_event)
    else:
        shown = chosen.images if images is None else images
        recipe = settings.override(read_recipe(chosen.recipe), UNMEASURED)
        in_proportion = (*schedule_for(recipe, shown), *shorter(recipe, shown))
        lines = (*UNMEASURED, *in_proportion, *_sooner(recipe, shown))
        trained = train(
            recipe=chosen.recipe,
            data=store,
            out=run,
            images=shown,
            seed=seed,
            set=(lines,),
            on_event=on_event,
        )
    if trained.exit_status == 130:
        seen = trained.outcome.images_seen
        raise StoppedError(
            f"stopped, and saved after {seen:,} images",
            expected="a training to its end",
            fix="the same command, which goes on",
        )

    on_event(Note("[3/4] generating new faces"))
    sheet = generate(run, out=out / "faces.png", grid=True, seed=seed).out

    on_event(Note("[4/4] asking the doctor, and writing the report"))
    page = report(run, out=out / "report.html").page
    measured = list(newest_metrics(list(record.read(RunFolder(run).metrics, MetricRow))).values())
    return Demonstrated(
        sheet,
        page,
        run,
        diagnose(run),
        measured,
        time.perf_counter() - started,
        trained.exit_status,
    )


def _prepare(chosen: Programme, store: Path, seed: int, on_event: OnEvent = ignore) -> Store:
    return prepare(
        chosen.source,
        out=store,
        size=chosen.size,
        count=chosen.count,
        seed=seed,
        crop="none",
        on_event=on_event,
    ).store


def _sooner(recipe: Config, images: int) -> tuple[str, ...]:
    """Distortions that adapt as much faster as the demo is shorter than its recipe.

    Its few faces may be known by heart before the recipe's distortions set in (docs/experiments,
    "The demo's distortions").
    """
    if not recipe.augment.adaptive or images >= recipe.train.images:
        return ()
    part = round_down(recipe.augment.images * images / recipe.train.images)
    return (f"augment.images={max(1, part)}",)


def _refuse_another_run(run: Path, chosen: Programme, seed: int) -> None:
    """A run that this demo would not have begun.

    How many images it shows may change, and what follows from that; and what a remedy changed
    on the way.
    """
    wanted = settings.override(read_recipe(chosen.recipe), [f"train.seed={seed}"])
    found = _began_with(RunFolder(run))
    # What "auto" meant on the machine where the run began stands in its folder.
    free: dict[str, Any] = {"images": found.train.images}
    if wanted.train.precision == "auto":
        free["precision"] = found.train.precision
    wanted = replace(
        wanted,
        train=replace(wanted.train, **free),
        schedule=replace(wanted.schedule, after=found.schedule.after, images=found.schedule.images),
        augment=replace(wanted.augment, images=found.augment.images),
        record=found.record,
    )
    if changed := settings.differences(found, wanted):
        raise FacewrightError(
            f"{run} was begun with other settings ({'; '.join(changed)})",
            expected=f"a demo of {chosen.recipe} with seed {seed}, or a new folder",
            fix="--out another",
        )


def _began_with(folder: RunFolder) -> Config:
    """The settings before all changes on the way."""
    for row in record.read(folder.remedies, RemedyRow):
        return settings.from_tables(row["before"], origin=str(folder.remedies))
    return settings.read(folder.config)


def _refuse_other_faces(store: Path, chosen: Programme, seed: int) -> None:
    """Faces that this demo would not have prepared; found by preparing them anew, in seconds."""
    found = Store.open(store)
    with TemporaryDirectory() as folder:
        wanted = _prepare(chosen, Path(folder) / "store", seed).content_hash
    if found.content_hash != wanted:
        raise FacewrightError(
            f"{store} holds other faces (content {found.content_hash[:12]})",
            expected=f"what this demo makes of {chosen.source} (content {wanted[:12]})",
            fix="--out another",
        )

"""The theory, one question at a time, each answered by an experiment."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facewright.actions.events import Found, Note, OnEvent, ignore
from facewright.config import Config
from facewright.data.store import Store
from facewright.doctor.training_hook import TrainingHook
from facewright.lessons import tutorial
from facewright.lessons.catalogue import LESSONS, lesson_named
from facewright.lessons.lesson import Lecture, Lesson, Setting
from facewright.records.run_folder import RunFolder
from facewright.training.recorder import Recorder


@dataclass(frozen=True)
class Listed:
    """Which lessons there are."""

    def as_json(self) -> dict[str, Any]:
        """Name, title and question of each."""
        return {
            "lessons": [
                {"name": lesson.name, "title": lesson.title, "question": lesson.question}
                for lesson in LESSONS.values()
            ]
        }


@dataclass(frozen=True)
class Taught:
    """What a lesson found, and where its page is."""

    lesson: Lesson
    lecture: Lecture
    files: list[Path]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Name, claims, numbers and files."""
        return {
            **tutorial.as_json(self.lesson, self.lecture),
            "files": [str(path) for path in self.files],
            "seconds": round(self.seconds, 1),
        }


def lesson(
    name: str | None = None,
    *,
    out: Path = Path("lessons"),
    data: Path | None = None,
    run: Path | None = None,
    runs: Path = Path("runs/lessons"),
    seed: int = 0,
    quick: bool = False,
    on_event: OnEvent = ignore,
) -> Listed | Taught:
    """Run one lesson: an experiment, its figures, and which textbook claims it confirms.

    Without a name, list the lessons. A lesson writes NAME.md, with its figures and numbers in a
    folder NAME beside it. Most take minutes; the GANs that they train are kept, so that an
    interrupted lesson goes on where it stopped.

    Examples:
        facewright lesson
        facewright lesson nash --quick

    Args:
        name: of the lesson.
        out: folder for the page.
        data: training store of handwritten digits, for the lessons that need one.
        run: run folder whose networks to look at (lesson `convolutions`).
        runs: folder for the runs that lessons train.
        seed: the first of the lesson's seeds.
        quick: in seconds instead of minutes: to see the page, not to believe its numbers.
        on_event: hears what the lesson is doing.

    Raises:
        FacewrightError: no such lesson, or it needs a store.
    """
    if name is None:
        return Listed()
    chosen = lesson_named(name)

    def say(line: str) -> None:
        on_event(Note(line))

    def doctor(folder: RunFolder, store: Store) -> Callable[[Config, Recorder], TrainingHook]:
        return partial(
            TrainingHook,
            folder=folder,
            store=store,
            on_problem="warn",
            on_finding=lambda finding: on_event(Found(finding)),
        )

    setting = Setting(seed, quick, data, run, runs / chosen.name, say, doctor)
    if quick:
        say("quick, to see the page: a claim that does not hold may hold in the full length")
    started = time.perf_counter()
    lecture = chosen.teach(setting)
    seconds = time.perf_counter() - started + lecture.trained_seconds
    how = tutorial.Circumstances(_command(chosen, setting), seconds)
    return Taught(chosen, lecture, tutorial.write(chosen, lecture, out, how), seconds)


def _command(chosen: Lesson, setting: Setting) -> str:
    """The command that writes the same page again; where it is written does not matter."""
    words = ["facewright", "lesson", chosen.name]
    for option, path in (("--data", setting.data), ("--run", setting.run)):
        words += [option, str(path)] if path else []
    words += ["--seed", str(setting.seed)] if setting.seed else []
    return shlex.join([*words, *(["--quick"] if setting.quick else [])])

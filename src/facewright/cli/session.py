"""What `train` and `resume` share: one session of training, shown and summed up."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.cli.progress import Progress, announce
from facewright.cli.report import draws_of
from facewright.metrics.probe import probe
from facewright.records.export import TensorBoardSink
from facewright.records.folder import RunFolder
from facewright.records.history import RunHistory
from facewright.reporting.curves import save_curves
from facewright.training.job import Extras, Job, Outcome
from facewright.training.run import execute


@dataclass(frozen=True)
class Trained:
    """How a session of training ended."""

    run: Path
    outcome: Outcome

    @property
    def exit_status(self) -> int:
        """0 finished, 1 failed, 130 interrupted."""
        return {"finished": 0, "failed": 1, "interrupted": 130}[self.outcome.status]

    def as_json(self) -> dict[str, Any]:
        """Status and counters."""
        return {"run": str(self.run), **dataclasses.asdict(self.outcome)}

    def __rich__(self) -> str:
        end = self.outcome
        head = f"{end.status} after {end.images_seen:,} images and {end.seconds / 60:.1f} minutes"
        advice = {
            "finished": f"facewright generate {self.run} --out faces.png --grid\n"
            f"facewright report {self.run}",
            "interrupted": f"facewright resume {self.run}",
            "failed": f"{end.message}\nfacewright report {self.run}",
        }[end.status]
        return f"{head}\n{advice}"


def run_session(job: Job) -> Trained:
    """Train, with everything that the command line adds to a run."""
    announce(job)
    extras = Extras(
        score=probe,
        after_sample=_draw_curves,
        watchers=(Progress,),
        sinks=(_tensorboard,) if job.config.record.tensorboard else (),
    )
    return Trained(job.run, execute(dataclasses.replace(job, extras=extras)))


def _draw_curves(folder: RunFolder) -> None:
    history = RunHistory.read(folder.path)
    save_curves(history, folder.path / "curves.png", draws_of(history.config.loss))


def _tensorboard(folder: RunFolder) -> Callable[[list[dict[str, Any]]], None]:
    return TensorBoardSink(folder.path).write

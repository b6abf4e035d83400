"""What `train` and `resume` share: one session of training, shown and summed up."""

import dataclasses
import logging
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Group

from facewright.cli.diagnose import tell_finding
from facewright.cli.evaluate import evaluate
from facewright.cli.measured import Evaluated
from facewright.cli.progress import Progress, announce
from facewright.cli.report import draws_of
from facewright.data.store import Store
from facewright.doctor.diagnose import GRACE_STEPS
from facewright.doctor.equilibrium_probe import EquilibriumProbe
from facewright.doctor.policy import OnProblem
from facewright.doctor.remedies import REMEDIES
from facewright.doctor.training_hook import TrainingHook
from facewright.errors import FacewrightError
from facewright.metrics.domain import usual_features
from facewright.metrics.extractors.inception_weights import locate_inception
from facewright.metrics.live_scores import probe
from facewright.networks.device import resolve_precision
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.records.sinks import TensorBoardSink
from facewright.reporting.curves import save_curves
from facewright.training.job import Extras, Job, Outcome
from facewright.training.mending import train_with_mending
from facewright.training.run import execute

log = logging.getLogger(__name__)

LONG_SECONDS = 600
"""Training after which minutes of measuring are a small part of the whole."""


@dataclass(frozen=True)
class Trained:
    """How a session of training ended."""

    run: Path
    store: Path
    outcome: Outcome
    quality: Evaluated | None = None

    @property
    def exit_status(self) -> int:
        """0 finished, 1 failed, 130 interrupted."""
        return {"finished": 0, "failed": 1, "interrupted": 130}[self.outcome.status]

    def as_json(self) -> dict[str, Any]:
        """Status and counters; with the quality at the end where it was measured."""
        quality = self.quality.as_json() if self.quality else {"metrics": []}
        return {"run": str(self.run), **dataclasses.asdict(self.outcome), **quality}

    def __rich__(self) -> Group:
        end = self.outcome
        run, store = (shlex.quote(str(path)) for path in (self.run, self.store))
        head = f"{end.status} after {end.images_seen:,} images and {end.seconds / 60:.1f} minutes"
        advice = {
            "finished": f"facewright generate {run} --out faces.png --grid\n"
            f"facewright evaluate {run} --data {store}\n"
            f"facewright report {run}",
            "interrupted": f"facewright resume {run}",
            "failed": f"{end.message}\nfacewright report {run}",
        }[end.status]
        return Group(head, *([self.quality] if self.quality else []), advice)


def run_session(job: Job, on_problem: OnProblem) -> Trained:
    """Train, with everything that the command line adds to a run."""
    announce(job)
    # Also for training on a GPU: the features are computed on the CPU.
    precision = resolve_precision("auto", torch.device("cpu"))
    store = Store.open(job.store)
    here = {"folder": RunFolder(job.run), "store": store}
    doctor = partial(TrainingHook, **here, on_problem=on_problem, on_finding=tell_finding)
    probed = job.config.record.equilibrium_images > 0
    extras = Extras(
        score=partial(probe, precision=precision, crop=store.crop),
        after_sample=_draw_curves,
        watchers=(Progress, doctor, *([partial(EquilibriumProbe, **here)] if probed else [])),
        sinks=(_tensorboard,) if job.config.record.tensorboard else (),
    )
    job = dataclasses.replace(job, extras=extras)
    mend = partial(train_with_mending, remedies=REMEDIES, unjudged_steps=GRACE_STEPS)
    outcome = mend(job) if on_problem == "mend" else execute(job)
    count = job.config.record.final_samples
    if outcome.status != "finished" or not count or outcome.seconds < LONG_SECONDS:
        return Trained(job.run, job.store, outcome)
    return Trained(job.run, job.store, outcome, _quality(job, count))


def _quality(job: Job, count: int) -> Evaluated | None:
    """What `evaluate` says about the end of a run; it never spoils a training that went well."""
    again = shlex.join(["facewright", "evaluate", str(job.run), "--data", str(job.store)])
    try:
        if usual_features(Store.open(job.store).train) == "face":
            locate_inception(download=False)
        log.warning("the run is finished and saved; measuring its quality (Ctrl-C skips that)")
        precision = resolve_precision("auto", torch.device("cpu"))
        return evaluate(job.run, data=job.store, count=count, precision=precision)
    except (FacewrightError, OSError, MemoryError, RuntimeError) as error:
        log.warning("the run is finished; its quality was not measured: %s\n%s", error, again)
    except KeyboardInterrupt:
        log.warning("quality not measured; later: %s", again)
    return None


def _draw_curves(folder: RunFolder) -> None:
    history = RunHistory.read(folder.path)
    save_curves(history, folder.path / "curves.png", draws_of(history.config.loss))


def _tensorboard(folder: RunFolder) -> Callable[[list[dict[str, Any]]], None]:
    return TensorBoardSink(folder.path).write

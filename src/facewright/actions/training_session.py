"""What `train` and `resume` share: one session of training with everything that goes with it."""

import dataclasses
import logging
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facewright.actions.announcement import announcement
from facewright.actions.evaluate import Evaluated, evaluate_opened
from facewright.actions.events import Found, Note, OnEvent, Progress, Sampled
from facewright.actions.report import draws_of
from facewright.choices import OnProblem, Precision
from facewright.config import Config
from facewright.doctor.diagnose import GRACE_STEPS
from facewright.doctor.equilibrium_probe import EquilibriumProbe
from facewright.doctor.finding import Finding
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
from facewright.sampling.image_source import ImageSource
from facewright.training.job import Extras, Job, Outcome
from facewright.training.mending import train_with_mending
from facewright.training.recorder import Recorder
from facewright.training.run import execute
from facewright.training.state import TrainState
from facewright.training.step import Stats

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


def run_session(job: Job, on_problem: OnProblem, on_event: OnEvent) -> Trained:
    """Train, with scores, the doctor, the equilibrium probe, curves and a final evaluation.

    Args:
        job: what to train.
        on_problem: what the doctor does about what it finds.
        on_event: hears of progress, findings and samples.
    """
    for sentence in announcement(job):
        on_event(Note(sentence))
    # Also for training on a GPU: the features are computed on the CPU.
    precision = resolve_precision("auto", torch.device("cpu"))
    here = {"folder": RunFolder(job.run), "store": job.store}
    tell = partial(_tell_finding, on_event)
    doctor = partial(TrainingHook, **here, on_problem=on_problem, on_finding=tell)
    is_probed = job.config.record.equilibrium_images > 0
    extras = Extras(
        score=partial(_score, on_event=on_event, precision=precision, crop=job.store.crop),
        after_sample=partial(_after_sample, on_event),
        callbacks=(
            partial(TrainingProgress, on_event=on_event),
            doctor,
            *([partial(EquilibriumProbe, **here)] if is_probed else []),
        ),
        sinks=(_tensorboard,) if job.config.record.tensorboard else (),
    )
    job = dataclasses.replace(job, extras=extras)
    mend = partial(train_with_mending, remedies=REMEDIES, unjudged_steps=GRACE_STEPS)
    outcome = mend(job) if on_problem == "mend" else execute(job)
    count = job.config.record.final_samples
    if outcome.status != "finished" or not count or outcome.seconds < LONG_SECONDS:
        return Trained(job.run, job.store.path, outcome)
    return Trained(job.run, job.store.path, outcome, _quality(job, count, on_event))


class TrainingProgress:
    """A callback of the training loop that tells how far it has come.

    Args:
        config: of the run.
        recorder: knows the speed and the latest numbers.
        on_event: hears of every step.
    """

    def __init__(self, config: Config, recorder: Recorder, *, on_event: OnEvent) -> None:
        self.total, self.recorder, self.on_event = config.train.images, recorder, on_event
        self.done = 0

    def __enter__(self) -> "TrainingProgress":
        return self

    def __exit__(self, *_: object) -> None:
        self.on_event(Progress("training", self.done, self.total, is_over=True))

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Tell of one step."""
        self.done = state.images_seen
        latest = {name: self.recorder.latest.get(name) for name in ("d_loss", "g_loss")}
        numbers = {name: value for name, value in latest.items() if value is not None}
        numbers["images_per_second"] = self.recorder.speed
        self.on_event(Progress("training", self.done, self.total, numbers))


def _score(
    real: np.ndarray, fake: np.ndarray, *, on_event: OnEvent, precision: Precision, crop: str
) -> list[dict[str, Any]]:
    """What a checkpoint is scored by; told of, as training stands still meanwhile."""
    on_event(Progress("scoring the checkpoint", 0, len(real)))
    rows = probe(real, fake, precision=precision, crop=crop)
    on_event(Progress("scoring the checkpoint", len(real), len(real)))
    return rows


def _quality(job: Job, count: int, on_event: OnEvent) -> Evaluated | None:
    """What `evaluate` says about the end of a run; it never spoils a training that went well."""
    again = shlex.join(["facewright", "evaluate", str(job.run), "--data", str(job.store.path)])
    try:
        if usual_features(job.store.train) == "face":
            locate_inception(download=False)
        on_event(Note("the run is finished and saved; measuring its quality (Ctrl-C skips that)"))
        precision = resolve_precision("auto", torch.device("cpu"))
        source = ImageSource.open(job.run)
        return evaluate_opened(
            source, job.store, count=count, precision=precision, on_event=on_event
        )
    except (FacewrightError, OSError, MemoryError, RuntimeError) as error:
        log.warning("the run is finished; its quality was not measured: %s\n%s", error, again)
    except KeyboardInterrupt:
        log.warning("quality not measured; later: %s", again)
    return None


def _tell_finding(on_event: OnEvent, finding: Finding) -> None:
    on_event(Found(finding))


def _after_sample(on_event: OnEvent, folder: RunFolder) -> None:
    history = RunHistory.read(folder.path)
    save_curves(history, folder.path / "curves.png", draws_of(history.config.loss))
    if history.sheets:
        on_event(Sampled(history.sheets[-1].path))


def _tensorboard(folder: RunFolder) -> Callable[[list[dict[str, Any]]], None]:
    return TensorBoardSink(folder.path).write

"""The doctor beside a run of our own: it looks now and then, and writes down what it finds."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any

from facewright.choices import OnProblem
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.doctor.convergence import Divergence
from facewright.doctor.doctor import Doctor
from facewright.doctor.finding import Finding
from facewright.doctor.monitor import Monitor
from facewright.doctor.policy import StopPolicy
from facewright.doctor.recorded import history_of, scores_of
from facewright.doctor.reference import FEWEST
from facewright.errors import FacewrightError, RunError
from facewright.records import record
from facewright.records.rows import MetricRow, RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.training.recorder import DivergedError, ProblemError, Recorder, due
from facewright.training.state import TrainState
from facewright.training.step import Stats

log = logging.getLogger(__name__)


def refuse_unwatchable(config: Config, store: Store, on_problem: OnProblem) -> None:
    """A run in which the doctor cannot look is neither stopped nor mended.

    Raises:
        RunError: the doctor would not look at this run.
    """
    if on_problem == "warn" or is_watchable(config, store):
        return
    raise RunError(
        f"--on-problem {on_problem}, but {len(store.val)} held-out photos and a snapshot every "
        f"{config.record.snapshot_images:,} images",
        expected=f"at least {FEWEST} photos of each kind, and snapshots",
        fix="facewright prepare ... --val-fraction 0.1, or --set record.snapshot_images=12800",
    )


def is_watchable(config: Config, store: Store) -> bool:
    """Are there photos enough for the doctor to compare with, and is it wanted?"""
    enough = min(len(store.train), len(store.val)) >= FEWEST
    return enough and config.record.snapshot_images > 0


class TrainingHook:
    """A callback that takes snapshots, writes findings down, and stops the run if it is asked to.

    Numbers that are not finite are found in any run; for the rest it has to be watchable.

    Args:
        config: of the run.
        recorder: knows what each step measured.
        folder: of the run; what was recorded in earlier sessions is taken up again.
        store: the photos.
        on_problem: `warn` reports what begins to go wrong; the others also stop the run, if it
            lasts.
        on_finding: is told of each finding as it is made.
    """

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        *,
        folder: RunFolder,
        store: Store,
        on_problem: OnProblem,
        on_finding: Callable[[Finding], None],
    ) -> None:
        self.recorder, self.folder = recorder, folder
        self.on_problem, self.on_finding = on_problem, on_finding
        self.shown = config.train.batch * config.train.d_steps
        self.every = config.record.snapshot_images
        history = history_of(RunHistory.read(folder.path))
        self.doctor: Doctor | None = None
        if is_watchable(config, store):
            conditions = PhotoConditions.of(store, config.data.labels)
            self.doctor = Doctor(
                store.train,
                store.val,
                game=history.game,
                latents=config.model.z_dim,
                conditions=(conditions.train, conditions.val),
                batch=config.train.at_once(),
                planned_images=config.train.images,
            )
            self.doctor.recall(history)
        self.monitor: Monitor = self.doctor or Monitor(history)
        self.policy = StopPolicy.after(record.read(folder.remedies, RemedyRow), self.shown)
        self._news: list[Finding] = []
        recorder.sinks = [*recorder.sinks, self._note]

    def __enter__(self) -> "TrainingHook":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Report what the last steps brought.

        Raises:
            ProblemError: in place of the recorder's error, if a number that is not finite has
                ended the run.
        """
        self._report()
        if isinstance(error, DivergedError):
            for finding in self.monitor.diagnosis().findings:
                if finding.active and finding.code == Divergence.code:
                    raise ProblemError(finding.as_json(), error.expected) from error

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Look at both players when it is time to.

        Raises:
            ProblemError: something is wrong, and the run is not to go on like this.
        """
        looks = due(state.images_seen, self.shown, self.every)
        if looks and self.doctor is not None:
            self.recorder.flush()
            self._look(self.doctor, state)
        news = self._report()
        if (looks or news) and self.on_problem != "warn":
            findings = self.monitor.diagnosis().findings
            reason = self.policy.reason_to_stop(findings, state.images_seen)
            if reason is not None:
                raise ProblemError(reason.as_json())

    def _look(self, doctor: Doctor, state: TrainState) -> None:
        """A training is worth more than a look at it: if that fails, it goes on without."""
        doctor.rescore(scores_of(record.read(self.folder.metrics, MetricRow)))
        try:
            self._news += doctor.look(state.generator.network, state.discriminator.network)
        except (FacewrightError, RuntimeError, MemoryError) as error:
            log.warning("the doctor could not look at %d images: %s", state.images_seen, error)
            return
        record.append(self.folder.snapshots, [doctor.history.snapshots[-1].as_json()])

    def _report(self) -> list[Finding]:
        """Write new findings down, and tell of them."""
        news, self._news = self._news, []
        for finding in news:
            record.append(self.folder.findings, [finding.as_json()])
            self.on_finding(finding)
        return news

    def _note(self, rows: list[dict[str, Any]]) -> None:
        # Called while the recorder writes: not the moment to stop a run.
        self._news += self.monitor.note(rows)

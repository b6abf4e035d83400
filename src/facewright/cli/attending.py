"""The doctor beside a run of our own: he looks now and then, writes down, and speaks up."""

import logging
from collections import Counter
from types import TracebackType
from typing import Any, Literal

from rich.console import Console

from facewright.config import Config
from facewright.data.conditions import PhotoConditions
from facewright.data.store import Store
from facewright.doctor.diagnose import GRACE_STEPS
from facewright.doctor.doctor import Doctor
from facewright.doctor.finding import Finding
from facewright.doctor.recorded import history_of, scores_of
from facewright.doctor.reference import FEWEST
from facewright.errors import FacewrightError, RunError
from facewright.records import record
from facewright.records.folder import RunFolder
from facewright.records.history import RunHistory
from facewright.training.state import TrainState
from facewright.training.step import Stats
from facewright.training.watch import ProblemError, Recorder, due

log = logging.getLogger(__name__)

OnProblem = Literal["warn", "stop", "mend"]
"""What to do when something goes wrong with a training."""

BEARABLE = {"discriminator-overfitting": 3}
"""Problems with which a run goes on, once so many remedies were tried."""
URGENT = ("divergence",)
"""Verdicts for which a run is stopped at once."""
PATIENCE = 2 * GRACE_STEPS
"""Steps that a run has, from its beginning or a remedy on, to get over other problems."""


def refuse_unwatchable(config: Config, store: Store, on_problem: OnProblem) -> None:
    """Only who looks can stop or mend.

    Raises:
        RunError: nobody would look at this run.
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
    """Are there photos enough for the doctor to compare with, and is he wanted?"""
    enough = min(len(store.train), len(store.val)) >= FEWEST
    return enough and config.record.snapshot_images > 0


class Attending:
    """A watcher that takes snapshots, and stops the run if it is asked to.

    Args:
        config: of the run.
        recorder: knows what each step measured.
        folder: of the run; what was recorded in earlier sessions is taken up again.
        store: the photos.
        on_problem: `warn` says what begins to go wrong; the others also stop the run, if it
            lasts.
    """

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        *,
        folder: RunFolder,
        store: Store,
        on_problem: OnProblem,
    ) -> None:
        self.recorder, self.folder, self.on_problem = recorder, folder, on_problem
        self.shown = config.train.batch * config.train.d_steps
        self.every = config.record.snapshot_images
        known = PhotoConditions.of(store, config.data.labels)
        history = history_of(RunHistory.read(folder.path))
        self.doctor = Doctor(
            store.train,
            store.val,
            game=history.game,
            latents=config.model.z_dim,
            conditions=(known.train, known.val),
            batch=config.train.at_once(),
            planned_images=config.train.images,
        )
        self.doctor.recall(history)
        amended = list(record.read(folder.remedies))
        since = amended[-1]["images_seen"] if amended else 0
        self.patient_until = since + PATIENCE * self.shown
        tried = Counter(row.get("verdict") for row in amended)
        self.harmless = {verdict for verdict, count in BEARABLE.items() if tried[verdict] >= count}
        self._news: list[Finding] = []
        recorder.sinks = [*recorder.sinks, self._note]

    def __enter__(self) -> "Attending":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Look at both players when it is time to.

        Raises:
            ProblemError: something is wrong, and the run is not to go on like this.
        """
        looks = due(state.images_seen, self.shown, self.every)
        if looks:
            self.recorder.flush()
            self._look(state)
        news, self._news = self._news, []
        for finding in news:
            record.append(self.folder.findings, [finding.as_json()])
            _say(finding)
        if (looks or news) and self.on_problem != "warn":
            self._insist(state.images_seen)

    def _look(self, state: TrainState) -> None:
        """A training is worth more than a look at it: if that fails, it goes on without."""
        self.doctor.rescore(scores_of(record.read(self.folder.metrics)))
        try:
            self._news += self.doctor.look(state.generator.network, state.discriminator.network)
        except (FacewrightError, RuntimeError, MemoryError) as error:
            log.warning("the doctor could not look at %d images: %s", state.images_seen, error)
            return
        record.append(self.folder.snapshots, [self.doctor.history.snapshots[-1].as_json()])

    def _insist(self, images_seen: int) -> None:
        """Stop for what is wrong now, also if it began before: a remedy may have been tried."""
        for finding in self.doctor.diagnosis().findings:
            lasts = finding.active and finding.grade == "problem"
            waits = finding.verdict not in URGENT and images_seen < self.patient_until
            if lasts and finding.verdict not in self.harmless and not waits:
                raise ProblemError(finding.as_json())

    def _note(self, rows: list[dict[str, Any]]) -> None:
        # Called while the recorder writes: not the moment to stop a run.
        self._news += self.doctor.note(rows)


def _say(finding: Finding) -> None:
    if finding.grade == "watch":
        _stderr().print(f"doctor, {finding.images_seen:,} images: to watch: {finding.message}")
        return
    _stderr().print(
        f"[bold]doctor[/bold], {finding.images_seen:,} images: {finding.verdict}: "
        f"{finding.message} (since {finding.first_seen_images:,})\n  try: {finding.remedy}"
    )


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)

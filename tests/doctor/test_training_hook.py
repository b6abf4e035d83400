"""How the doctor beside our own runs decides when to stop one."""

import dataclasses
import math
from functools import partial
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest

from facewright import settings
from facewright.choices import OnProblem
from facewright.config import Config
from facewright.data.store import Store
from facewright.doctor import policy
from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.doctor import Doctor
from facewright.doctor.finding import Finding
from facewright.doctor.recorded import history_of
from facewright.doctor.training_hook import TrainingHook
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.training.job import Extras, Job
from facewright.training.recorder import DivergedError, ProblemError, Recorder
from facewright.training.run import begin, execute
from tests.doctor.histories import history, snapshot
from tests.stores import write_store

SMALL = (
    "model.width=4",
    "model.z_dim=8",
    "train.batch=8",
    "train.images=96",
    "train.precision=fp32",
    "record.snapshot_images=16",
    "record.score_samples=0",
)
BEGAN = 16


@pytest.fixture(autouse=True)
def five_steps_of_patience(monkeypatch):
    monkeypatch.setattr(policy, "PATIENCE", 5)


@pytest.fixture
def run_with(tmp_path, monkeypatch):
    """Train while the doctor finds this, and nothing else; amended before or not."""

    def run(
        verdict,
        on_problem: OnProblem = "stop",
        *,
        grade: Literal["watch", "problem"] = "problem",
        active=True,
        amended_at=None,
        tried=1,
    ):
        found = Finding(
            code="T1",
            verdict=verdict,
            message="it is so",
            evidence={},
            first_seen_images=BEGAN,
            images_seen=BEGAN,
            looks=2,
            active=active,
            remedy="by hand",
            source="this test",
            grade=grade,
        )
        diagnosis = Diagnosis(verdict, "it is so", [found], {}, BEGAN)
        monkeypatch.setattr(Doctor, "diagnosis", lambda _doctor: diagnosis)
        store = write_store(tmp_path / "store")
        job = begin(
            Job(settings.override(Config(), SMALL), Store.open(store), tmp_path / "run", "cpu")
        )
        folder = RunFolder(job.run)
        if amended_at is not None:
            tables = dataclasses.asdict(job.config)
            row = {"images_seen": amended_at, "changed": [], "before": tables, "after": tables}
            record.append(folder.remedies, tried * [row | {"verdict": verdict}])
        watcher = partial(
            TrainingHook,
            folder=folder,
            store=Store.open(store),
            on_problem=on_problem,
            on_finding=lambda _finding: None,
        )
        return execute(dataclasses.replace(job, extras=Extras(callbacks=(watcher,))))

    return run


def test_a_problem_that_lasts_stops_the_run_when_patience_ends(run_with):
    outcome = run_with("mode-collapse")
    assert outcome.status == "failed"
    assert outcome.images_seen == 48  # the first look after 5 steps of 8 images
    assert outcome.finding["first_seen_images"] == BEGAN


def test_a_remedy_is_given_the_same_patience(run_with):
    assert run_with("mode-collapse", amended_at=24).images_seen == 64


def test_numbers_that_run_away_are_given_none(run_with):
    assert run_with("divergence").images_seen == 16


def test_a_problem_that_has_passed_stops_nobody(run_with):
    assert run_with("mode-collapse", active=False).status == "finished"


@pytest.mark.parametrize("verdict", ["plateau", "discriminator-overfitting", "mode-collapse"])
def test_what_is_to_be_watched_stops_nobody(run_with, verdict):
    assert run_with(verdict, grade="watch").status == "finished"


def test_photos_known_by_heart_are_borne_when_three_remedies_have_not_helped(run_with):
    said = run_with("discriminator-overfitting", amended_at=0, tried=3)
    assert said.status == "finished"


def test_and_not_before(run_with):
    said = run_with("discriminator-overfitting", amended_at=0, tried=2)
    assert said.status == "failed"


def test_other_problems_are_never_borne(run_with):
    assert run_with("mode-collapse", amended_at=0, tried=6).status == "failed"


def test_warn_stops_nobody(run_with):
    assert run_with("divergence", on_problem="warn").status == "finished"


@pytest.mark.parametrize(
    ("field", "number"),
    [*((field, math.nan) for field in record.ALWAYS_FINITE), ("d_penalty", math.inf)],
)
def test_the_first_number_that_is_not_finite_is_the_finding_live_and_afterwards(
    field, number, tmp_path, monkeypatch
):
    note = Recorder.__call__

    def poisoned(self, state, stats):
        if state.step == 10:
            stats[field] = stats[field] * 0 + number
        note(self, state, stats)

    monkeypatch.setattr(Recorder, "__call__", poisoned)
    store = write_store(tmp_path / "store")
    config = settings.override(Config(), [*SMALL, "record.snapshot_images=0"])
    job = begin(Job(config, Store.open(store), tmp_path / "run", "cpu"))
    told = []
    hook = partial(
        TrainingHook,
        folder=RunFolder(job.run),
        store=Store.open(store),
        on_problem="warn",
        on_finding=told.append,
    )
    outcome = execute(dataclasses.replace(job, extras=Extras(callbacks=(hook,))))
    assert outcome.status == "failed"
    assert len(told) == 1
    finding = told[0]
    assert outcome.finding == finding.as_json()
    assert finding.message == f"{field} not finite, first at step 10"
    assert (finding.code, finding.first_seen_images) == ("NC01", 80)
    # Two more steps were made before anybody looked at the numbers, and nothing is wrong in them.
    assert RunHistory.read(job.run).images_seen == 96
    (afterwards,) = diagnose(history_of(RunHistory.read(job.run))).findings
    assert afterwards.as_json() == finding.as_json()
    # Earlier versions wrote null.
    steps = RunFolder(job.run).steps
    steps.write_text(steps.read_text().replace('"nan"', "null").replace('"inf"', "null"))
    (of_old,) = diagnose(history_of(RunHistory.read(job.run))).findings
    assert (of_old.message, of_old.first_seen_images) == (finding.message, 80)


def test_a_break_after_an_earlier_problem_of_the_same_kind_is_still_named(tmp_path):
    """Verdicts had run away before: what follows is no news, but ends the run all the same."""
    store = write_store(tmp_path / "store")
    job = begin(Job(settings.override(Config(), SMALL), Store.open(store), tmp_path / "run", "cpu"))
    recorder = SimpleNamespace(sinks=[])
    hook = TrainingHook(
        job.config,
        cast(Any, recorder),
        folder=RunFolder(job.run),
        store=Store.open(store),
        on_problem="warn",
        on_finding=lambda _finding: None,
    )
    loud = history(1, real_logit=900.0, d_loss=9.0, looks=[snapshot(1)])
    hook.monitor.recall(loud)
    bad = {name: float(column[0]) for name, column in loud.steps.items()}
    bad |= {"step": 2, "images_seen": 128, "g_loss": math.nan}
    (sink,) = recorder.sinks
    sink([bad])
    with pytest.raises(ProblemError) as stopped:
        hook.__exit__(DivergedError, DivergedError(bad), None)
    assert stopped.value.finding["first_seen_images"] == 64
    assert "g_loss not finite, first at step 2" in stopped.value.what

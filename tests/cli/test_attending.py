"""How the doctor beside our own runs decides when to stop one."""

import dataclasses
from functools import partial
from typing import Literal

import pytest

from facewright import settings
from facewright.cli import attending
from facewright.cli.attending import Attending, OnProblem
from facewright.config import Config
from facewright.data.store import Store
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.doctor import Doctor
from facewright.doctor.finding import Finding
from facewright.records import record
from facewright.records.folder import RunFolder
from facewright.training.job import Extras, Job
from facewright.training.run import begin, execute
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
    monkeypatch.setattr(attending, "PATIENCE", 5)


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
        # Two seconds a visit, of which nothing here depends.
        monkeypatch.setattr(
            "facewright.doctor.doctor.ask_fresh_judge", lambda snapshot, *_: snapshot
        )
        store = write_store(tmp_path / "store")
        job = begin(Job(settings.override(Config(), SMALL), store, tmp_path / "run", "cpu"))
        folder = RunFolder(job.run)
        if amended_at is not None:
            tables = dataclasses.asdict(job.config)
            row = {"images_seen": amended_at, "before": tables, "after": tables}
            record.append(folder.remedies, tried * [row | {"verdict": verdict}])
        watcher = partial(Attending, folder=folder, store=Store.open(store), on_problem=on_problem)
        return execute(dataclasses.replace(job, extras=Extras(watchers=(watcher,))))

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


def _found(grade: Literal["watch", "problem"]) -> Finding:
    return Finding(
        "T1", "discriminator-overfitting", "it is so", {}, 16, 32, 2, True, "by hand", "t", grade
    )


def test_what_is_to_be_watched_is_told_calmly(capsys):
    attending._say(_found("watch"))
    assert capsys.readouterr().err == "doctor, 32 images: to watch: it is so\n"
    attending._say(_found("problem"))
    said = capsys.readouterr().err
    assert "discriminator-overfitting: it is so (since 16)" in said
    assert "try: by hand" in said


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

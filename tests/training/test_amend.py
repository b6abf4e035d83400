"""Going back and on with other settings, in a way that can be undone."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from facewright import settings
from facewright.config import Config
from facewright.errors import CheckpointError, RunError
from facewright.records import checkpoints, record
from facewright.records.rows import Moment, RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.training.amend import amend, amended, settings_in_force
from facewright.training.run_lock import run_lock
from tests.runs_equal import assert_same_run, rows
from tests.training.conftest import small

SLOW = ("optimiser.lr_d=1e-5", "optimiser.beta1=0.1")


def plan(*changes: str) -> Config:
    """Keeps every checkpoint."""
    return small("record.keep_last=9", *changes)


@pytest.fixture
def trained(finished, tmp_path):
    """A finished run of one's own, where `train("run", ...)` goes on with it."""

    def copied(*changes: str) -> Path:
        return shutil.copytree(finished(plan(*changes)), tmp_path / "run")

    return copied


def at(run, images: int):
    found = checkpoints.readable(RunFolder(run).checkpoints)
    return next(c for c in found if c.state["images_seen"] == images)


def test_the_log_holds_before_and_after_and_why(trained):
    run = trained()
    changed = amend(run, at(run, 64), plan(*SLOW), {"reason": "to see"})
    assert changed == ["optimiser.lr_d: 0.0002 -> 1e-05", "optimiser.beta1: 0.5 -> 0.1"]
    (row,) = RunHistory.read(run).remedies
    assert row["images_seen"] == 64
    assert row["changed"] == changed
    assert row["reason"] == "to see"
    before, after = (settings.from_tables(row[key], origin="log") for key in ("before", "after"))
    assert (before, after) == (plan(), plan(*SLOW))
    assert settings.read(RunFolder(run).config) == amended(RunFolder(run)) == plan(*SLOW)


def test_undone_the_run_is_as_if_it_had_never_been_amended(train, trained):
    never, _ = train("never", plan())
    run = trained("train.images=64")
    amend(run, at(run, 32), plan(*SLOW), {})
    train("run", plan(*SLOW, "train.images=80"))
    assert rows(RunFolder(run).steps)[:4] == rows(RunFolder(never).steps)[:4]
    assert rows(RunFolder(run).steps)[5] != rows(RunFolder(never).steps)[5]
    amend(run, at(run, 32), plan(), {})
    train("run", plan())
    assert_same_run(never, run)


def test_amended_at_the_start_the_run_is_one_that_began_that_way(train, trained):
    began, _ = train("began", plan(*SLOW))
    run = trained("train.images=16")
    amend(run, at(run, 0), plan(*SLOW), {})
    train("run", plan(*SLOW))
    assert_same_run(began, run)


def test_the_very_beginning_needs_no_checkpoint(train, trained):
    began, _ = train("began", plan(*SLOW))
    run = trained()
    amend(run, None, plan(*SLOW), {})
    assert not checkpoints.readable(RunFolder(run).checkpoints)
    train("run", plan(*SLOW))
    assert_same_run(began, run)


def test_an_amended_run_resumes_bit_for_bit(train):
    runs = []
    for name in ("whole", "parts"):
        run, _ = train(name, plan("train.images=32"))
        amend(run, at(run, 32), plan(*SLOW), {})
        if name == "parts":
            train(name, plan(*SLOW, "train.images=72"))
        train(name, plan(*SLOW))
        runs.append(run)
    assert_same_run(*runs)


def test_records_after_the_checkpoint_are_cut_and_the_log_of_remedies_is_not(trained):
    run = trained()
    folder = RunFolder(run)
    later = [{"images_seen": 64}, {"images_seen": 72}]
    for log in (folder.findings, folder.metrics, folder.snapshots):
        record.append(log, later)
    amend(run, at(run, 64), plan(*SLOW), {})
    for log in (folder.steps, folder.findings, folder.metrics, folder.snapshots):
        assert [row["images_seen"] for row in record.read(log, Moment)][-1] == 64
    amend(run, None, plan(), {})
    assert [row["images_seen"] for row in record.read(folder.remedies, RemedyRow)] == [64, 0]


def test_newer_checkpoints_are_set_aside_not_deleted(trained):
    run = trained()
    folder = RunFolder(run).checkpoints
    before = len(list(folder.iterdir()))
    amend(run, at(run, 64), plan(*SLOW), {})
    assert [c.state["images_seen"] for c in checkpoints.readable(folder)][-1] == 64
    assert len(list(folder.iterdir())) == before


def test_sheets_of_the_road_not_taken_go(trained):
    run = trained()
    samples = RunFolder(run).samples
    (samples / "000001k.png").write_bytes(b"1,000 images")
    (samples / "000000k-end.png").write_bytes(b"at the end, after 96 images")
    amend(run, at(run, 64), plan(*SLOW), {})
    assert [sheet.name for sheet in samples.iterdir()] == ["000000k.png"]
    amend(run, None, plan(), {})  # there are no images, too, when the first sheet is drawn
    assert [sheet.name for sheet in samples.iterdir()] == ["000000k.png"]


@pytest.mark.parametrize(
    "change",
    [
        "model.width=8",
        "loss.game=hinge",
        "loss.historical_averaging=1",
        "train.batch=16",
        "train.seed=1",
        "train.ema_images=1",
        "data.flip=false",
        "record.keep_last=1",
        "schedule.ema_from=0.5",
    ],
)
def test_what_cannot_be_taken_back_is_refused_and_nothing_happens(change, trained):
    run = trained("train.images=32")
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    with pytest.raises(RunError, match=change.partition("=")[0]):
        amend(run, None, plan(change, "train.images=32"), {})
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    "change",
    [
        "optimiser.beta2=0.9",
        "loss.r1=1",
        "loss.slope=finite-difference",
        "loss.penalty_every=2",
        "loss.instance_noise=0.1",
        "augment.probability=0.5",
        "augment.adaptive=true",
        "train.d_steps=2",
        "train.g_steps=2",
    ],
)
def test_what_can_be_taken_back_is_allowed(change, train, trained):
    run = trained("train.images=32")
    amend(run, at(run, 32), plan(change), {})
    _, outcome = train("run", plan(change, "train.images=48"))
    assert (outcome.status, outcome.images_seen) == ("finished", 48)


def test_other_settings_than_the_amended_ones_are_refused_as_ever(train, trained):
    run = trained("train.images=32")
    amend(run, at(run, 32), plan(*SLOW), {})
    with pytest.raises(RunError, match="differs from what"):
        train("run", plan())


def test_a_damaged_checkpoint_is_no_place_to_go_back_to(trained):
    run = trained("train.images=32")
    (at(run, 32).path / "weights.safetensors").write_bytes(b"harm")
    with pytest.raises(CheckpointError, match="damaged"):
        amend(run, at(run, 32), plan(*SLOW), {})


def test_a_run_that_is_being_trained_is_not_amended(trained):
    run = trained("train.images=32")
    with run_lock(RunFolder(run)), pytest.raises(RunError, match="another process"):
        amend(run, None, plan(*SLOW), {})


def test_an_amendment_cut_short_before_the_settings_were_written_holds(train, trained, monkeypatch):
    run = trained("train.images=32")
    with monkeypatch.context() as patched:
        patched.setattr(settings, "to_toml", lambda _config: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            amend(run, at(run, 32), plan(*SLOW), {})
    folder = RunFolder(run)
    assert settings.read(folder.config) == plan("train.images=32")
    assert settings_in_force(folder) == plan(*SLOW)
    _, outcome = train("run", settings_in_force(folder))
    assert outcome.status == "finished"


def test_photos_are_not_dealt_again_when_the_discriminator_moves_less_often(train, monkeypatch):
    from facewright.data.stream import BatchStream

    dealt = []
    at_number = BatchStream.at
    monkeypatch.setattr(
        BatchStream, "at", lambda self, number: dealt.append(number) or at_number(self, number)
    )
    run, _ = train("run", plan("train.d_steps=2", "train.images=32"))
    amend(run, at(run, 32), plan("train.images=64"), {})
    train("run", plan("train.images=64"))
    assert dealt == list(range(8))


def test_a_new_setting_with_its_default_does_not_change_an_older_run(trained):
    run = trained("train.images=32")
    folder = RunFolder(run)
    newest = checkpoints.readable(folder.checkpoints)[-1]
    tables = {**newest.state["config"]}
    del tables["augment"]
    older = dataclasses.replace(newest, state={**newest.state, "config": tables})
    assert settings.from_tables(older.state["config"], origin="old") == plan("train.images=32")
    assert Config().augment.probability == 0

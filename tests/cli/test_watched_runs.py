"""The doctor and the probe beside runs of our own, from start to end."""

import pytest

import facewright
from facewright.choices import OnProblem
from facewright.records import checkpoints, record
from facewright.records.rows import FindingRow
from facewright.records.run_folder import RunFolder
from tests.runs_equal import assert_same_run, rows
from tests.stores import write_store

SMALL = (
    "model.width=4",
    "model.z_dim=8",
    "train.batch=8",
    "train.precision=fp32",
    "record.score_samples=0",
    "record.checkpoint_images=160",
    "record.sample_images=400",
    "record.snapshot_images=64",
    "record.equilibrium_images=0",
)


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path / "store", count=120)


def train(store, out, *changed, images=400, on_problem: OnProblem = "warn"):
    return facewright.train(
        recipe="drawn-32",
        data=store,
        out=out,
        images=images,
        on_problem=on_problem,
        set=((*SMALL, *changed),),
    )


def test_a_resumed_run_has_the_same_snapshots_as_an_uninterrupted_one(store, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(store, whole)
    train(store, parts, images=232)
    facewright.resume(parts, images=400)
    assert_same_run(whole, parts)
    snapshots = [rows(RunFolder(run).snapshots) for run in (whole, parts)]
    assert len(snapshots[0]) == 6
    assert snapshots[0] == snapshots[1]


def test_being_watched_changes_no_weight(store, tmp_path):
    seen, unseen = tmp_path / "seen", tmp_path / "unseen"
    train(store, seen)
    train(store, unseen, "record.snapshot_images=0")
    newest = [checkpoints.sound(RunFolder(run).checkpoints)[0] for run in (seen, unseen)]
    weights = [checkpoint.tensors("weights") for checkpoint in newest]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[1])


def test_a_run_that_stands_still_is_stopped_and_diagnosed(store, tmp_path):
    run = tmp_path / "run"
    frozen = ("optimiser.lr_g=1e-12", "optimiser.lr_d=1e-12")
    rarely = ("record.snapshot_images=400", "record.sample_images=6000")
    ended = train(store, run, *frozen, *rarely, images=6000, on_problem="stop")
    assert (ended.exit_status, ended.outcome.status) == (1, "failed")
    assert ended.outcome.images_seen < 6000
    (finding,) = [
        f for f in record.read(RunFolder(run).findings, FindingRow) if f["code"] == "NC02"
    ]
    found = facewright.diagnose(run)
    assert found.exit_status == 1
    assert found.as_json()["verdict"] == "stalled"
    assert found.as_json()["findings"][0]["first_seen_images"] == finding["first_seen_images"]


def test_what_the_end_of_a_run_measured_stays_when_nothing_is_left_to_do(store, tmp_path):
    run = tmp_path / "run"
    train(store, run, "record.equilibrium_images=800", "record.score_samples=26", images=208)
    before = rows(RunFolder(run).metrics)
    ends = [row["name"] for row in before if row.get("final")]
    assert ends[:4] == ["js_bits", "regret_d", "regret_g", "duality_gap"]
    assert "fd@face" in ends
    facewright.resume(run)
    assert rows(RunFolder(run).metrics) == before


def test_a_kill_between_the_looks_and_the_checkpoint_loses_no_look(store, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    together = "record.checkpoint_images=64"
    train(store, whole, together, images=208)
    monkeypatch.setattr(checkpoints, "write", killed_after(2))
    with pytest.raises(Killed):
        train(store, parts, together, images=208)
    monkeypatch.undo()
    facewright.resume(parts)
    assert_same_run(whole, parts)
    assert rows(RunFolder(whole).snapshots) == rows(RunFolder(parts).snapshots)


class Killed(BaseException):
    """Ends a session in its middle."""


def killed_after(calls: int):
    """Writes so many checkpoints, and is killed once the next one is written."""
    write, done = checkpoints.write, []

    def write_or_die(*args):
        write(*args)
        done.append(args)
        if len(done) > calls:
            raise Killed

    return write_or_die

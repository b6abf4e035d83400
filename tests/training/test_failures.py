"""What goes wrong is said clearly, and costs nothing that was there before."""

import contextlib
import errno
import fcntl
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException

import facewright
from facewright import settings
from facewright.data.store import Store
from facewright.errors import CheckpointError, DataError, FacewrightError, RunError
from facewright.records import checkpoints, record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder
from facewright.training import launch, recorder
from facewright.training.job import Extras, Job
from facewright.training.run import begin, execute
from tests.runs_equal import assert_same_run
from tests.stores import write_store
from tests.training.conftest import small


def test_a_loss_that_is_not_finite_stops_the_run_also_where_no_doctor_names_the_problem(train):
    run, outcome = train(
        "run",
        small("loss.game=wasserstein", "model.normalisation=none", "optimiser.lr_d=1e30"),
    )
    assert (outcome.status, outcome.finding) == ("failed", None)
    assert "g_grad_norm not finite at step" in outcome.message
    assert "the last good checkpoint is intact" in outcome.message
    assert not RunFolder(run).findings.exists()


def test_the_checkpoint_before_the_bad_number_is_intact_and_none_comes_after(train, monkeypatch):
    run, _ = train("run", small("train.images=64"))
    real_step = recorder.Recorder.__call__

    def poisoned(self, state, stats):
        if state.step == 10:
            stats["d_grad_norm"] = stats["d_grad_norm"] * float("nan")
        real_step(self, state, stats)

    monkeypatch.setattr(recorder.Recorder, "__call__", poisoned)
    _, outcome = train("run", small())
    assert outcome.status == "failed"
    newest, damaged = checkpoints.sound(RunFolder(run).checkpoints)
    assert newest.state["step"] == 8
    assert not damaged
    assert "d_grad_norm not finite at step 10, after 80 images" in outcome.message


def test_changed_photos_are_refused(store, tmp_path):
    mine = tmp_path / "store"
    shutil.copytree(store, mine)
    job = Job(small("train.images=32"), Store.open(mine), tmp_path / "run", "cpu")
    begin(job)
    execute(job)
    shutil.rmtree(mine)
    write_store(mine, count=100)
    with pytest.raises(RunError, match="has changed since"):
        execute(Job(small(), Store.open(mine), job.run, "cpu"))


def test_one_pixel_changed_behind_the_manifest_is_noticed(store, tmp_path):
    mine = tmp_path / "store"
    shutil.copytree(store, mine)
    pixels = np.load(mine / "train.npy", mmap_mode="r+")
    pixels[3, 2, 1, 0] ^= 1
    pixels.flush()
    with pytest.raises(DataError, match="changed"):
        begin(Job(small(), Store.open(mine), tmp_path / "run", "cpu"))


def test_going_on_with_other_settings_is_refused_by_name(train):
    train("run", small("train.images=32"))
    with pytest.raises(RunError, match=r"optimiser\.lr_g: 0\.0002 -> 0\.001"):
        train("run", small("optimiser.lr_g=1e-3"))


def test_a_second_run_in_the_same_folder_is_refused(train, store, tmp_path):
    run, _ = train("run", small("train.images=32"))
    with pytest.raises(RunError, match="holds a run already") as refusal:
        begin(Job(small("train.batch=16"), Store.open(store), run))
    assert "train.batch: 8 -> 16" in refusal.value.what
    assert f"facewright resume {run}" in refusal.value.fix


def test_a_folder_with_other_things_in_it_is_refused(store, tmp_path):
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        begin(Job(small(), Store.open(store), tmp_path))


def test_a_full_disk_stops_the_run_with_what_to_do(train, monkeypatch):
    train("run", small("train.images=64"))

    def full(path, rows):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(recorder.record, "append", full)
        with pytest.raises(RunError, match="No space left") as refusal:
            train("run", small())
    assert "facewright resume" in refusal.value.fix
    _, outcome = train("run", small())
    assert outcome.status == "finished"


def test_a_folder_that_cannot_be_written_is_said_before_training(store, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="cannot write"):
        begin(Job(small(), Store.open(store), tmp_path / "file" / "run"))


def test_a_store_of_nothing_is_named(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        Store.open(tmp_path / "nowhere")


def test_a_damaged_checkpoint_that_the_run_goes_past_again_is_replaced(train):
    run, _ = train("run", small())
    folder = RunFolder(run).checkpoints
    newest, _ = checkpoints.sound(folder)
    (newest.path / "weights.safetensors").write_bytes(b"harm")
    _, outcome = train("run", small())
    assert outcome.status == "finished"
    again, damaged = checkpoints.sound(folder)
    assert again.state["step"] == newest.state["step"]
    assert not damaged


@pytest.mark.parametrize("images", [0, 40])
def test_a_shorter_plan_than_was_seen_is_refused_and_changes_nothing(images, train, store):
    run, _ = train("run", small())
    before = RunFolder(run).config.read_text()
    with pytest.raises(FacewrightError, match="images"):
        facewright.resume(run, images=images, device="cpu")
    assert RunFolder(run).config.read_text() == before


def test_a_run_is_trained_by_one_process_at_a_time(store, tmp_path):
    job = begin(Job(small(), Store.open(store), tmp_path / "run", "cpu"))
    with (
        (job.run / ".lock").open("w") as lock,
        contextlib.ExitStack() as stack,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        stack.enter_context(pytest.raises(RunError, match="another process"))
        execute(job)
    assert execute(job).status == "finished"


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        (("loss.game=hinge", "loss.real_target=0.9"), {}),
        ((), {"devices": 0}),
        ((), {"accelerator": "cuda"}),
    ],
    ids=["rules", "devices", "device"],
)
def test_a_plan_that_cannot_work_leaves_no_folder_behind(changes, options, store, tmp_path):
    if options.get("accelerator") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    job = Job(
        small(*changes), Store.open(store), tmp_path / "run", **{"accelerator": "cpu", **options}
    )
    with pytest.raises(FacewrightError):
        begin(job)
    assert not job.run.exists()


def test_more_devices_than_there_are_are_refused_before_there_is_a_folder(
    store, tmp_path, monkeypatch
):
    def short_of_devices(**options):
        if options["devices"] > 1:
            raise MisconfigurationException("You requested gpu: [0, 1]\n But your machine has: [0]")
        return Fabric(**options)

    monkeypatch.setattr(launch, "Fabric", short_of_devices)
    job = Job(small(), Store.open(store), tmp_path / "run", "cpu", devices=2)
    with pytest.raises(RunError, match="requested gpu") as refusal:
        begin(job)
    assert refusal.value.fix == "fewer --devices"
    assert not job.run.exists()


def test_the_settings_in_the_folder_name_the_precision(store, tmp_path):
    job = begin(Job(small("train.precision=auto"), Store.open(store), tmp_path / "run", "cpu"))
    assert settings.read(RunFolder(job.run).config).train.precision in ("fp32", "bf16")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_a_checkpoint_that_memory_is_too_small_to_score_is_saved_all_the_same(error, train, caplog):
    def score(_real, _fake):
        raise error

    run, outcome = train("run", small(), Extras(score=score))
    assert outcome.status == "finished"
    saved = checkpoints.readable(RunFolder(run).checkpoints)
    assert [c.state["score"] for c in saved] == [None] * len(saved)
    assert saved[-1].state["images_seen"] == 96
    assert "not scored" in caplog.text


def test_the_score_looks_at_held_out_photos_from_everywhere(train, store):
    seen = []
    score = Extras(score=lambda real, fake: seen.append(real) or [])
    train("run", small("train.images=32"), score)
    held_out = Store.open(store).val
    rows = [next(i for i, v in enumerate(held_out) if np.array_equal(v, r)) for r in seen[0]]
    assert len(set(rows)) == 8
    assert rows != list(range(8))


def test_a_run_whose_checkpoints_are_gone_does_not_start_over_silently(train):
    run, _ = train("run", small())
    shutil.rmtree(RunFolder(run).checkpoints)
    with pytest.raises(CheckpointError, match="no usable checkpoint"):
        train("run", small())


def test_a_log_with_a_hole_is_pointed_out(train, caplog):
    run, _ = train("run", small("train.images=64"))
    steps = RunFolder(run).steps
    steps.write_text("".join(steps.read_text().splitlines(keepends=True)[:3]))
    train("run", small())
    assert "has 3 of 8 steps" in caplog.text


def test_the_end_of_a_run_is_drawn_and_scored_whenever_it_comes(train):
    extras = Extras(score=lambda real, fake: [{"name": "one", "value": 1.0, "features": "none"}])
    run, _ = train("run", small("train.images=40"), extras)
    folder = RunFolder(run)
    assert folder.last_sample(40).exists()
    assert [row["images_seen"] for row in record.read(folder.metrics, MetricRow)] == [32, 40]


@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_photos_that_are_overwritten_stop_the_run_at_what_they_were_used_for(
    devices, store, tmp_path, forked
):
    mine = tmp_path / "store"
    shutil.copytree(store, mine)
    extras = Extras(callbacks=(partial(overwrites, mine),))
    job = Job(small(), Store.open(mine), tmp_path / "run", "cpu", devices, extras)
    with pytest.raises(FacewrightError, match="overwritten while it was trained on") as refusal:
        execute(begin(job))
    assert "saved at 32 images" in refusal.value.what
    assert refusal.value.fix == f"give back the old store, then: facewright resume {job.run}"
    newest, _ = checkpoints.sound(RunFolder(job.run).checkpoints)
    assert newest.state["images_seen"] == 32
    np.save(mine / "train.npy", np.array(Store.open(store).train))
    again = Job(small(), Store.open(mine), job.run, "cpu")
    assert execute(again).status == "finished"
    undisturbed = Job(small(), Store.open(store), tmp_path / "whole", "cpu", devices)
    execute(begin(undisturbed))
    if devices == 1:
        assert_same_run(undisturbed.run, job.run)


@contextlib.contextmanager
def overwrites(store, _config, _recorder):
    """Other photos in the place of those trained on, between two checkpoints."""

    def watch(state, _stats):
        if state.step == 6:
            pixels = np.load(store / "train.npy")
            np.save(store / "train.npy", 255 - pixels)

    yield watch

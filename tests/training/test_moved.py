"""A run that goes on elsewhere, or otherwise: said, noted, and with a way out."""

import dataclasses
import shutil

import pytest

import facewright
from facewright.actions import announcement as announcement_module
from facewright.actions.events import Note
from facewright.data.store import Store
from facewright.errors import ConfigError, RunError
from facewright.records import checkpoints, environment, record
from facewright.records.rows import RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.training.amend import settings_in_force
from facewright.training.job import Job
from tests.training.conftest import announced, small


@pytest.fixture
def half(finished, tmp_path):
    """A run in the middle, in bf16."""
    whole = finished(small("train.images=32", "train.precision=bf16"))
    return shutil.copytree(whole, tmp_path / "half")


def notes_of(run, **options) -> str:
    heard = []
    ended = facewright.resume(run, images=64, device="cpu", on_event=heard.append, **options)
    assert ended.outcome.status == "finished"
    return "\n".join(event.text for event in heard if isinstance(event, Note))


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({"precision": "fp32"}, "train.precision: bf16 -> fp32"),
        ({"batch": 4}, "train.batch: 8 -> 4"),
    ],
)
def test_a_run_goes_on_with_another_precision_or_batch_and_says_what_that_means(
    options, change, half
):
    said = notes_of(half, **options)
    assert change in said
    assert "not bit for bit" in said
    (noted,) = record.read(RunFolder(half).remedies, RemedyRow)
    assert noted["changed"] == [change]
    assert noted["images_seen"] == 32
    steps = list(record.read(RunFolder(half).steps, record.StepRow))
    assert steps[4]["images_seen"] - steps[3]["images_seen"] == options.get("batch", 8)
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))


def test_the_change_is_taken_back_in_the_same_way(half):
    notes_of(half, precision="fp32")
    facewright.resume(half, images=96, precision="bf16", device="cpu")
    assert settings_in_force(RunFolder(half)).train.precision == "bf16"
    assert len(list(record.read(RunFolder(half).remedies, RemedyRow))) == 2


def test_the_same_precision_is_no_change(half):
    assert "not bit for bit" not in notes_of(half, precision="bf16")
    assert not RunFolder(half).remedies.exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [({"batch": 1}, ConfigError), ({"batch": 9, "devices": 2}, RunError)],
)
def test_what_cannot_be_is_refused_and_changes_nothing(options, error, half):
    before = RunFolder(half).config.read_text()
    with pytest.raises(error):
        facewright.resume(half, images=64, device="cpu", **options)
    assert RunFolder(half).config.read_text() == before
    assert not RunFolder(half).remedies.exists()


@pytest.mark.parametrize(("hardware", "is_said"), [("fp32", True), ("bf16", False)])
def test_bf16_without_hardware_for_it_is_said_with_the_way_out(
    hardware, is_said, half, store, monkeypatch
):
    monkeypatch.setattr(announcement_module, "resolve_precision", lambda *_: hardware)
    config = settings_in_force(RunFolder(half))
    said = announced(Job(config, Store.open(store), half, "cpu"))
    assert ("bf16 is emulated" in said) == is_said
    assert (f"facewright resume {half} --precision fp32" in said) == is_said


def test_fp32_is_at_home_everywhere(store, tmp_path, finished):
    run = shutil.copytree(finished(small("train.images=32")), tmp_path / "run")
    job = Job(settings_in_force(RunFolder(run)), Store.open(store), run, "cpu")
    assert "emulated" not in announced(job)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cpu", "Another Processor 9000", "Another Processor 9000 before"),
        ("threads", 77, "77 before"),
        ("versions", {"torch": "1.0"}, "torch 1.0 before"),
        ("gpus", ["A100"], "A100 before"),
    ],
)
def test_what_changes_the_bits_of_a_result_is_told(name, value, words):
    now = environment.snapshot()
    assert environment.differences(now) == []
    (said,) = environment.differences({**now, name: value})
    assert words.replace("torch 1.0", "1.0") in said


def test_another_processor_is_told_as_the_run_goes_on(half, caplog):
    folder = RunFolder(half)
    noted = environment.read(folder)
    noted["sessions"][-1]["cpu"] = "Another Processor 9000"
    environment._write(folder, noted)
    notes_of(half)
    assert "Another Processor 9000 before" in caplog.text
    assert "not bit for bit" in caplog.text
    assert checkpoints.readable(folder.checkpoints)[-1].state["images_seen"] == 64
    assert dataclasses.asdict(settings_in_force(folder))["train"]["precision"] == "bf16"

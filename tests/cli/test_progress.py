"""What is said before a run begins."""

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import torch

from facewright import settings
from facewright.actions import announcement
from facewright.actions.events import Found, Progress, Tally
from facewright.actions.training_session import Trained
from facewright.cli import progress
from facewright.cli.main import _show
from facewright.cli.progress import Reporter
from facewright.cli.train import shown
from facewright.data.store import Store
from facewright.doctor.finding import Finding
from facewright.errors import ConfigError
from facewright.planning.recipes import read_recipe, tell_device
from facewright.training.job import Job, Outcome
from facewright.training.run import begin, execute
from tests.stores import write_store
from tests.training.conftest import announced, small


@pytest.mark.parametrize(
    ("busy", "threads", "advised"),
    [(0.3, 4, None), (0.7, 4, "=3 "), (2.0, 4, "=2 "), (9.0, 4, "=1 "), (9.0, 1, None)],
)
def test_threads_that_would_wait_for_each_other_are_advised_against(
    busy, threads, advised, tmp_path, monkeypatch
):
    monkeypatch.setattr(announcement, "busy_cores", lambda: busy)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(announcement, "cores", lambda: 4)
    store = write_store(tmp_path / "store", count=40)
    notes = announced(begin(Job(small(), Store.open(store), tmp_path / "run", "cpu")))
    assert (f"OMP_NUM_THREADS{advised}" in notes) if advised else ("OMP_NUM_THREADS" not in notes)


def test_a_run_that_has_begun_keeps_its_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(announcement, "busy_cores", lambda: 9.0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    store = write_store(tmp_path / "store", count=40)
    job = begin(Job(small("train.images=8"), Store.open(store), tmp_path / "run", "cpu"))
    execute(job)
    notes = announced(job)
    assert "OMP_NUM_THREADS" not in notes


@pytest.mark.parametrize(
    ("recipe", "said"), [("fast-32", True), ("classic-celeba28", False), ("", False)]
)
def test_a_recipe_for_photos_of_another_size_is_told(recipe, said, tmp_path):
    store = write_store(tmp_path / "store", count=40, size=28)
    notes = announced(
        begin(Job(small(), Store.open(store), tmp_path / "run", "cpu", recipe=recipe))
    )
    assert ("made for photos of 32x32" in notes) == said
    assert ("made for these: fast-28 (cpu), classic-celeba28 (cpu)" in notes) == said


def test_the_precision_is_said_by_us_and_not_by_lightning(tmp_path, caplog, monkeypatch):
    theirs = logging.getLogger("lightning_fabric")
    monkeypatch.setattr(theirs, "level", logging.INFO)
    monkeypatch.setattr(theirs, "handlers", [caplog.handler])
    theirs.info("heard")
    store = write_store(tmp_path / "store", count=40)
    notes = announced(
        begin(Job(small("train.precision=bf16"), Store.open(store), tmp_path / "run", "cpu"))
    )
    assert "in batches of 8, bf16\n" in notes
    theirs.info("heard again")
    assert set(caplog.messages) == {"heard", "heard again"}


def test_a_run_that_goes_on_says_from_where(tmp_path):
    store = write_store(tmp_path / "store", count=40)
    job = begin(Job(small("train.images=40"), Store.open(store), tmp_path / "run", "cpu"))
    notes = announced(job)
    execute(job)
    assert "going on" not in notes
    longer = settings.override(job.config, ["train.images=80"])
    notes = announced(replace(job, config=longer))
    assert "going on from 40 images" in notes


@pytest.mark.parametrize(
    ("recipe", "device", "said"),
    [
        ("gpu-64", "cpu", "gpu-64 is made for a GPU; for this CPU: fast-64 (64 px)"),
        ("faces-256", "cpu", "faces-256 is made for a GPU; for this CPU: fast-64 (64 px)"),
        ("gpu-64", "cuda", ""),
        ("fast-64", "cpu", ""),
        ("mine.toml", "cpu", ""),
    ],
)
def test_a_recipe_for_gpus_says_so_on_a_cpu(recipe, device, said, caplog):
    tell_device(recipe, torch.device(device))
    assert " ".join(caplog.messages) == said


def test_the_name_of_a_model_is_answered_with_the_recipe_that_trained_it():
    with pytest.raises(ConfigError) as refused:
        read_recipe("faces-28")
    assert refused.value.expected.startswith("'fast-28', if you want to train as the model")


def test_what_to_type_next_can_be_pasted_whatever_the_names():
    end = Outcome("finished", 1, 8, 0.1)
    said = "".join(map(str, shown(Trained(Path("my run"), Path("my store"), end)).renderables))
    assert "facewright generate 'my run' --out" in said
    assert "facewright evaluate 'my run' --data 'my store'" in said


def test_where_no_recipe_is_made_for_a_size_none_is_named(tmp_path):
    store = write_store(tmp_path / "store", count=40, size=20)
    notes = announced(
        begin(Job(small(), Store.open(store), tmp_path / "run", "cpu", recipe="fast-32"))
    )
    assert "made for these: none" in notes


def test_who_trains_reads_how_many_photos_judge(tmp_path):
    store = write_store(tmp_path / "store", count=40)
    notes = announced(begin(Job(small(), Store.open(store), tmp_path / "run", "cpu")))
    held_out = len(Store.open(store).val)
    assert f"({held_out} held out)" in notes
    assert 0 < held_out < 40


def test_progress_is_told_now_and_then_where_no_terminal_is_there(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0])  # begins; asks, asks and speaks, asks
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with Reporter() as reporter:
        tally = Tally(reporter)
        for _ in range(3):
            tally("features of photos", 100, 1000)
    assert capsys.readouterr().err == "features of photos: 200 of 1,000\n"


@pytest.mark.parametrize(("images", "said"), [(400, False), (200, True), (800, True)])
def test_a_run_of_another_length_than_its_recipe_is_told_the_schedule_in_proportion(
    images, said, tmp_path
):
    recipe = tmp_path / "mine.toml"
    late = ("schedule.after=300", "schedule.images=100", "schedule.lr_to=0.1")
    recipe.write_text(settings.to_toml(small("train.images=400", *late)))
    config = settings.override(settings.read(recipe), [f"train.images={images}"])
    store = write_store(tmp_path / "store", count=40)
    notes = announced(
        begin(Job(config, Store.open(store), tmp_path / "run", "cpu", recipe=str(recipe)))
    )
    wanted = f"--set schedule.after={300 * images // 400} --set schedule.images={images // 4}"
    assert (wanted in notes) == said


@pytest.mark.parametrize(
    ("images", "every", "said"),
    [
        (8_000, 12_800, "--set record.snapshot_images=1600 makes it look"),
        (1_600, 12_800, "too short for a verdict"),
        (16_000, 12_800, ""),
        (8_000, 0, ""),
    ],
)
def test_a_run_that_ends_before_the_first_look_of_the_doctor_is_told_so(
    images, every, said, tmp_path
):
    config = small(f"train.images={images}", f"record.snapshot_images={every}")
    notes = announced(
        begin(Job(config, Store.open(write_store(tmp_path / "store")), tmp_path / "run", "cpu"))
    ).replace("\n", " ")
    assert ("the doctor looks every" in notes) == bool(said)
    assert said in notes


@pytest.mark.parametrize(("images", "said"), [(96, False), (160, True)])
def test_a_run_that_is_made_longer_is_told_that_its_schedule_is_over(images, said, tmp_path):
    config = small("schedule.after=48", "schedule.images=48", "schedule.lr_to=0.1")
    job = begin(Job(config, Store.open(write_store(tmp_path / "store")), tmp_path / "run", "cpu"))
    execute(job)
    notes = announced(replace(job, config=settings.override(config, [f"train.images={images}"])))
    assert ("the schedule ends at 96 images" in notes) == said
    assert ("--set schedule.after=80 --set schedule.images=80" in notes) == said
    assert ("it is finished already" in notes) != said


def test_no_time_is_left_where_the_last_step_shows_more_than_was_asked_for(monkeypatch, capsys):
    clock = iter([0.0, 31.0, 31.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with Reporter() as reporter:
        reporter(Progress("training", 163, 100, numbers={"images_per_second": 5.0}))
    assert "5 images/s, 0:00:00 left" in capsys.readouterr().err


def test_what_an_error_says_in_brackets_is_shown_as_it_is(capsys):
    failed = Outcome("failed", 1, 64, 1.0, "[rank0] is lost [/here]")
    _show("train", Trained(Path("run[1]"), Path("store"), failed), as_json=False)
    said = capsys.readouterr().out
    assert "[rank0] is lost [/here]" in said
    assert "'run[1]'" in said


def found(grade: Literal["watch", "problem"]) -> Found:
    verdict = "discriminator-overfitting"
    return Found(Finding("T1", verdict, "it is so", {}, 16, 32, 2, True, "by hand", "t", grade))


def test_what_is_to_be_watched_is_told_calmly(capsys):
    reporter = Reporter()
    reporter(found("watch"))
    assert capsys.readouterr().err == "doctor, 32 images: to watch: it is so\n"
    reporter(found("problem"))
    said = capsys.readouterr().err
    assert "discriminator-overfitting: it is so (since 16)" in said
    assert "try: by hand" in said


@pytest.mark.parametrize(
    ("photos", "samples", "said"),
    [
        (40, 1000, "there are no scores, and no best checkpoint"),
        (120, 1000, "coverage is not given"),
        (400, 1000, ""),
        (40, 0, ""),
    ],
)
def test_few_held_out_photos_are_told_what_they_cost(photos, samples, said, tmp_path):
    store = Store.open(write_store(tmp_path / "store", count=photos))
    config = small(f"record.score_samples={samples}")
    notes = announced(begin(Job(config, store, tmp_path / "run", "cpu"))).replace("\n", " ")
    assert ("are held out, of which noise" in notes) == bool(said)
    assert said in notes

"""However a run is stopped, nothing is lost and going on changes nothing."""

import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from facewright import settings
from facewright.config import Config
from facewright.records import environment
from facewright.records.run_folder import RunFolder
from facewright.training.job import Extras, Job
from facewright.training.run import begin, execute
from tests.processes import FORKED
from tests.runs_equal import assert_same_run
from tests.training.conftest import pixel_scores, small

SHORT = small("train.images=480", "record.checkpoint_images=16", "record.sample_images=160")
"""A checkpoint every other step, and long enough to be hit by one signal."""
LONG = settings.override(SHORT, ["train.images=1600"])
"""Long enough to be killed twenty times."""
EXTRAS = Extras(score=pixel_scores)


def work(job: Job, announce: Path) -> None:
    """The child: train and exit with the status of the command line."""
    import torch

    torch.set_num_threads(1)
    announce.touch()
    status = execute(job).status
    os._exit({"finished": 0, "interrupted": 130}.get(status, 1))


def start(job: Job, tmp_path: Path) -> BaseProcess:
    announce = tmp_path / "started"
    announce.unlink(missing_ok=True)
    child = FORKED.Process(target=work, args=(job, announce))
    child.start()
    while not announce.exists():
        time.sleep(0.01)
    return child


def wait(child: BaseProcess, seconds: float, steps: Path) -> None:
    """Give the child some time, but never more than a twentieth of the run.

    A fast machine would otherwise be done before it was stopped often enough.
    """
    deadline = time.monotonic() + seconds
    enough = lines_in(steps) + 10
    while child.exitcode is None and time.monotonic() < deadline and lines_in(steps) < enough:
        child.join(0.002)


def lines_in(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.fixture(scope="module", params=["fp32", "bf16"])
def precision(request) -> str:
    return f"train.precision={request.param}"


@pytest.fixture(scope="module")
def config(precision: str) -> Config:
    return settings.override(SHORT, [precision])


def whole(config: Config, store: Path, run: Path) -> Path:
    """A run that nobody stops."""
    job = Job(config, store, run, "cpu", extras=EXTRAS)
    begin(job)
    execute(job)
    return run


@pytest.fixture(scope="module")
def uninterrupted(config: Config, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole(config, store, tmp_path_factory.mktemp("whole") / "run")


def test_twenty_kills_at_random_moments_change_nothing(precision, store, tmp_path):
    longer = settings.override(LONG, [precision])
    undisturbed = whole(longer, store, tmp_path / "whole")
    job = Job(longer, store, tmp_path / "run", "cpu", extras=EXTRAS)
    begin(job)
    moments = random.Random(0)
    killed = 0
    while killed < 20:
        child = start(job, tmp_path)
        wait(child, moments.uniform(0.0, 0.4), RunFolder(job.run).steps)
        if child.exitcode is None:
            child.kill()
            killed += 1
        child.join()
        if child.exitcode == 0:
            break
    assert killed >= 10, "the run was over before it was killed often enough"
    assert execute(job).status == "finished"
    assert_same_run(undisturbed, job.run)
    sessions = environment.read(RunFolder(job.run))["sessions"]
    assert [s["status"] for s in sessions].count("killed") >= 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_saves_and_says_so(number, config, store, tmp_path, uninterrupted):
    job = Job(config, store, tmp_path / "run", "cpu", extras=EXTRAS)
    begin(job)
    child = start(job, tmp_path)
    while not RunFolder(job.run).steps.exists():
        time.sleep(0.01)
    os.kill(child.pid or 0, number)
    child.join(20)
    assert child.exitcode == 130
    (session,) = environment.read(RunFolder(job.run))["sessions"]
    assert session["status"] == "interrupted"
    assert execute(job).status == "finished"
    assert_same_run(uninterrupted, job.run)


def test_a_kill_between_any_two_writes_of_a_checkpoint_changes_nothing(
    config, store, tmp_path, uninterrupted
):
    """Stops the child at each call that touches the disk while it saves, in turn."""
    job = Job(config, store, tmp_path / "run", "cpu", extras=EXTRAS)
    begin(job)
    for call in range(1, 13):
        child = FORKED.Process(target=die_at_disk_call, args=(job, call))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
    assert execute(job).status == "finished"
    assert_same_run(uninterrupted, job.run)


def die_at_disk_call(job: Job, call: int) -> None:
    """The child: goes down at the n-th fsync, rename or removal of a later checkpoint."""
    import shutil

    import torch

    torch.set_num_threads(1)
    left = {"calls": 12 + call}

    def lethal(function):
        def counted(*args, **kwargs):
            left["calls"] -= 1
            if left["calls"] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return counted

    os.fsync, os.replace, shutil.rmtree = map(lethal, (os.fsync, os.replace, shutil.rmtree))
    execute(job)

"""However a run is stopped, nothing is lost and going on changes nothing."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from facewright import settings
from facewright.config import Config
from facewright.data.store import Store
from facewright.records import environment
from facewright.records.run_folder import RunFolder
from facewright.training.job import Extras, Job
from facewright.training.loop import Callback
from facewright.training.recorder import Recorder
from facewright.training.run import begin, execute
from facewright.training.state import TrainState
from facewright.training.step import Stats
from tests.processes import FORKED
from tests.runs_equal import assert_same_run
from tests.training.conftest import pixel_scores, small

SHORT = small("train.images=480", "record.checkpoint_images=16", "record.sample_images=160")
"""A checkpoint every other step, and long enough to be hit by one signal."""
LONG = settings.override(SHORT, ["train.images=1600"])
"""Long enough to be killed twenty times."""
EXTRAS = Extras(score=pixel_scores)


def work(job: Job) -> None:
    """The child: train and exit with the status of the command line."""
    import torch

    torch.set_num_threads(1)
    status = execute(job).status
    os._exit({"finished": 0, "interrupted": 130}.get(status, 1))


def started(job: Job) -> BaseProcess:
    child = FORKED.Process(target=work, args=(job,))
    child.start()
    return child


def wait(child: BaseProcess, steps: Path, more: int, rest: float) -> None:
    """Until the child has recorded so many more steps, and then `rest` seconds.

    On a busy machine the rest is another part of a step; how far each session comes, and how
    often the run is killed, does not depend on the clock.
    """
    enough = lines_in(steps) + more
    while child.exitcode is None and lines_in(steps) < enough:
        child.join(0.002)
    child.join(rest)


def lines_in(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def whole(config: Config, store: Path, run: Path) -> Path:
    """A run that nobody stops."""
    job = Job(config, Store.open(store), run, "cpu", extras=EXTRAS)
    begin(job)
    execute(job)
    return run


@pytest.fixture(scope="module")
def uninterrupted(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole(SHORT, store, tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.slow
def test_twenty_kills_at_random_moments_change_nothing(store, tmp_path):
    undisturbed = whole(LONG, store, tmp_path / "whole")
    job = Job(LONG, Store.open(store), tmp_path / "run", "cpu", extras=EXTRAS)
    begin(job)
    moments = random.Random(0)
    killed = 0
    while killed < 20:
        child = started(job)
        steps, part = moments.randrange(1, 8), moments.uniform(0.0, 0.01)
        wait(child, RunFolder(job.run).steps, steps, part)
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
    # The last kill may have come when everything was written.
    assert [s["status"] for s in sessions].count("killed") >= killed - 1


@contextmanager
def asks_to_stop(_config: Config, _recorder: Recorder, *, number: int) -> Iterator[Callback]:
    """The signal comes in the fifth step, however long that takes."""

    def watch(state: TrainState, _stats: Stats) -> None:
        if state.step == 5:
            os.kill(os.getpid(), number)

    yield watch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_polite_signal_saves_and_says_so(number, store, tmp_path, uninterrupted):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the tests were started so that this signal is ignored, as by nohup")
    job = Job(SHORT, Store.open(store), tmp_path / "run", "cpu", extras=EXTRAS)
    begin(job)
    asked = replace(EXTRAS, callbacks=(partial(asks_to_stop, number=number),))
    child = started(replace(job, extras=asked))
    child.join()
    assert child.exitcode == 130
    (session,) = environment.read(RunFolder(job.run))["sessions"]
    assert session["status"] == "interrupted"
    assert execute(job).status == "finished"
    assert_same_run(uninterrupted, job.run)


@pytest.mark.slow
def test_a_kill_between_any_two_writes_of_a_checkpoint_changes_nothing(
    store, tmp_path, uninterrupted
):
    """Stops the child at each call that touches the disk while it saves, in turn."""
    job = Job(SHORT, Store.open(store), tmp_path / "run", "cpu", extras=EXTRAS)
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

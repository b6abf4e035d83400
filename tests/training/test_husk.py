"""A start that failed before the first step is in nobody's way."""

import shutil
from contextlib import contextmanager

import pytest

import facewright
from facewright import settings
from facewright.data.store import Store
from facewright.errors import RunError
from facewright.records import environment
from facewright.records.run_folder import RunFolder
from facewright.training import run as run_module
from facewright.training import session
from facewright.training.job import Extras, Job
from facewright.training.run import begin, execute
from tests.training.conftest import small


def job_of(store, run, *changes: str) -> Job:
    return Job(small(*changes), Store.open(store), run, "cpu", recipe="fast-28")


def test_the_photos_are_noted_when_the_folder_is_made(store, tmp_path):
    begin(job_of(store, tmp_path / "run"))
    noted = environment.read(RunFolder(tmp_path / "run"))
    assert noted["store"]["path"] == str(store.resolve())
    assert noted["store"]["content_hash"] == Store.open(store).content_hash
    assert noted["facewright"]["recipe"] == "fast-28"
    assert noted["sessions"] == []


def test_a_run_killed_before_its_first_session_is_resumed(store, tmp_path):
    begin(job_of(store, tmp_path / "run"))
    assert facewright.resume(tmp_path / "run", device="cpu").outcome.status == "finished"


@pytest.mark.parametrize("moment", ["settings", "networks", "first step"])
def test_a_new_start_replaces_one_that_failed_before_the_first_step(
    moment, store, tmp_path, monkeypatch
):
    def fails(*_args, **_more):
        raise KeyboardInterrupt

    place, name = {
        "settings": (run_module.settings, "to_toml"),
        "networks": (session, "fresh_state"),
        "first step": (session, "train_until"),
    }[moment]
    job = job_of(store, tmp_path / "run", "train.seed=1")
    with monkeypatch.context() as patched:
        patched.setattr(place, name, fails)
        with pytest.raises(KeyboardInterrupt):
            execute(begin(job))
    other = job_of(store, tmp_path / "run", "train.seed=2")
    assert execute(begin(other)).status == "finished"
    folder = RunFolder(job.run)
    assert settings.read(folder.config).train.seed == 2
    assert [one["status"] for one in environment.read(folder)["sessions"]] == ["finished"]


def test_a_run_with_a_single_step_is_never_replaced(train, store):
    run, _ = train("run", small("train.images=8"))
    with pytest.raises(RunError, match="holds a run already"):
        begin(job_of(store, run))


@pytest.mark.parametrize("name", ["samples/mine.png", "checkpoints/mine/photo.jpg", "mine.txt"])
def test_what_is_not_a_runs_own_is_never_removed(name, store, tmp_path):
    begin(job_of(store, tmp_path / "run"))
    (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "run" / name).write_text("mine")
    with pytest.raises(RunError):
        begin(job_of(store, tmp_path / "run"))
    assert (tmp_path / "run" / name).read_text() == "mine"


def test_somebodys_settings_alone_are_no_failed_start(store, tmp_path):
    (tmp_path / "config.toml").write_text(settings.to_toml(small()))
    with pytest.raises(RunError, match="holds a run already"):
        begin(job_of(store, tmp_path))
    assert (tmp_path / "config.toml").exists()


def test_a_run_folder_that_is_moved_while_it_is_trained_is_said_to_be_gone(train, tmp_path, caplog):
    @contextmanager
    def moves(_config, _recorder):
        def watch(state, _stats):
            if state.step == 5:
                shutil.move(tmp_path / "run", tmp_path / "elsewhere")

        yield watch

    with pytest.raises(RunError, match="not there any more") as refusal:
        train("run", small(), Extras(callbacks=(moves,)))
    assert "facewright resume" in refusal.value.fix
    assert not (tmp_path / "run").exists()
    _, outcome = train("elsewhere", small())
    assert outcome.status == "finished"

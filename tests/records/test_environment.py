"""What `environment.json` says of the machine and of each session."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facewright.records import environment
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory

STORE = {"path": "stores/faces", "content_hash": "abc", "counts": {"train": 9, "val": 1}}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path)
    run.config.write_text("")
    return run


def test_the_snapshot_names_what_can_change_a_result():
    taken = environment.snapshot()
    assert taken["versions"]["torch"] == torch.__version__
    assert taken["threads"] == torch.get_num_threads()
    assert 1 <= taken["cores"] <= (os.cpu_count() or 1)
    assert taken["cpu"]
    assert taken["memory_gib"] > 0.1
    json.dumps(taken)


def test_nothing_private_is_noted(monkeypatch):
    home = str(Path.home())
    monkeypatch.setattr(sys, "argv", [f"{home}/bin/facewright", "--data", f"{home}/me"])
    taken = environment.snapshot()
    assert taken["command"] == "facewright --data '~/me'"
    text = json.dumps(taken)
    assert f"{home}/" not in text
    assert platform.node() not in text.split()


def test_a_session_is_noted_from_its_start_to_its_end(folder):
    environment.begin_session(folder, STORE, 0, recipe="drawn-32")
    (session,) = environment.read(folder)["sessions"]
    assert (session["status"], session["ended"], session["seconds"]) == ("running", None, None)
    environment.end_session(folder, 6400, 5.5, "interrupted")
    (session,) = environment.read(folder)["sessions"]
    assert (session["images_from"], session["images_to"]) == (0, 6400)
    assert (session["seconds"], session["status"]) == (5.5, "interrupted")
    assert session["ended"] >= session["started"]
    assert environment.read(folder)["store"] == STORE


def test_a_resumed_run_keeps_its_recipe_and_its_first_session(folder):
    environment.begin_session(folder, STORE, 0, recipe="drawn-32")
    environment.end_session(folder, 64, 1.0, "interrupted")
    environment.begin_session(folder, STORE, 64)
    content = environment.read(folder)
    assert content["facewright"]["recipe"] == "drawn-32"
    assert [s["status"] for s in content["sessions"]] == ["interrupted", "running"]


def test_of_a_recipe_of_ones_own_only_the_file_is_noted(folder):
    environment.begin_session(folder, STORE, 0, recipe="/home/somebody/secret/mine.toml")
    assert environment.read(folder)["facewright"]["recipe"] == "mine.toml"


def test_a_session_that_never_ended_was_killed(folder):
    environment.begin_session(folder, STORE, 0)
    environment.begin_session(folder, STORE, 0)
    first, second = environment.read(folder)["sessions"]
    assert (first["status"], first["ended"]) == ("killed", None)
    assert second["status"] == "running"


def test_a_run_is_running_until_its_process_is_killed(folder):
    code = (
        "import sys; from pathlib import Path\n"
        "from facewright.records.environment import begin_session\n"
        "from facewright.records.run_folder import RunFolder\n"
        "begin_session(RunFolder(Path(sys.argv[1])), {}, 0); print('begun', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert RunHistory.read(folder.path).status == "running"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert RunHistory.read(folder.path).status == "killed"


def test_another_process_with_the_same_number_is_not_the_run(folder):
    environment.begin_session(folder, STORE, 0)
    (session,) = environment.read(folder)["sessions"]
    assert environment.is_alive(session)
    session["process"]["started"] += "1"
    assert not environment.is_alive(session)

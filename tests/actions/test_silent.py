"""Every action works where nothing can be printed, and tells the same to who listens."""

import ast
import importlib
import logging
import pickle
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facewright
from facewright import COMMANDS
from facewright.actions.events import Event, Found, Note, Progress, Sampled, refuse_unsendable
from facewright.errors import FacewrightError
from facewright.planning.measured import Table
from tests.planning.conftest import curve, entry
from tests.planning.conftest import speed as measured
from tests.stores import write_store

TINY = (
    "model.width=4",
    "model.z_dim=8",
    "train.batch=8",
    "train.precision=fp32",
    "record.score_samples=8",
    "record.checkpoint_images=16",
    "record.sample_images=16",
    "record.snapshot_images=32",
)
PROGRAMME = """
[model]
width = 4
z_dim = 8
[train]
images = 16
batch = 8
precision = "fp32"
[record]
checkpoint_images = 16
score_samples = 0
final_samples = 0
equilibrium_images = 0
"""


class Closed:
    """A stream that nothing can be written to."""

    def write(self, text: str) -> int:
        raise AssertionError(f"printed: {text!r}")

    def flush(self) -> None:
        return None


@pytest.fixture(scope="module", autouse=True)
def _little_effort():
    """Searches of a few steps, and one recipe whose speed is known."""
    few: dict[str, Any] = {"fresh_steps": 2, "warm_steps": 2, "generator_steps": 2, "every": 2}
    with pytest.MonkeyPatch.context() as patch:
        balance = importlib.import_module("facewright.actions.equilibrium")
        patch.setattr(balance, "LIVE", replace(balance.LIVE, **few, batch=8))
        plan = importlib.import_module("facewright.actions.plan")
        of_few = curve((10_000, 50), (1_000_000, 30), photos=100)
        only = Table((entry("classic-celeba28", curves=(of_few,)),), {})
        patch.setattr(plan, "read_table", lambda: only)
        patch.setattr(plan, "measure", lambda *_: [measured()])
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "blobs", size=28)


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    facewright.train(recipe="drawn-32", data=store, out=out, images=32, set=(TINY,))
    return out


@pytest.fixture
def call(store, run, tmp_path, monkeypatch):
    """Call an action by name, in the smallest way that does something."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(PROGRAMME)
    demo = importlib.import_module("facewright.actions.demo")
    monkeypatch.setattr(demo, "DEMO", demo.Programme("drawn", 60, 16, str(recipe), images=16))
    np.save(tmp_path / "images.npy", np.load(store / "train.npy")[:16])
    images, out = tmp_path / "images.npy", tmp_path / "out"
    own, some = tmp_path / "own", {"data": store, "count": 64}
    shutil.copytree(run, own)
    words: dict[str, tuple[tuple, dict]] = {
        "prepare": (("drawn",), {"out": out, "size": 16, "count": 20, "workers": 1}),
        "look": ((store,), {"out": tmp_path / "sheet.png"}),
        "plan": ((), {"data": store, "hours": 1, "device": "cpu"}),
        "train": ((), {"recipe": str(recipe), "data": store, "out": out}),
        "resume": ((own,), {"images": 48}),
        "generate": (("faces-28",), {"out": tmp_path / "x.png", "grid": True, "count": 4}),
        "evaluate": ((images,), {"data": store, "metrics": "swd"}),
        "audit": ((own,), some),
        "diagnose": ((run,), {}),
        "equilibrium": ((run,), {"data": store, "budget": "quick"}),
        "export": ((run,), {"out": tmp_path / "m.safetensors", "count": 64, "force": True}),
        "lesson": (("minimax",), {"out": tmp_path / "lessons", "quick": True}),
        "report": ((run,), {"out": tmp_path / "r.html"}),
        "runs": ((run.parent,), {}),
        "demo": ((), {"out": out}),
    }
    assert words.keys() == COMMANDS.keys()

    def made(name: str, **more: Any) -> Any:
        given, named = words[name]
        return getattr(facewright, name)(*given, **named, **more)

    return made


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n == "lesson" else []) for n in COMMANDS]
)
def test_an_action_works_with_standard_output_closed(name, call, monkeypatch, caplog):
    caplog.set_level(logging.INFO)  # a handler of ours: warnings go to no stream
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, Closed())
    assert isinstance(call(name).as_json(), dict)


def test_who_listens_to_a_training_hears_of_progress_and_samples(call):
    heard: list[Event] = []
    call("train", on_event=heard.append)
    progress = [event for event in heard if isinstance(event, Progress)]
    assert [event.done for event in progress] == [8, 16, 16]
    assert {(event.what, event.total) for event in progress} == {("training", 16)}
    assert [event.is_over for event in progress] == [False, False, True]
    assert "16 images in batches of 8" in next(e.text for e in heard if isinstance(e, Note))
    assert all(event.sheet.is_file() for event in heard if isinstance(event, Sampled))
    assert any(isinstance(event, Sampled) for event in heard)


def test_who_listens_hears_what_the_doctor_finds(store, tmp_path):
    heard: list[Event] = []
    burst = (*TINY, "optimiser.lr_g=1e30", "optimiser.lr_d=1e30")
    out = tmp_path / "run"
    ended = facewright.train(
        recipe="drawn-32", data=store, out=out, images=32, set=(burst,), on_event=heard.append
    )
    (found,) = [event.finding for event in heard if isinstance(event, Found)]
    assert ended.outcome.status == "failed"
    assert found.code == "NC01"


def test_the_bar_is_there_for_who_asks_for_it(call, capsys):
    call("train", on_event=facewright.Reporter())
    assert "16 images in batches of 8" in capsys.readouterr().err


def test_what_cannot_reach_other_processes_is_refused_before_they_begin():
    refuse_unsendable(lambda _event: None, devices=1)
    refuse_unsendable(facewright.Reporter(), devices=2)
    with pytest.raises(FacewrightError, match="on_event cannot be sent to 2 processes"):
        refuse_unsendable(lambda _event: None, devices=2)


def test_a_reporter_that_is_sent_begins_anew():
    assert isinstance(pickle.loads(pickle.dumps(facewright.Reporter())), facewright.Reporter)


def test_nothing_below_the_command_line_writes_to_a_stream():
    source = Path(facewright.__file__).parent

    def writes(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return ast.unparse(node) in ("sys.stdout", "sys.stderr")
        return isinstance(node, ast.Call) and ast.unparse(node.func) == "print"

    trees = {path: ast.parse(path.read_text("utf-8")) for path in source.rglob("*.py")}
    writing = {path for path, tree in trees.items() if any(map(writes, ast.walk(tree)))}
    assert source / "cli" / "main.py" in writing
    assert {path.parent for path in writing} == {source / "cli"}


def test_only_the_command_line_knows_what_shows_things():
    source = Path(facewright.__file__).parent
    elsewhere = [path for path in source.rglob("*.py") if path.parent.name != "cli"]
    assert len(elsewhere) > 200
    shows = re.compile(r"^\s*(?:from|import) (?:rich|tyro)\b", re.MULTILINE)
    assert not [path for path in elsewhere if shows.search(path.read_text(encoding="utf-8"))]
    assert [path for path in (source / "cli").glob("*.py") if shows.search(path.read_text("utf-8"))]


def test_a_callback_that_cannot_be_sent_leaves_no_run_behind(store, tmp_path):
    with pytest.raises(FacewrightError, match="on_event cannot be sent"):
        facewright.train(
            recipe="drawn-32", data=store, out=tmp_path / "run", devices=2, on_event=lambda _: None
        )
    assert not (tmp_path / "run").exists()

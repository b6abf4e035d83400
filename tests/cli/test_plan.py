"""From a store and some hours to a command that can be pasted."""

import importlib
import io
import json
import shlex
from datetime import datetime
from pathlib import Path

import pytest
import torch
from rich.console import Console

import facewright
from facewright.actions.plan import Planned
from facewright.cli.main import main
from facewright.cli.plan import shown as render
from facewright.data.store import Store
from facewright.planning import speed
from facewright.planning.measured import Table, read_table
from facewright.planning.plan import plan_for
from tests.planning.conftest import PLAIN, candidate, curve, entry, plan_request, recipe
from tests.planning.conftest import photos as faces
from tests.planning.conftest import speed as measured

COMMAND = importlib.import_module("facewright.actions.plan")

KEYS = {"recipe", "device", "batch", "micro_batch", "penalty", "images", "images_per_second"}
KEYS |= {"memory_bytes", "seconds", "ends", "quality", "changes", "command", "notes", "measured"}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("stores") / "drawn"
    facewright.prepare("drawn", out=out, size=28, count=80, crop="none")
    return out


@pytest.fixture
def instant(monkeypatch):
    """Nothing is measured: the only recipe trains 1,000 images a second, and no other program."""
    of_few = curve((10_000, 50), (1_000_000, 30), photos=100)
    only = Table((entry("classic-celeba28", curves=(of_few,)),), {})
    monkeypatch.setattr(COMMAND, "read_table", lambda: only)
    monkeypatch.setattr(COMMAND, "measure", lambda *_: [measured()])
    monkeypatch.setattr(COMMAND, "busy_cores", lambda: 0.0)


@pytest.mark.slow
def test_a_plan_for_drawn_faces_is_measured_and_its_command_trains(
    store, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speed, "SECONDS", 0.05)
    classic = [one for one in read_table().recipes if one.name == "classic-celeba28"]
    monkeypatch.setattr(COMMAND, "read_table", lambda: Table(tuple(classic), {}))
    words = ["plan", "--data", str(store), "--hours", "0.5", "--device", "cpu", "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said.keys() == KEYS
    assert said["batch"] in [row["batch"] for row in said["measured"]]
    for row in said["measured"]:
        assert 0 < row["low"] <= row["images_per_second"] <= row["high"]
        assert row["memory_bytes"] is None or 2**26 < row["memory_bytes"] < said["memory_bytes"]
    assert said["images"] == pytest.approx(
        said["images_per_second"] * said["seconds"], rel=0.2
    )  # but for the records
    assert 0.8 * 1_800 < said["seconds"] <= 1_800
    assert (datetime.fromisoformat(said["ends"]) - datetime.now().astimezone()).seconds <= 1_800
    assert said["quality"] is None  # of 71 photos, where 8,995 were measured
    assert "photos are few" in " ".join(said["notes"])
    command = shlex.split(said["command"])
    assert command[0] == "facewright"
    assert f"train.images={said['images']}" in command
    assert main([*command[1:], "--images", "64"]) == 0
    assert (tmp_path / "runs" / "drawn" / "config.toml").is_file()


def test_people_are_shown_the_same(instant, store, capsys):
    assert main(["plan", "--data", str(store), "--hours", "1", "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    count = len(Store.open(store).train)
    assert f"{count} of 28x28x3 ({store})" in shown.out
    assert "3,200,000" in shown.out  # 3.6 million less what records take
    assert "59 min of 1 h" in shown.out
    assert "none: the recipe has no R1 or R2" in shown.out
    longest = "as after 1,000,000 images (longer was never measured) on faces-28"
    assert longest in " ".join(shown.out.split())
    *_, last = shown.out.strip().splitlines()
    assert last.startswith("facewright train --recipe classic-celeba28")


def test_scripts_are_told_what_is_to_be_expected_with_its_interval(instant, store, capsys):
    assert main(["plan", "--data", str(store), "--hours", "1", "--json"]) == 0
    quality = json.loads(capsys.readouterr().out)["quality"]
    assert (quality["metric"], quality["bound"]) == ("fid", "never so long")
    assert (quality["low"], quality["fid"], quality["high"]) == (29, 30, 31)


def test_a_plan_with_less_memory_and_another_size_shows_what_it_changed():
    config = recipe("loss.r1=0.5", "loss.r2=0.5", "train.batch=2048", PLAIN)
    asked = plan_request(photos=faces(shape=(3, 56, 56)), available_memory=2**31)
    shown = io.StringIO()
    plan = plan_for(candidate(config, None, measured(1024), measured(2048, 1e3, 2**32)), asked)
    Console(file=shown, width=200).print(render(Planned(plan, asked)))
    assert "2048, " in shown.getvalue()
    assert " at once" in shown.getvalue()
    assert "R1 4.3, R2 4.3 (scaled to this size by a rule)" in shown.getvalue()
    assert "not known" in shown.getvalue()
    assert "of 2,048 MiB" in shown.getvalue()


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "8761"])
def test_hours_that_cannot_be_are_refused(hours, capsys):
    assert main(["plan", "--data", "nowhere", "--hours", hours, "--json"]) == 2
    said = json.loads(capsys.readouterr().out)["error"]
    assert said["what"].startswith("--hours ")
    assert "above 0" in said["expected"]
    assert said["fix"] == "--hours 0.5"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused_as_train_does(store, tmp_path, capsys):
    assert main(["plan", "--data", str(store), "--hours", "1", "--device", "cuda"]) == 2
    said = capsys.readouterr().err
    words = ["--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "run")]
    assert main(["train", *words, "--device", "cuda"]) == 2
    assert said == capsys.readouterr().err
    assert "--device cuda" in said


@pytest.mark.parametrize(("asked", "options"), [("auto", ""), ("mps", " --device mps ")])
def test_an_apple_gpu_is_called_by_its_name_and_gets_a_recipe_for_cpus(
    asked, options, instant, store, monkeypatch
):
    monkeypatch.setattr(COMMAND, "device_of", lambda _: torch.device("mps"))
    planned = facewright.plan(data=store, hours=1, device=asked)
    said = planned.as_json()
    assert (said["device"], said["recipe"]) == ("mps", "classic-celeba28")
    assert any("ever measured on an Apple GPU (mps)" in note for note in said["notes"])
    assert not any("is made for a" in note for note in said["notes"])
    assert options in said["command"]
    shown = io.StringIO()
    Console(file=shown, width=200).print(render(planned))
    assert "(mps)" in shown.getvalue()


def test_a_run_that_is_there_already_is_left_alone(instant, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("drawn", "drawn-2"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    plan = facewright.plan(data=store, hours=1, device="cpu").plan
    assert "--out runs/drawn-3 " in plan.command


@pytest.mark.parametrize(("busy", "said"), [(0.1, False), (1.6, True)])
def test_other_programs_are_said(busy, said, instant, store, monkeypatch):
    monkeypatch.setattr(COMMAND, "busy_cores", lambda: busy)
    notes = facewright.plan(data=store, hours=1, device="cpu").plan.notes
    assert any("Other programs keep 1.6 of" in note for note in notes) is said


@pytest.mark.parametrize(("hours", "said"), [(0.1, False), (1.0, True)])
def test_what_follows_a_long_run_is_said(hours, said, instant, store):
    notes = facewright.plan(data=store, hours=hours, device="cpu").plan.notes
    # 10,000 images and 72 photos: 163 s in bf16, 259 s in fp32.
    assert any("takes 3 to 5 minutes more" in note for note in notes) is said

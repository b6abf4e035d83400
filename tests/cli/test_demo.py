"""The main job from start to end, in small."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facewright import settings
from facewright.actions import demo as command
from facewright.actions.prepare import prepare
from facewright.cli.main import main
from facewright.data.store import Store
from facewright.planning.recipes import RECIPES, read_recipe
from facewright.planning.shorter import shorter
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.amend import amend

RECIPE = """
[model]
width = 4
z_dim = 8
[train]
images = 32
batch = 8
precision = "fp32"
[record]
checkpoint_images = 32
score_samples = 26
final_samples = 0
equilibrium_images = 0
"""


DEMO = command.DEMO


@pytest.fixture
def small(tmp_path, monkeypatch) -> command.Programme:
    """A programme of seconds."""
    (tmp_path / "tiny.toml").write_text(RECIPE)
    chosen = command.Programme("drawn", 360, 16, str(tmp_path / "tiny.toml"), images=32)
    monkeypatch.setattr(command, "DEMO", chosen)
    return chosen


def test_the_demo_shows_faces_curves_verdict_and_score(small, tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "not-applicable"  # of four steps
    assert {row["name"] for row in said["metrics"]} >= {"fd@face"}
    assert Path(said["sheet"]).stat().st_size > 100
    assert "<svg" in Path(said["report"]).read_text()
    assert len(Store.open(out / "store").train) > 40

    assert main(["demo", "--out", str(out), "--images", "40"]) == 0  # and it goes on
    shown = capsys.readouterr().out
    assert "the doctor:      not-applicable: " in shown
    assert "the score:       fd@face " in shown
    assert "generated images against" in shown


def test_the_demo_trains_a_recipe_that_ships_on_faces_that_ship(tmp_path):
    chosen = DEMO
    assert (RECIPES / f"{chosen.recipe}.toml").is_file()
    store = prepare(chosen.source, out=tmp_path / "s", size=chosen.size, crop="none").store
    assert len(store.train) + len(store.val) == chosen.count
    assert store.shape == (3, chosen.size, chosen.size)


def test_whoever_stops_the_demo_loses_little(small, tmp_path, monkeypatch):
    long = tmp_path / "long.toml"
    long.write_text(RECIPE.replace("= 32", "= 3200").replace("samples = 26", "samples = 0"))
    monkeypatch.setattr(command, "DEMO", replace(small, recipe=str(long), images=320))
    command.demo(out=tmp_path / "demo", images=16)
    record = settings.read(RunFolder(tmp_path / "demo" / "run").config).record
    assert record.checkpoint_images == 16
    shown = read_recipe(DEMO.recipe)
    assert settings.override(shown, shorter(shown, DEMO.images)).record.checkpoint_images <= 30_000


def test_distortions_of_the_demo_adapt_as_much_faster_as_it_is_shorter():
    recipe = read_recipe(DEMO.recipe)
    assert (recipe.train.images, recipe.augment.images) == (400_000, 100_000)
    assert command._sooner(recipe, DEMO.images) == ("augment.images=9000",)
    assert command._sooner(recipe, 400_000) == command._sooner(recipe, 10**7) == ()
    assert command._sooner(settings.override(recipe, ["augment.adaptive=false"]), 1) == ()


def test_the_schedule_ends_with_the_demo_and_the_same_command_goes_on(small, tmp_path, monkeypatch):
    falling = tmp_path / "falling.toml"
    adaptive = "[augment]\nadaptive = true\nimages = 100000"
    falling.write_text(f"{RECIPE}{adaptive}\n[schedule]\nafter = 24\nimages = 8\nlr_to = 0.1")
    monkeypatch.setattr(command, "DEMO", replace(small, recipe=str(falling), count=200))
    again = ["demo", "--out", str(tmp_path / "demo")]
    assert main([*again, "--images", "16"]) == 0
    begun = settings.read(RunFolder(tmp_path / "demo" / "run").config)
    assert (begun.schedule.after, begun.schedule.images) == (12, 4)
    assert begun.augment.images == 50_000
    assert main(again) == 0


def test_no_images_are_refused_and_not_taken_for_as_many_as_usual(small, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "demo"), "--images", "0"]) == 2
    assert "train.images = 0" in capsys.readouterr().err


def test_another_demo_in_the_same_folder_is_refused_and_the_old_one_is_left_alone(
    small, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "demo"
    again = ["demo", "--out", str(out), "--images", "48"]
    assert main(["demo", "--out", str(out)]) == 0
    steps = RunFolder(out / "run").steps.read_bytes()

    wider = tmp_path / "wider.toml"
    wider.write_text(RECIPE.replace("width = 4", "width = 8"))
    for more, chosen, found in (
        (["--seed", "3"], small, "other settings (train.seed: 0 -> 3)"),
        ([], replace(small, recipe=str(wider)), "other settings (model.width: 4 -> 8)"),
        ([], replace(small, count=61), f"{out / 'store'} holds other faces"),
    ):
        monkeypatch.setattr(command, "DEMO", chosen)
        capsys.readouterr()
        assert main([*again, *more]) == 2
        said = capsys.readouterr().err
        assert found in said
        assert "--out another" in said
    assert RunFolder(out / "run").steps.read_bytes() == steps

    monkeypatch.setattr(command, "DEMO", small)
    assert main(again) == 0
    assert RunFolder(out / "run").steps.read_bytes() != steps


def test_faces_without_a_run_are_trained_on_only_if_they_are_those_of_this_demo(
    small, tmp_path, capsys
):
    prepare("drawn", out=tmp_path / "demo" / "store", size=16, count=360, seed=1, crop="none")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert "holds other faces" in capsys.readouterr().err
    assert main(["demo", "--out", str(tmp_path / "demo"), "--seed", "1"]) == 0


def test_a_demo_whose_settings_were_changed_on_the_way_goes_on(small, tmp_path):
    again, run = ["demo", "--out", str(tmp_path / "demo")], RunFolder(tmp_path / "demo" / "run")
    assert main(again) == 0
    slower = settings.override(settings.read(run.config), ["optimiser.lr_g=1e-5"])
    amend(run.path, checkpoints.readable(run.checkpoints)[-1], slower, {"reason": "by hand"})
    assert main([*again, "--images", "40"]) == 0
    assert settings.read(run.config).optimiser.lr_g == 1e-5


def test_the_demo_ends_with_its_training_and_measures_nothing_long(small, tmp_path, monkeypatch):
    long = tmp_path / "measured.toml"
    measures = "final_samples = 10000\nequilibrium_images = 16"
    long.write_text(RECIPE.replace("final_samples = 0\nequilibrium_images = 0", measures))
    monkeypatch.setattr(command, "DEMO", replace(small, recipe=str(long)))
    found = command.demo(out=tmp_path / "demo")
    names = {row["name"] for row in found.scores}
    assert {"fd@face", "kid@face"} <= names  # what every checkpoint has
    assert not names & {"fid", "js_bits"}
    began = settings.read(RunFolder(found.run).config).record
    assert (began.final_samples, began.equilibrium_images) == (0, 0)

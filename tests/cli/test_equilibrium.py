"""`equilibrium` as scripts and people use it."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facewright.actions.arguments import checked
from facewright.actions.equilibrium import Balance
from facewright.actions.events import Event, Progress
from facewright.cli.main import action, main
from facewright.errors import FacewrightError
from tests.stores import write_store

TINY = ("model.width=4", "model.z_dim=8", "train.batch=8", "train.precision=fp32")
PROMISED = {
    *("value", "m1", "m2", "duality_gap", "regret_d", "regret_g"),
    *("js_bits", "js_bits_null_band", "budget"),
}


def look(*args, **kwargs) -> Balance:
    """The command, for callers from Python."""
    found = checked(action("equilibrium"))(*args, **kwargs)
    assert isinstance(found, Balance)
    return found


@pytest.fixture(scope="module", autouse=True)
def _little_effort():
    """Searches of a few steps: their answers are tested elsewhere."""
    few = {"fresh_steps": 3, "warm_steps": 2, "generator_steps": 2, "every": 2, "batch": 8}
    with pytest.MonkeyPatch.context() as patch:
        equilibrium = importlib.import_module("facewright.actions.equilibrium")
        for name in ("LIVE", "FULL"):
            patch.setattr(equilibrium, name, replace(getattr(equilibrium, name), **few))
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "blobs", count=256)


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    every = ("record.checkpoint_images=16", "record.keep_last=9", "record.score_samples=0")
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(out)]
    assert main([*words, "--images", "32", "--set", *TINY, *every]) == 0
    return out


def spoken(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_run_gives_scripts_every_field_they_rely_on(run, store, capsys):
    assert main(["equilibrium", str(run), "--data", str(store), "--json"]) == 0
    said = spoken(capsys)
    assert said.keys() >= PROMISED
    assert all(said[name] is not None for name in PROMISED)
    assert said["duality_gap"] == pytest.approx(said["m1"] - said["m2"], abs=1e-5)
    assert said["n_search"] == said["n_test"] == 32
    assert said["photos"]["js_bits"] is not None
    assert said["samples"].keys() == said["photos"].keys()


def test_the_player_and_its_average_are_two_generators(run, store):
    found = look(run, data=store, budget="quick")
    assert found.reading is not None
    assert found.samples.search.checks != found.reading.fresh.search.checks
    assert found.photos is None
    assert found.as_json()["budget"]["name"] == "quick"


def test_people_read_what_it_means(run, store, capsys):
    assert main(["equilibrium", str(run), "--data", str(store), "--restarts", "2"]) == 0
    shown = capsys.readouterr().out
    for words in ("EMA", "a draw", "duality gap", "lower bound", "guessing"):
        assert words in shown


def test_the_neighbourhood_and_the_way_there_are_shown_if_asked(run, store, tmp_path, capsys):
    words = ["equilibrium", str(run), "--data", str(store), "--budget", "quick", "--local"]
    assert main([*words, "--figures", str(tmp_path), "--json"]) == 0
    said = spoken(capsys)
    assert said["local"]["verdict"]
    assert said["path"]["since"] == "000000k"
    assert Path(said["path"]["figure"]).stat().st_size > 1000
    assert main([*words, "--checkpoint", "000000k"]) == 0
    assert "On the line" not in capsys.readouterr().out


def test_of_images_only_the_fresh_judge_can_speak(store, tmp_path, capsys):
    np.save(tmp_path / "images.npy", np.load(store / "train.npy")[:100])
    words = ["equilibrium", str(tmp_path / "images.npy"), "--data", str(store)]
    assert main([*words, "--json"]) == 0
    said = spoken(capsys)
    assert said.keys() >= PROMISED - {"budget"}
    assert said["value"] is said["m1"] is said["duality_gap"] is None
    assert said["js_bits"] == said["samples"]["js_bits"]
    assert "without a discriminator" in said["notes"][0]
    assert main(words) == 0
    assert "duality gap" not in capsys.readouterr().out


def test_images_trained_on_are_never_shown_to_the_judge_as_photos(run, store):
    from facewright.data.store import Store
    from facewright.equilibria.held_out import HeldOut

    opened = Store.open(store)
    photos = HeldOut.of(opened, mirror=False, seed=0)
    held_out = {image.tobytes() for image in opened.val}
    search, test = ({image.tobytes() for image in part} for part in (photos.search, photos.test))
    assert search | test == held_out
    assert not search & test
    mirrored = HeldOut.of(opened, mirror=True, seed=0)
    turned = {image[:, ::-1].tobytes() for image in opened.val}
    seen = {image.tobytes() for image in (*mirrored.search, *mirrored.test)}
    assert seen & (turned - held_out)
    assert seen <= held_out | turned


def test_of_many_held_out_photos_no_more_are_taken_than_are_used(store, monkeypatch):
    from facewright.data.store import Store
    from facewright.equilibria import held_out

    monkeypatch.setattr(held_out, "MOST", 10)
    photos = held_out.HeldOut.of(Store.open(store), mirror=False, seed=0)
    assert (len(photos.search), len(photos.test)) == (5, 5)
    assert [len(part) for part in photos.conditions] == [5, 5]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkpoint", "000061"], "no checkpoint '000061'"),
        (["--checkpoint", "all"], "--checkpoint all"),
        (["--restarts", "-1"], "--restarts -1"),
        (["--figures", "x"], "--figures without --local"),
    ],
)
def test_mistakes_are_named(run, store, words, message, capsys):
    assert main(["equilibrium", str(run), "--data", str(store), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_store_without_held_out_photos_is_refused(tmp_path, run):
    store = write_store(tmp_path / "all", count=3)
    with pytest.raises(FacewrightError, match="held-out"):
        look(run, data=store)


def test_who_listens_hears_how_many_parts_are_done(run, store, tmp_path):
    heard: list[Event] = []
    look(run, data=store, on_event=heard.append)
    np.save(tmp_path / "images.npy", np.load(store / "train.npy")[:100])
    look(tmp_path / "images.npy", data=store, on_event=heard.append)
    assert [(e.done, e.total) for e in heard if isinstance(e, Progress)] == [
        (1, 3), (2, 3), (3, 3), (1, 2), (2, 2)
    ]  # fmt: skip


def test_images_have_no_neighbourhood(store, tmp_path):
    np.save(tmp_path / "images.npy", np.load(store / "train.npy")[:100])
    with pytest.raises(FacewrightError, match="--local"):
        look(tmp_path / "images.npy", data=store, local=True)

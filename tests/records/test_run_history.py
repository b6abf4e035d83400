"""Reading a run folder back, whole or hurt."""

from pathlib import Path

import numpy as np
import pytest

from facewright.config import Config, TrainConfig
from facewright.errors import RunError
from facewright.records import checkpoints, environment, record
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.settings import to_toml


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.config.write_text(to_toml(Config(train=TrainConfig(images=640))))
    return run


def test_steps_become_columns_of_floats(folder):
    rows = [{"step": i, "images_seen": 64 * i, "d_loss": i / 3, "seconds": i / 2} for i in (1, 2)]
    record.append(folder.steps, rows)
    history = RunHistory.read(folder.path)
    np.testing.assert_array_equal(history.steps["d_loss"], [1 / 3, 2 / 3])
    assert set(history.steps) == set(record.STEP_FIELDS)
    assert np.isnan(history.steps["g_loss"]).all()
    assert (history.n_steps, history.images_seen) == (2, 128)
    assert history.cost.seconds == 1.0
    assert history.cost.images_per_second == 128.0
    assert history.config.train.images == 640


def test_null_and_nan_are_both_missing_and_infinity_stays(folder):
    folder.steps.write_text(
        '{"step": 1, "d_loss": null}\n{"step": 2, "d_loss": NaN}\n{"step": 3, "d_loss": Infinity}\n'
    )
    np.testing.assert_array_equal(
        RunHistory.read(folder.path).steps["d_loss"], [np.nan, np.nan, np.inf]
    )


def test_a_run_without_steps_is_fine(folder):
    history = RunHistory.read(folder.path)
    assert (history.n_steps, history.images_seen) == (0, 0)
    assert (history.cost.seconds, history.cost.images_per_second) == (0.0, 0.0)
    assert history.status == "killed"
    assert history.recipe == ""
    for part in (history.sheets, history.checkpoints, history.findings, history.metrics):
        assert part == []


def test_a_last_line_cut_short_is_left_out(folder):
    folder.steps.write_text('{"step": 1, "images_seen": 64}\n{"step": 2, "ima')
    assert RunHistory.read(folder.path).n_steps == 1


def test_a_damaged_line_in_the_middle_is_an_error_that_names_the_file(folder):
    folder.steps.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(RunError, match=r"steps\.jsonl, line 2 is no JSON"):
        RunHistory.read(folder.path)


def test_a_damaged_environment_is_an_error_that_names_the_file(folder):
    folder.environment.write_text("{")
    with pytest.raises(RunError, match=r"environment\.json is no JSON"):
        RunHistory.read(folder.path)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="no run folder"):
        RunHistory.read(tmp_path)


@pytest.mark.parametrize("status", ["finished", "interrupted", "failed"])
def test_the_status_is_how_the_last_session_ended(folder, status):
    environment.begin_session(folder, {}, 0)
    assert RunHistory.read(folder.path).status == "running"
    environment.end_session(folder, 64, 1.0, status)
    assert RunHistory.read(folder.path).status == status


def test_sheets_and_checkpoints_come_in_the_order_of_training(folder):
    folder.samples.mkdir()
    for name in ("001200k.png", "000000k.png", "000050k.png", ".000060k.png.tmp", "notes.png"):
        (folder.samples / name).touch()
    for step in (20, 3):
        state = {"step": step, "images_seen": 64 * step, "seconds": 1.0}
        checkpoints.write(folder.checkpoints, f"{step:06d}k", {}, state)
    (folder.checkpoints / "000099k").mkdir()  # no state: never finished
    history = RunHistory.read(folder.path)
    assert [sheet.images_seen for sheet in history.sheets] == [0, 50_000, 1_200_000]
    assert [checkpoint.state["step"] for checkpoint in history.checkpoints] == [3, 20]


def test_the_sheet_at_the_end_is_of_the_last_image_and_others_of_round_numbers(folder):
    folder.samples.mkdir()
    for name in ("000000k.png", "000001k.png", "000001k-end.png", "000000k-end.png"):
        (folder.samples / name).touch()
    folder.steps.write_text('{"step": 94, "images_seen": 1504}\n')
    found = {sheet.path.name: sheet.images_seen for sheet in RunHistory.read(folder.path).sheets}
    assert found == {
        "000000k.png": 0,
        "000001k.png": 1_000,
        "000001k-end.png": 1_504,
        "000000k-end.png": 0,  # of an earlier end
    }


def test_steps_of_another_program_without_images_seen_do_not_break_the_list(folder):
    folder.steps.write_text('{"step": 1, "d_loss": 0.5}\n')
    history = RunHistory.read(folder.path)
    assert (history.n_steps, history.images_seen) == (1, 0)

"""`--on-problem`: from the command line to a mended, or given up, run."""

import json

import pytest

from facewright.cli.main import main
from facewright.records.run_history import RunHistory
from tests.stores import write_store

EXPLODES = (
    "model.width=4",
    "model.z_dim=8",
    "model.normalisation=none",
    "loss.game=wasserstein",
    "loss.real_target=1",
    "train.batch=8",
    "train.precision=fp32",
    "record.score_samples=8",
)


@pytest.fixture
def words(tmp_path) -> list[str]:
    store = write_store(tmp_path / "store")
    where = ["--data", str(store), "--out", str(tmp_path / "run"), "--images", "96", "--json"]
    return ["train", "--recipe", "drawn-32", *where, "--set", *EXPLODES]


def test_mend_brings_a_run_to_its_end_that_would_have_failed(words, tmp_path, capsys):
    assert main([*words, "optimiser.lr_d=1e30", "--on-problem", "mend"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "finished"
    (row,) = RunHistory.read(tmp_path / "run").remedies
    assert row["verdict"] == "divergence"
    assert row["changed"] == ["optimiser.lr_d: 1e+30 -> 0.0002"]


def test_warn_leaves_the_settings_alone_and_resume_can_mend_later(words, tmp_path, capsys):
    run = tmp_path / "run"
    assert main([*words, "optimiser.lr_d=1e30"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["finding"]["verdict"]) == ("failed", "divergence")
    assert not RunHistory.read(run).remedies
    assert main(["resume", str(run), "--on-problem", "mend", "--json"]) == 0
    assert main(["resume", str(run), "--images", "112", "--json"]) == 0
    assert RunHistory.read(run).config.optimiser.lr_d == 0.0002

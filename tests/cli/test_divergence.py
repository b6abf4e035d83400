"""Numbers that are not finite: `train`, its records, `diagnose` and `report` tell one story."""

import json
from html import escape

import pytest

from facewright.cli.main import main
from facewright.doctor.convergence import Divergence
from facewright.records import record
from facewright.records.rows import FindingRow
from facewright.records.run_folder import RunFolder
from tests.stores import write_store

WITHOUT_LOOKS = "record.snapshot_images=0"


def said(capsys) -> dict:
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


@pytest.mark.parametrize("more", [(), (WITHOUT_LOOKS,)], ids=["looked at", "never looked at"])
def test_the_first_bad_step_is_named_everywhere_alike(more, tmp_path, capsys):
    store, run = write_store(tmp_path / "store"), tmp_path / "run"
    words = ["train", "--recipe", "drawn-32", "--data", store, "--out", run, "--images", "1280"]
    rates = ["--set", "optimiser.lr_g=1e30", "--set", "optimiser.lr_d=1e30", "model.width=8", *more]
    assert main([*map(str, words), *rates, "--json"]) == 1
    trained = said(capsys)["finding"]
    (noted,) = record.read(RunFolder(run).findings, FindingRow)
    assert main(["diagnose", str(run), "--json"]) == 1
    (diagnosed,) = said(capsys)["findings"]
    assert trained == diagnosed
    assert noted | {"evidence": None} == diagnosed | {"evidence": None}
    assert (diagnosed["code"], diagnosed["remedy"]) == ("NC01", Divergence.remedy)
    assert (diagnosed["first_seen_images"], diagnosed["images_seen"]) == (64, 64)
    assert diagnosed["message"].endswith("not finite, first at step 1")
    assert "nan" in diagnosed["evidence"].values()
    assert main(["report", str(run)]) == 0
    page = RunFolder(run).report.read_text()
    assert escape(diagnosed["message"]) in page
    assert escape(Divergence.remedy) in page
    assert "Since 64 images." in page
    for log in RunFolder(run).timeline:
        for line in log.read_text().splitlines() if log.exists() else ():
            json.loads(line, parse_constant=pytest.fail)


@pytest.mark.slow
@pytest.mark.usefixtures("forked")
def test_two_processes_name_it_too(tmp_path, capsys):
    store, run = write_store(tmp_path / "store"), tmp_path / "run"
    words = ["train", "--recipe", "drawn-32", "--data", store, "--out", run, "--images", "1280"]
    rates = ["--set", "optimiser.lr_g=1e30", "--set", "optimiser.lr_d=1e30", "model.width=8"]
    assert main([*map(str, words), *rates, "--devices", "2", "--device", "cpu", "--json"]) == 1
    trained = said(capsys)["finding"]
    assert (trained["code"], trained["first_seen_images"]) == ("NC01", 64)
    assert [row["code"] for row in record.read(RunFolder(run).findings, FindingRow)] == ["NC01"]

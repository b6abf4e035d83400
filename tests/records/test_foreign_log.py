"""Logs as other programs write them become rows of numbers; what is none is refused."""

import json
import math

import pytest

from facewright.errors import RunError
from facewright.records.foreign_log import is_foreign_log, read_log
from facewright.records.run_folder import RunFolder

LOSSES = [0.7, 0.9, 0.5]


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("step,d\n1,0.7\n2,0.9\n3,0.5\n", "CSV"),
        ("\ufeffstep;d\r\n1;0.7\r\n2;0.9\r\n\r\n3;0.5\r\n", "CSV"),
        ("step\td\tnote\n1\t0.7\ta\n2\t0.9\tb\n3\t0.5\tc", "CSV"),
        ('"step","d","d__MIN"\n1,0.7,0\n2,0.9,0\n3,0.5,0\n', "CSV"),
        ('{"step": 1, "d": 0.7}\n{"step": 2, "d": 0.9}\n\n{"step": 3, "d": 0.5}\n{"st', "JSON"),
        ('[{"step": 1, "d": 0.7}, {"step": 2, "d": 0.9}, {"step": 3, "d": 0.5}]', "JSON"),
        ('{"step": [1, 2, 3],\n "d": [0.7, 0.9, 0.5], "title": "x"}', "JSON"),
        ('{"log_history":\n [{"step": 1, "d": 0.7}, {"step": 2, "d": 0.9},'
         ' {"step": 3, "d": 0.5}]}', "JSON"),
        ("step 1: d=0.7, ok\nstep 2: d=0.9, ok\nstep 3: d=0.5, ok\n", "printed lines"),
        ("begins\n[step 1] [d: 0.7]\n[step 2] [d: .9]\rstep 3, d = 5e-1\nends", "printed lines"),
    ],
)  # fmt: skip
def test_a_log_is_read_whatever_its_form(text, kind, tmp_path):
    log = read_log(written(tmp_path, "log", text))
    assert (log.kind, log.names) == (kind, ["step", "d"])
    assert [row["d"] for row in log.rows] == LOSSES
    assert [row["step"] for row in log.rows] == [1, 2, 3]


def test_of_a_number_with_its_scatter_the_mean_counts(tmp_path):
    row = {"Loss": {"D": {"num": 4, "mean": 0.7, "std": 0.1}, "G": 1.5}, "note": "a", "ok": True}
    log = read_log(written(tmp_path, "stats.jsonl", json.dumps(row) + "\n"))
    assert log.rows == [{"Loss/D": 0.7, "Loss/G": 1.5}]


def test_numbers_that_are_not_finite_are_kept(tmp_path):
    lines = ['{"d": NaN, "g": Infinity}', '{"d": "nan", "g": "-inf"}', f'{{"d": {10**400}}}']
    rows = read_log(written(tmp_path, "log", "\n".join(lines))).rows
    assert math.isnan(rows[0]["d"])
    assert math.isnan(rows[1]["d"])
    assert [rows[0]["g"], rows[1]["g"], rows[2]["d"]] == [math.inf, -math.inf, math.inf]
    printed = read_log(written(tmp_path, "log", "d loss: nan, g loss: inf\n")).rows[0]
    assert math.isnan(printed["d loss"])
    assert printed["g loss"] == math.inf


def test_printed_probabilities_before_and_after_are_read_once(tmp_path):
    line = "[0/5][3/1583]\tLoss_D: 1.98\tD(x): 0.45\tD(G(z)): 0.51 / 0.10\n"
    assert read_log(written(tmp_path, "log", line)).rows == [
        {"Loss_D": 1.98, "D(x)": 0.45, "D(G(z))": 0.51}
    ]


@pytest.mark.parametrize("as_folder", [True, False])
def test_events_of_tensorboard_are_rows_by_step(as_folder, tmp_path):
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard.writer import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step, loss in enumerate(LOSSES, start=1):
            writer.add_scalar("Loss/D", loss, step)
        writer.add_scalar("Loss/G", 2.0, 2)
    (file,) = tmp_path.iterdir()
    log = read_log(tmp_path if as_folder else file)
    assert [row["step"] for row in log.rows] == [1, 2, 3]
    assert [row["Loss/D"] for row in log.rows] == pytest.approx(LOSSES)
    assert log.rows[1]["Loss/G"] == 2.0
    assert "Loss/G" not in log.rows[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no numbers found"),
        (b"hello\nworld\n", "no numbers found"),
        (b"\x89PNG\r\n\x1a\n\xff", "is no text"),
        (b'{"d": 1}\n{"d": }\n{"d": 2}\n', "line 2 is no JSON"),
        (b"[" * 2_000 + b"{", "no numbers found"),
        (b"[{" + b'"a":{' * 2_000, "nested too deeply"),
        (b"a,b\n1,2\n" + b"x" * 200_000 + b",1\n", "cannot be read"),
    ],
)
def test_what_is_no_log_is_refused(content, said, tmp_path):
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(RunError, match=said) as caught:
        read_log(tmp_path / "log")
    assert caught.value.expected
    assert "CSV" in caught.value.fix


def test_damaged_events_are_refused(tmp_path):
    pytest.importorskip("tensorboard")
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(b"\xff" * 64)
    with pytest.raises(RunError, match=r"no numbers found|cannot be read"):
        read_log(path)


def test_a_run_of_ours_is_no_foreign_log(tmp_path):
    assert not is_foreign_log(tmp_path)
    (tmp_path / "events.out.tfevents.1.x").touch()
    assert is_foreign_log(tmp_path)
    RunFolder(tmp_path).config.touch()
    assert not is_foreign_log(tmp_path)
    assert not is_foreign_log(tmp_path / "missing")

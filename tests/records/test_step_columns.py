"""Columns are what reading line by line gives, whatever the lines look like."""

import json
import math

import numpy as np
import pytest

from facewright.errors import RunError
from facewright.json_form import dumps
from facewright.records import record, step_columns
from facewright.records.record import STEP_FIELDS

ODD = [0.1, -2.5e-17, 1e300, 3, 0, -0.0, math.inf, -math.inf, math.nan, None, 1.0 / 3.0]


def one_by_one(path):
    rows = list(record.read(path, record.StepRow))
    fields = {f: np.array([r.get(f) for r in rows], dtype=float) for f in STEP_FIELDS}
    return fields, frozenset(f for f in fields if all(f in row for row in rows))


def assert_read_right(path):
    found, recorded = step_columns.read(path, STEP_FIELDS)
    expected, everywhere = one_by_one(path)
    assert found.keys() == expected.keys()
    for field, column in expected.items():
        assert column.tobytes() == found[field].tobytes() or np.array_equal(
            column, found[field], equal_nan=True
        )
    assert recorded == everywhere


def rows(count: int) -> list[dict]:
    rng = np.random.default_rng(0)
    return [
        {"step": i, "images_seen": 8 * i, "d_loss": float(np.float32(rng.normal()))}
        | {"g_loss": ODD[i % len(ODD)], "note_of_another": i}
        for i in range(1, count + 1)
    ]


@pytest.mark.parametrize("block_bytes", [1, 300, 1 << 22])
def test_columns_are_what_the_lines_say_to_the_last_bit(block_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(step_columns, "BLOCK_BYTES", block_bytes)
    record.append(tmp_path / "steps.jsonl", rows(50))
    assert_read_right(tmp_path / "steps.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        '{"images_seen": 9, "step": 9, "d_loss": 1.0, "g_loss": 2.0, "note_of_another": 1}',
        '{"step": 9, "images_seen": 72, "d_loss": 1.0}',
        '{"step":9,"images_seen":72,"d_loss":1.0,"g_loss":2,"note_of_another":1,"lr_factor":0.5}',
        '{"step": 9, "images_seen": 72, "d_loss": "nan", "g_loss": null, "E": 3}',
        '{"step": 9, "images_seen": 72, "d_loss": NaN, "g_loss": 5E-5, "note_of_another": true}',
    ],
)
def test_lines_of_another_kind_among_them_are_read_too(line, tmp_path, monkeypatch):
    log = tmp_path / "steps.jsonl"
    lines = [dumps(row) for row in rows(6)]
    log.write_text("\n".join([*lines[:3], line, *lines[3:]]) + "\n")
    assert_read_right(log)
    log.write_text(f"{line}\n")
    assert_read_right(log)


@pytest.mark.parametrize(
    "damage",
    [
        *('{"step": 4, "images_', '{"step": 1.2.3}', "[1]", '{"step": }', ""),
        *('{"step":\n4}', '{"step": 4}{"step": 5}', '{"step": true}', '{"step": ["4"]}'),
    ],
)
@pytest.mark.parametrize("block_bytes", [30, 1 << 22])
def test_a_damaged_line_is_named_with_its_number(damage, block_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr(step_columns, "BLOCK_BYTES", block_bytes)
    log = tmp_path / "steps.jsonl"
    lines = [dumps({"step": step}) for step in range(6)]
    log.write_text("\n".join([*lines[:3], damage, *lines[3:]]) + "\n")
    with pytest.raises(RunError, match="line 4"):
        step_columns.read(log, STEP_FIELDS)


def test_a_line_that_is_not_finished_is_left_out_and_nothing_is_no_row(tmp_path):
    log = tmp_path / "steps.jsonl"
    assert step_columns.read(log, ["step"])[0]["step"].tolist() == []
    log.write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert step_columns.read(log, ["step"])[0]["step"].tolist() == [1.0, 2.0]
    assert record.last(log, record.StepRow) == {"step": 2}
    assert record.count(log) == 2


@pytest.mark.parametrize("end", ["", '{"step": 99, "ima'])
@pytest.mark.parametrize("images_seen", [0, 40, 79, 80, 4000])
def test_the_end_of_a_log_is_cut_at_the_images_seen(images_seen, end, tmp_path):
    log = tmp_path / "steps.jsonl"
    log.write_text("".join(dumps(row) + "\n" for row in rows(10)) + end)
    record.cut(log, images_seen)
    kept = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["step"] for row in kept] == [i for i in range(1, 11) if 8 * i <= images_seen]

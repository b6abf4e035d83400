"""Numbers from a handful of images do not pass for scores."""

import pytest

from facewright.records.record import append
from facewright.records.run_history import RunHistory
from facewright.sample_sizes import COVERAGE, is_enough


@pytest.mark.parametrize("name", ["coverage", "coverage@face", "precision@digits", "recall"])
def test_what_counts_neighbours_wants_a_hundred_of_each(name):
    assert COVERAGE == 100
    assert is_enough(name, 100, 100)
    assert not is_enough(name, 99, 5_000)
    assert not is_enough(name, 5_000, 99)


def test_what_has_no_known_least_and_what_nobody_counted_stays():
    assert is_enough("vendi", 2, 2)
    assert is_enough("coverage@face", None, None)


def test_a_run_of_an_earlier_version_shows_no_coverage_of_a_handful(tmp_path):
    (tmp_path / "config.toml").write_text("")
    rows = [
        {"name": "coverage@face", "value": 0.81, "n_real": count, "n_fake": count, "images_seen": 9}
        for count in (26, 400)
    ]
    append(tmp_path / "metrics.jsonl", rows)
    assert [row["n_real"] for row in RunHistory.read(tmp_path).metrics] == [400]

"""What is said before a run begins."""

import pytest
import torch

from facewright.cli import progress
from facewright.cli.progress import announce
from facewright.training.job import Job
from facewright.training.run import begin, execute
from tests.stores import write_store
from tests.training.conftest import small


@pytest.mark.parametrize(
    ("busy", "threads", "advised"),
    [(0.3, 4, None), (0.7, 4, "=3 "), (2.0, 4, "=2 "), (9.0, 4, "=1 "), (9.0, 1, None)],
)
def test_threads_that_would_wait_for_each_other_are_advised_against(
    busy, threads, advised, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(progress, "busy_cores", lambda: busy)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(progress, "cores", lambda: 4)
    store = write_store(tmp_path / "store", count=40)
    announce(begin(Job(small(), store, tmp_path / "run", "cpu")))
    said = capsys.readouterr().err
    assert (f"OMP_NUM_THREADS{advised}" in said) if advised else ("OMP_NUM_THREADS" not in said)


def test_a_run_that_has_begun_keeps_its_threads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "busy_cores", lambda: 9.0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    store = write_store(tmp_path / "store", count=40)
    job = begin(Job(small("train.images=8"), store, tmp_path / "run", "cpu"))
    execute(job)
    announce(job)
    assert "OMP_NUM_THREADS" not in capsys.readouterr().err

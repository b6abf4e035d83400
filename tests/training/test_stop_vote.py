"""Processes vote on stopping now and then, together, and none is forgotten."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from facewright.training import interrupt
from facewright.training.interrupt import StopVote


class Clock:
    """Each look at it is a tenth of a second after the one before."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


def answers(monkeypatch, *, steps: int, asked_at: int, seconds: float) -> tuple[list[bool], int]:
    """What one of two processes hears before each step, and how often they voted."""
    clock, votes = Clock(), []

    def all_reduce(tensor: torch.Tensor, reduce_op: str) -> None:
        assert reduce_op == "mean"  # the other one says the same
        votes.append(tensor.tolist())

    monkeypatch.setattr(interrupt, "time", clock)
    monkeypatch.setattr(interrupt, "PATIENCE", 0.5)
    fabric = SimpleNamespace(world_size=2, device=torch.device("cpu"), all_reduce=all_reduce)
    vote, heard = StopVote(cast(Any, fabric)), []
    for step in range(steps):
        clock.now += seconds
        if step == asked_at:
            vote.ask()
        heard.append(vote())
    return heard, len(votes)


@pytest.mark.parametrize(("seconds", "late"), [(0.09, 5), (0.0099, 50), (2.0, 1)])
def test_the_answer_comes_within_half_a_second_or_a_step(seconds, late, monkeypatch):
    heard, votes = answers(monkeypatch, steps=200, asked_at=120, seconds=seconds)
    assert not any(heard[:120])
    assert any(heard[120 : 120 + late])
    assert votes == pytest.approx(200 / late, abs=2)


def test_alone_the_answer_is_at_once():
    vote = StopVote(cast(Any, SimpleNamespace(world_size=1)))
    assert not vote()
    vote.ask()
    assert vote()

"""A small table, photos and speeds, all with numbers that are easily reckoned with."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from facewright import settings
from facewright.config import Config
from facewright.planning.choice import StoreSummary
from facewright.planning.measured import Curve, Entry, Point
from facewright.planning.request import Candidate, PlanRequest
from facewright.planning.speed import Speed

PLAIN = "model.normalisation=none"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def curve(*points: tuple[int, float], photos: int = 10_000, data: str = "faces-28") -> Curve:
    """Points with intervals of 1 on both sides."""
    measured = tuple(Point(images, fid, fid - 1, fid + 1, (0,)) for images, fid in points)
    return Curve(data, photos, "a machine", "a protocol", measured, floor=2.0)


def entry(name: str = "small", **changes: Any) -> Entry:
    """A recipe for faces of 28 px on a CPU: FID 50 after 10,000 images, 30 after a million."""
    usual = {"size": 28, "device": "cpu", "kind": "faces"}
    usual["curves"] = (curve((10_000, 50), (1_000_000, 30)),)
    return Entry(**{"name": name, **usual, **changes})


def photos(**changes: Any) -> StoreSummary:
    """10,000 faces of 28 px."""
    usual = {"store": Path("stores/mine"), "count": 10_000, "held_out": 1_000}
    usual |= {"shape": (3, 28, 28), "kind": "faces"}
    return StoreSummary(**{**usual, **changes})


def speed(batch: int = 64, images_per_second: float = 1_000.0, memory: int | None = 2**30) -> Speed:
    return Speed(batch, images_per_second, images_per_second, images_per_second, memory)


def recipe(*changes: str) -> Config:
    """Without records, so that an hour at 1,000 images/s is 3.6 million images."""
    alone = ("snapshot_images", "equilibrium_images", "score_samples")
    quiet = [f"record.{name}=0" for name in alone]
    return settings.override(Config(), [*quiet, *changes])


def plan_request(**changes: Any) -> PlanRequest:
    """Ten hours on a CPU with as much memory as wanted."""
    usual = {
        "photos": photos(),
        "hours": 10.0,
        "device": "cpu",
        "available_memory": None,
        "now": NOW,
    }
    return PlanRequest(**{**usual, "run": Path("runs/mine"), **changes})


def candidate(config: Config | None = None, of: Entry | None = None, *speeds: Speed) -> Candidate:
    return Candidate(of or entry(), config or recipe(), speeds or (speed(),))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """clock(seconds): so much later it is now, for whoever measures time."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def later(seconds: float) -> None:
        now[0] += seconds

    return later

"""Everything that a run left behind, read once, for reports and checks."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from facewright import settings
from facewright.config import Config
from facewright.records import checkpoints, environment, record, step_columns
from facewright.records.checkpoints import Checkpoint
from facewright.records.rows import (
    FindingRow,
    MetricRow,
    RemedyRow,
)
from facewright.records.run_folder import RunFolder
from facewright.sample_sizes import is_enough


@dataclass(frozen=True)
class Sheet:
    """One sheet of generated faces; every sheet of a run shows the same latents.

    Args:
        path: a PNG file.
        images_seen: when it was drawn, in whole thousands.
    """

    path: Path
    images_seen: int


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Args:
        seconds: training time over all sessions, of the work that was kept.
        images_per_second: over that time; 0 before the first step.
    """

    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class RunHistory:
    """A run as it was recorded.

    Args:
        folder: where it lies.
        config: its settings.
        newest: each of `STEP_FIELDS` as it was last recorded; NaN where it was not.
        findings: what went wrong, oldest first.
        metrics: measured quality, oldest first; without what was measured on too few images.
        remedies: settings that were changed on the way, oldest first.
        environment: the photos, and machine and software of each session.
        sheets: samples, oldest first.
        checkpoints: the moments that can be gone back to, oldest first.
    """

    folder: RunFolder
    config: Config
    newest: dict[str, float]
    findings: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    remedies: list[dict[str, Any]]
    environment: dict[str, Any]
    sheets: list[Sheet]
    checkpoints: list[Checkpoint]

    @classmethod
    def read(cls, path: Path) -> "RunHistory":
        """Read a run folder, finished or not.

        Raises:
            RunError: no run folder, or a damaged record.
            ConfigError: settings that this version does not know.
        """
        folder = RunFolder.open(path)
        newest = record.last(folder.steps, record.StepRow) or {}
        return cls(
            folder=folder,
            config=settings.read(folder.config, knows_game=False),
            newest={field: _number(newest.get(field)) for field in record.STEP_FIELDS},
            findings=[_graded(row) for row in record.read(folder.findings, FindingRow)],
            metrics=[row for row in record.read(folder.metrics, MetricRow) if _is_from_enough(row)],
            remedies=list(record.read(folder.remedies, RemedyRow)),
            environment=environment.read(folder),
            sheets=sheets(folder.samples, _whole(newest.get("images_seen"))),
            checkpoints=checkpoints.readable(folder.checkpoints),
        )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.path.resolve().name

    @property
    def init_from(self) -> Mapping[str, Any]:
        """The model with whose weights the run began, as in `Donor`; empty if there was none."""
        return self.environment["facewright"].get("init_from") or {}

    @property
    def recipe(self) -> str:
        """What the settings started from; empty when that was not noted."""
        return self.environment["facewright"].get("recipe", "")

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """One entry for each time that training was started or resumed."""
        return self.environment["sessions"]

    @property
    def status(self) -> str:
        """`running`, `finished`, `interrupted`, `failed` or `killed`.

        A run whose process is gone, but noted no end, was killed.
        """
        if not self.sessions:
            return "killed"
        last = self.sessions[-1]
        if last["status"] == "running" and not environment.is_alive(last):
            return "killed"
        return last["status"]

    @property
    def images_seen(self) -> int:
        """Real images shown to the discriminator, as far as steps were recorded."""
        return _whole(self.newest["images_seen"])

    @cached_property
    def n_steps(self) -> int:
        """Recorded steps."""
        return record.count(self.folder.steps)

    @property
    def steps(self) -> dict[str, np.ndarray]:
        """One float array for each of `STEP_FIELDS`, all equally long.

        What a step did not record is NaN.

        Raises:
            RunError: a line is damaged.
        """
        return self._columns[0]

    @property
    def recorded(self) -> frozenset[str]:
        """The fields that every step has, be it as NaN."""
        return self._columns[1]

    @cached_property
    def _columns(self) -> tuple[dict[str, np.ndarray], frozenset[str]]:
        # Read when asked for: a list of hundreds of runs needs the last line of each.
        return step_columns.read(self.folder.steps, record.STEP_FIELDS)

    @property
    def cost(self) -> Cost:
        """What the run has taken so far."""
        seconds = self.newest["seconds"]
        seconds = seconds if math.isfinite(seconds) else 0.0
        return Cost(seconds, self.images_seen / seconds if seconds > 0 else 0.0)

    def last(self, field: str) -> float:
        """The newest recorded value of one of `STEP_FIELDS`."""
        return self.newest[field]


def newest_metrics(metrics: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The most telling row of each metric, by its name.

    Of the latest moment of the run; there the one with most generated images; and of several
    such ones, the last.
    """

    def weight(row: dict[str, Any]) -> tuple[int, int]:
        return row.get("images_seen") or 0, row.get("n_fake") or 0

    best: dict[str, dict[str, Any]] = {}
    for row in metrics:
        known = best.get(row["name"])
        if known is None or weight(row) >= weight(known):
            best[row["name"]] = row
    return best


def _is_from_enough(row: dict[str, Any]) -> bool:
    # Earlier versions noted such rows.
    return is_enough(row["name"], row.get("n_real") or None, row.get("n_fake"))


def _graded(row: dict[str, Any]) -> dict[str, Any]:
    # Earlier versions noted no grade. Of what they found, only a plateau was harmless.
    return {"grade": "watch" if row.get("verdict") == "plateau" else "problem"} | row


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _whole(value: float | None) -> int:
    return 0 if value is None or not math.isfinite(value) else int(value)


def sheets(folder: Path, end: int = 0) -> list[Sheet]:
    """The sheets in a run's folder of samples, oldest first.

    Args:
        folder: of the samples.
        end: images that the run has seen, of which the name of its last sheet has the thousands.
    """
    found = ((path, re.fullmatch(r"(\d+)k(-end)?", path.stem)) for path in folder.glob("*.png"))
    named = [
        Sheet(path, end if name[2] and end // 1000 == int(name[1]) else 1000 * int(name[1]))
        for path, name in found
        if name
    ]
    return sorted(named, key=lambda sheet: sheet.images_seen)

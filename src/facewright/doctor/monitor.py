"""What the doctor knows of a training under way, and which findings are news."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from facewright.doctor.diagnose import Diagnosis, examination_of
from facewright.doctor.finding import Finding
from facewright.doctor.history import FIELDS, History
from facewright.doctor.snapshot import Snapshot


class Monitor:
    """Takes in steps and snapshots as they come, and says each finding once.

    Args:
        history: what is known already; what follows from it is no news.
    """

    def __init__(self, history: History) -> None:
        self.recall(history)

    def recall(self, history: History) -> None:
        """Go on where an earlier session stopped; what it found is no news."""
        self.history, self._examination = history, examination_of(history)
        self._reported: set[tuple[str, int]] = set()
        self._news()

    def note(self, rows: Iterable[Mapping[str, float]]) -> list[Finding]:
        """Steps that were recorded; numbers that are not finite are noticed at once."""
        table = [[row.get(field, math.nan) for field in FIELDS] for row in rows]
        if not table:
            return []
        before, new = self.history.images_seen, np.array(table, dtype=np.float64).T
        steps = {
            field: np.concatenate([self.history.steps[field], column])
            for field, column in zip(FIELDS, new, strict=True)
        }
        self.history = self.history.with_steps(steps)
        # Other checks wait for the next snapshot, as they do afterwards.
        for images_seen in self.history.breaks():
            if images_seen > before:
                self._examination.look(self.history.until(images_seen), only_at_once=True)
        return self._news()

    def add(self, snapshot: Snapshot) -> list[Finding]:
        """A snapshot that was taken already."""
        self.history = self.history.with_snapshot(snapshot)
        self._examination.look(self.history)
        return self._news()

    def rescore(self, scores: Sequence[tuple[int, float]]) -> None:
        """Distances to held-out photos that were measured: (images seen, distance)."""
        self.history = replace(self.history, scores=scores)

    def diagnosis(self) -> Diagnosis:
        """The verdict so far."""
        return self._examination.diagnosis()

    def _news(self) -> list[Finding]:
        new = [
            finding
            for finding in self._examination.findings()
            if (finding.code, finding.first_seen_images) not in self._reported
        ]
        self._reported |= {(finding.code, finding.first_seen_images) for finding in new}
        return new

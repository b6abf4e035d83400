"""Which problems stop a run, and when."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from facewright.doctor.diagnose import GRACE_STEPS
from facewright.doctor.finding import Finding

BEARABLE = {"discriminator-overfitting": 3}
"""Problems with which a run goes on, once so many remedies were tried."""
URGENT = ("divergence",)
"""Verdicts for which a run is stopped at once."""
PATIENCE = 2 * GRACE_STEPS
"""Steps that a run has, from its beginning or a remedy on, to get over other problems."""


@dataclass(frozen=True)
class StopPolicy:
    """When a run that is not to go on with a problem is stopped.

    Args:
        patient_until: images; before so many only urgent problems stop it.
        borne: verdicts that do not stop it.
    """

    patient_until: int
    borne: frozenset[str]

    @classmethod
    def after(cls, remedies: Iterable[Mapping[str, Any]], shown: int) -> "StopPolicy":
        """For a run as it was amended so far.

        Args:
            remedies: rows of `remedies.jsonl`, oldest first.
            shown: images in a step.
        """
        rows = list(remedies)
        since = rows[-1]["images_seen"] if rows else 0
        tried = Counter(row.get("verdict") for row in rows)
        borne = frozenset(v for v, count in BEARABLE.items() if tried[v] >= count)
        return cls(since + PATIENCE * shown, borne)

    def reason_to_stop(self, findings: Iterable[Finding], images_seen: int) -> Finding | None:
        """The first problem that is there now and not to be waited for any longer.

        Also one that began before the last remedy: the remedy did not help.
        """
        waits = images_seen < self.patient_until
        for finding in findings:
            lasts = finding.active and finding.grade == "problem"
            counts = lasts and finding.verdict not in self.borne
            if counts and (finding.verdict in URGENT or not waits):
                return finding
        return None

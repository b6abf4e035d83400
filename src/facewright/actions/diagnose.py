"""What is wrong with a training, and what to do about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.diagnose import diagnose as examine
from facewright.doctor.recorded import history_of
from facewright.models.open_model import refuse_bundle
from facewright.records.run_history import RunHistory


@dataclass(frozen=True)
class Diagnosed:
    """The verdict on a run."""

    run: Path
    diagnosis: Diagnosis
    remedies: list[dict[str, Any]]
    """Settings that were changed on the way."""

    @property
    def exit_status(self) -> int:
        """1 when a problem was found."""
        return int(self.diagnosis.grade == "problem")

    def as_json(self) -> dict[str, Any]:
        """The verdict with all findings."""
        return {"run": str(self.run), **self.diagnosis.as_json(), "remedies": self.remedies}


def diagnose(run: Path) -> Diagnosed:
    """Look for known failures in a training: verdict, evidence, since when, remedy.

    The run may still be training. The checks are those that watch a training live.
    Exit status: 0 nothing is wrong (or something is to be watched, or nothing gets better any
    more, or it is too early to tell); 1 a problem was found.

    Examples:
        facewright diagnose runs/mine
        facewright diagnose runs/mine --json

    Args:
        run: run folder.

    Raises:
        RunError: no run there, or its records are damaged.
    """
    refuse_bundle(run)
    history = RunHistory.read(run)
    return Diagnosed(run, examine(history_of(history)), history.remedies)

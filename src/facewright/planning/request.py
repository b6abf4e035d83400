"""What a plan is asked for, and the recipes that could serve."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from facewright.config import Config
from facewright.planning.choice import StoreSummary
from facewright.planning.measured import Entry
from facewright.planning.speed import Speed


@dataclass(frozen=True)
class PlanRequest:
    """The photos, the time and the device that a plan is for.

    Args:
        photos: to train on.
        hours: for the training, above 0.
        device: "cpu", "cuda" or "mps", where it will train.
        available_memory: bytes on that device; `None` if not known.
        now: when it would begin, local time.
        run: folder for it.
        options: of `facewright train` that were given here too, such as the device.
    """

    photos: StoreSummary
    hours: float
    device: str
    available_memory: int | None
    now: datetime
    run: Path
    options: tuple[str, ...] = ()

    @property
    def suited_to(self) -> str:
        """What recipes should be made for: none is made for mps, where those for CPUs are taken."""
        return "cuda" if self.device == "cuda" else "cpu"


@dataclass(frozen=True)
class Candidate:
    """A recipe that suits, with what this machine does with it.

    Args:
        entry: of the table.
        config: the recipe's settings.
        speeds: by batch size; one or more.
    """

    entry: Entry
    config: Config
    speeds: tuple[Speed, ...]

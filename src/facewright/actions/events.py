"""What an action tells while it works: every event goes to one callback."""

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from facewright.errors import FacewrightError

if TYPE_CHECKING:  # `prepare` tells events without loading torch
    from facewright.doctor.finding import Finding


@dataclass(frozen=True)
class Note:
    """Something that the user should know now.

    Args:
        text: plain sentences, without markup.
    """

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a part of the work has come.

    Args:
        what: is being done; events of one part have the same words.
        done: so far.
        total: in all.
        numbers: measured meanwhile, by name: `images_per_second`, `d_loss`, `g_loss` of a
            training.
        is_over: the last event of this part, however far it has come.
    """

    what: str
    done: int
    total: int
    numbers: dict[str, float] = field(default_factory=dict)
    is_over: bool = False


@dataclass(frozen=True)
class Found:
    """The doctor has a new finding about the run that trains."""

    finding: "Finding"


@dataclass(frozen=True)
class Sampled:
    """A sample sheet of the run that trains has been drawn."""

    sheet: Path


Event = Note | Progress | Found | Sampled
OnEvent = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """The callback of those who want to hear nothing."""


def refuse_unsendable(on_event: OnEvent, devices: int) -> None:
    """Several processes each need the callback.

    Raises:
        FacewrightError: it cannot be sent to them.
    """
    if devices < 2:
        return
    try:
        pickle.dumps(on_event)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise FacewrightError(
            f"on_event cannot be sent to {devices} processes: {error}",
            expected="a function of a module, or none",
            fix="devices=1",
        ) from None


class Tally:
    """Turns "so many more are done" into `Progress` events.

    Args:
        on_event: gets them.
    """

    def __init__(self, on_event: OnEvent) -> None:
        self.on_event, self._done = on_event, Counter[str]()

    def __call__(self, what: str, more: int, total: int) -> None:
        """So many more are done."""
        self._done[what] += more
        self.on_event(Progress(what, self._done[what], total))

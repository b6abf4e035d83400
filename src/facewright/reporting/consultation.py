"""What the doctor said about a run, as plain data: this package knows no doctor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Trial:
    """Something to try next.

    Args:
        sentence: what it changes.
        command: to be typed as it is.
        source: who found it to help.
    """

    sentence: str
    command: str
    source: str = ""


@dataclass(frozen=True)
class Problem:
    """One stretch of a training in which something was wrong.

    Args:
        code: of the check that saw it.
        title: of the check.
        verdict: what the check stands for.
        message: one sentence.
        evidence: the numbers behind it, by name.
        since: images seen when it began.
        last_seen: images seen when it was last noticed.
        active: is it still there?
        serious: or is it merely worth knowing?
        looks: how many of the doctor's looks in a row saw it.
        remedy: what to try, in words.
        source: where the rule comes from.
        trials: the same as commands, where there are any.
    """

    code: str
    title: str
    verdict: str
    message: str
    evidence: Mapping[str, Any]
    since: int
    last_seen: int
    active: bool
    serious: bool
    looks: int
    remedy: str
    source: str
    trials: Sequence[Trial] = ()


@dataclass(frozen=True)
class Limit:
    """A number at which the doctor changes his mind, or that is worth comparing with.

    Args:
        label: what it stands for.
        value: on the axis of the number.
        kind: `ok` is what photos score; `watch` or `problem` is where one begins.
    """

    label: str
    value: float
    kind: str = "problem"


@dataclass(frozen=True)
class Consultation:
    """The verdict on a run, and what it rests on.

    Args:
        verdict: in a word or two.
        message: in a sentence.
        kind: `ok`, `watch` (worth knowing) or `problem`.
        images_seen: at the moment of the verdict.
        problems: the most serious first, also those that have passed.
        untold: for each check that could not tell, the reason.
        looks: one float array for each number that the doctor saw, and `images_seen`; all
            equally long, NaN where there was none.
        limits: lines to compare these numbers with, by their name.
    """

    verdict: str
    message: str
    kind: str
    images_seen: int
    problems: Sequence[Problem] = ()
    untold: Mapping[str, str] = field(default_factory=dict)
    looks: Mapping[str, np.ndarray] = field(default_factory=dict)
    limits: Mapping[str, Sequence[Limit]] = field(default_factory=dict)

    @property
    def n_looks(self) -> int:
        """How often the doctor looked closely."""
        return len(self.looks.get("images_seen", ()))


def in_words(verdict: str) -> str:
    """A verdict as a heading: "Mode collapse" for `mode-collapse`."""
    return verdict.replace("-", " ").capitalize()

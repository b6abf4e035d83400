"""What a check thinks, and what it found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol

from facewright.doctor.history import History
from facewright.json_form import plain
from facewright.records.record import DAMAGED
from facewright.schema import parsed

Verdict = Literal[
    "healthy",
    "mode-collapse",
    "discriminator-dominance",
    "generator-dominance",
    "oscillation",
    "divergence",
    "discriminator-overfitting",
    "weak-discriminator",
    "stalled",
    "plateau",
    "not-applicable",
]

Level = Literal["problem", "watch", "ok", "cannot tell"]

Grade = Literal["ok", "watch", "problem"]

HARMLESS = ("healthy", "plateau", "not-applicable")
"""Verdicts that are no problem. A training that gets no better has done what it can."""


@dataclass(frozen=True)
class Assessment:
    """What one check thinks of one moment.

    Args:
        level: `watch` is worth knowing, and does no harm yet. `cannot tell` is a result:
            something is missing, and the message says what.
        message: one sentence for people.
        evidence: the numbers it rests on, by name.
        verdict: in place of the check's own, where a mistake shows in more than one way.
    """

    level: Level
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None


NO_VERDICTS = Assessment("cannot tell", "the log has no verdicts on photos and generated images")
"""Of a check that compares them."""
NO_SPREAD = Assessment("cannot tell", "the log has no verdicts, or not how they scatter in a batch")
"""Of one that also asks how much a difference of them means."""


class Check(Protocol):
    """One known way in which a training goes wrong, and how to see it."""

    code: ClassVar[str]
    title: ClassVar[str]
    verdict: ClassVar[Verdict]
    at_once: ClassVar[bool]
    """Does one moment suffice? Otherwise two in a row have to agree."""
    remedy: ClassVar[str]
    source: ClassVar[str]
    blind_spot: ClassVar[str]

    def examine(self, history: History) -> Assessment:
        """What is to be thought of the last moment of this history?"""
        ...


@dataclass(frozen=True)
class Finding:
    """A problem, or something to watch: what, since when, and what to do.

    Args:
        code: of the check.
        verdict: that it stands for; of something to watch, what it may become.
        message: as of the last moment at which it was seen.
        evidence: the numbers behind it, of the same moment.
        first_seen_images: when it began.
        images_seen: when it was last seen.
        looks: how many looks in a row have seen it: the more, the surer. 0: unknown.
        active: is it still there?
        remedy: what to try.
        source: where the rule comes from.
        grade: `watch` where nothing is wrong yet.
    """

    code: str
    verdict: Verdict
    message: str
    evidence: dict[str, Any]
    first_seen_images: int
    images_seen: int
    looks: int
    active: bool
    remedy: str
    source: str
    grade: Literal["watch", "problem"] = "problem"

    def as_json(self) -> dict[str, Any]:
        """As in `findings.jsonl` and `diagnose --json`."""
        return plain(asdict(self))

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Finding":
        """A row of `findings.jsonl`, also one of an earlier version, which had fewer fields.

        Raises:
            RunError: it is no such row.
        """
        known = {field.name: row[field.name] for field in fields(cls) if field.name in row}
        missing = {"images_seen": row.get("first_seen_images"), "looks": 0, "active": False}
        return parsed(cls, missing | known, "findings.jsonl", DAMAGED)

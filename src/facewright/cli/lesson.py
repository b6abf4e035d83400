"""How lessons are shown."""

from rich.text import Text

from facewright.actions.lesson import Listed, Taught
from facewright.lessons.catalogue import LESSONS
from facewright.lessons.lesson import Claim
from facewright.reporting.words import duration


def shown(found: Listed | Taught) -> Text:
    """All lessons with their questions, or what one of them found."""
    if isinstance(found, Listed):
        return Text("\n").join(
            Text.assemble(
                (f"facewright lesson {lesson.name}", "bold"),
                f" {lesson.options}\n    {lesson.question}",
            )
            for lesson in LESSONS.values()
        )
    lines = [_line(claim) for claim in found.lecture.claims]
    return Text("\n").join([*lines, Text(f"{found.files[0]} ({duration(found.seconds)})")])


def _line(claim: Claim) -> Text:
    colour = {True: "green", False: "red", None: "yellow"}[claim.holds]
    return Text.assemble((claim.verdict, colour), f": {claim.sentence}\n    {claim.measured}")

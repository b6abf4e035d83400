"""How lessons are shown."""

from rich.markup import escape

from facewright.actions.lesson import Listed, Taught
from facewright.lessons.catalogue import LESSONS
from facewright.lessons.lesson import Claim
from facewright.reporting.words import duration


def shown(found: Listed | Taught) -> str:
    """All lessons with their questions, or what one of them found."""
    if isinstance(found, Listed):
        return "\n".join(
            f"[bold]facewright lesson {lesson.name}[/bold] {lesson.options}\n    {lesson.question}"
            for lesson in LESSONS.values()
        )
    lines = [_line(claim) for claim in found.lecture.claims]
    return "\n".join([*lines, f"{escape(str(found.files[0]))} ({duration(found.seconds)})"])


def _line(claim: Claim) -> str:
    colour = {True: "green", False: "red", None: "yellow"}[claim.holds]
    return f"[{colour}]{claim.verdict}[/{colour}]: {claim.sentence}\n    {claim.measured}"

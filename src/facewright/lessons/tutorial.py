"""A lesson as one Markdown page with its figures beside it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from facewright.images import save_figure
from facewright.lessons.lesson import Claim, Lecture, Lesson
from facewright.records import environment
from facewright.records.record import write_atomically
from facewright.reporting.words import duration

MARKS = {True: "**holds**", False: "**does not hold**", None: "*cannot tell*"}


@dataclass(frozen=True)
class Circumstances:
    """How a page came about, so that its reader can repeat it.

    Args:
        command: that wrote it.
        seconds: that it took, training included.
    """

    command: str
    seconds: float


def write(lesson: Lesson, lecture: Lecture, out: Path, how: Circumstances) -> list[Path]:
    """Write `NAME.md`, and its figures and `numbers.json` in the folder `NAME` beside it.

    Returns:
        The files, the page first.
    """
    folder = out / lesson.name
    folder.mkdir(parents=True, exist_ok=True)
    page, numbers = out / f"{lesson.name}.md", folder / "numbers.json"
    files = [page, numbers, *(folder / f"{name}.png" for name in lecture.figures)]
    for name, figure in lecture.figures.items():
        save_figure(figure, folder / f"{name}.png")
    write_atomically(numbers, json.dumps(as_json(lesson, lecture), indent=1, allow_nan=False))
    write_atomically(page, markdown(lesson, lecture, how))
    return files


def as_json(lesson: Lesson, lecture: Lecture) -> dict[str, object]:
    """Name, claims and numbers."""
    claims = [claim.as_json() for claim in lecture.claims]
    return {"lesson": lesson.name, "claims": claims, "numbers": dict(lecture.numbers)}


def markdown(lesson: Lesson, lecture: Lecture, how: Circumstances) -> str:
    """The whole page.

    Raises:
        KeyError: the text has a place that the lecture does not fill.
    """
    machine = environment.snapshot()
    threads = "one thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    written = (
        f"Written by `{how.command}` in {duration(how.seconds)} on {threads} of "
        f"{machine['cores']} cores ({machine['cpu']}). Every number on this page was measured "
        f"by that command; all of them are in [numbers.json]({lesson.name}/numbers.json)."
    )
    head = [f"# {lesson.title}", f"*{lesson.question}*"]
    body = [_filled(text_of(lesson), lesson.name, lecture), "## Claims", _claims(lecture.claims)]
    return "\n\n".join([*head, *body, "---", written]) + "\n"


def text_of(lesson: Lesson) -> str:
    """The lesson's text as it was written, with places for what a run of it finds."""
    return (resources.files("facewright.lessons") / "text" / f"{lesson.name}.md").read_text("utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; what is no text is right-aligned."""
    kinds = ["---" if all(isinstance(r[i], str) for r in rows) else "--:" for i in range(len(head))]
    lines = [head, kinds, *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")


def _claims(claims: Sequence[Claim]) -> str:
    rows = [
        [c.sentence + (f" ({c.source})" if c.source else ""), MARKS[c.holds], c.measured]
        for c in claims
    ]
    return table(["claim", "in this run", "measured"], rows)


def _filled(text: str, folder: str, lecture: Lecture) -> str:
    def picture(found: re.Match[str]) -> str:
        caption, name = found[1].replace("\n", " "), found[2]
        assert name in lecture.figures, f"the text shows a figure {name}, the lecture has none"
        return f"![{caption}]({folder}/{name}.png)\n\n*{caption}*"

    # Captions hold no brackets, and links lead to names with a dot or a slash.
    with_pictures = re.sub(r"!\[([^\]]+)\]\((\w+)\)", picture, text.strip())
    return re.sub(r"\{\{(\w+)\}\}", lambda found: lecture.words[found[1]], with_pictures)

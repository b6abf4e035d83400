"""The tables of planted mistakes, as they are written beside this file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mistake:
    """A snippet of a definition, what it becomes, and a part of the name of a test to ask first."""

    anchor: str
    before: str
    after: str
    named: str = ""


@dataclass(frozen=True)
class Table:
    """Mistakes by subject, and the tests that have to notice them."""

    tests: list[str]
    subjects: dict[str, list[Mistake]]


def _read(path: Path) -> Table:
    table = tomllib.loads(path.read_text())
    subjects = {
        subject: [Mistake(anchor, *row) for anchor, rows in anchors.items() for row in rows]
        for subject, anchors in table["mistakes"].items()
    }
    return Table(table["tests"], subjects)


TABLES = {path.stem: _read(path) for path in sorted(Path(__file__).parent.glob("*.toml"))}
SUBJECTS = {
    f"{name}-{subject}": mistakes
    for name, table in TABLES.items()
    for subject, mistakes in table.subjects.items()
}

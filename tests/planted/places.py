"""Where the code that a table names is now: found by name, wherever it was moved to."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.planted.imports import ROOT

SOURCE = ROOT / "src"
TESTS = ROOT / "tests"
ID = re.compile(r"(?:([\w/]+\.py)(?:::)?)?((\w*).*)")
"""A test file, a test with its parameters, and its name without them: all of a pytest id."""


@dataclass(frozen=True)
class Definition:
    """A function, a class or a constant, and the lines of its file that it covers."""

    module: str
    name: str
    """Its qualified name: `Moments.of` for a method."""
    path: Path
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def is_called(self, anchor: str) -> bool:
        """Is this its qualified name, alone or after the end of its module's name?"""
        return anchor.endswith(self.name) and f".{self}".endswith(f".{anchor}")

    def replaced(self, before: str, after: str) -> str:
        """The source of the whole file, with one snippet of the definition replaced."""
        lines = self.path.read_text().splitlines(keepends=True)
        text = "".join(lines[self.first - 1 : self.last])
        if (times := text.count(before)) != 1:
            raise LookupError(f"{self} holds {before!r} {times} times, not once")
        lines[self.first - 1 : self.last] = [text.replace(before, after)]
        return "".join(lines)


def definition(anchor: str, source: Path = SOURCE) -> Definition:
    """The one definition of this name.

    Args:
        anchor: its qualified name, and before it as much of the module's as tells it from
            others of that name: `r1_penalty`, `Moments.of`, `audit._judge`.
        source: folder of the package.

    Raises:
        LookupError: there is none of this name, or several.
    """
    last = anchor.rpartition(".")[2]
    alike = _definitions(source)[last]
    found = [d for d in alike if d.is_called(anchor)]
    if not found:
        there = _listed(map(str, alike))
        raise LookupError(f"nothing is defined as {anchor}; {last} is: {there}")
    if len(found) > 1:
        raise LookupError(
            f"{anchor} is ambiguous: {_listed(map(str, found))}; write the module before it"
        )
    return found[0]


def node_id(test: str, tests: Path = TESTS) -> str:
    """What pytest calls the tests that a table names.

    Args:
        test: a test file (`test_bins.py`), with a folder where that name is not the only one
            (`metrics/test_view.py`); a test function (`test_a_draw_is_one_half[hinge]`), or
            both (`test_view.py::test_nothing_else_changes`).
        tests: folder of the tests.

    Raises:
        LookupError: there is no such file or function, or several.
    """
    parts = ID.fullmatch(test)
    assert parts is not None
    file, inside, function = parts.groups()
    head = f"\ndef {function}(" if function else ""
    files = _test_files(tests).items()
    found = [path for path, text in files if path.match(file or "*") and head in text]
    if len(found) != 1:
        places = _listed(path.relative_to(tests).as_posix() for path in found)
        raise LookupError(f"{test} has to be in one file of the tests and is in: {places}")
    path = found[0].relative_to(tests.parent).as_posix()
    return f"{path}::{inside}" if inside else path


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nowhere"


@cache
def _test_files(tests: Path) -> dict[Path, str]:
    """Each one's text, with an end of line before it."""
    return {path: f"\n{path.read_text()}" for path in sorted(tests.rglob("test_*.py"))}


@cache
def _definitions(source: Path) -> defaultdict[str, list[Definition]]:
    """All of them, by the last part of their names."""
    found = defaultdict[str, list[Definition]](list)
    for path in sorted(source.rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        for name, first, last in _named(ast.parse(path.read_text()).body):
            place = Definition(module.removesuffix(".__init__"), name, path, first, last)
            found[name.rpartition(".")[2]].append(place)
    return found


def _named(body: list[ast.stmt]) -> Iterator[tuple[str, int, int]]:
    """Each definition's qualified name, its first line and its last; decorators belong to it."""
    for node in body:
        last = node.end_lineno
        assert last is not None
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, first, last
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", a, b) for name, a, b in _named(node.body))
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            yield from ((n.id, node.lineno, last) for n in names if isinstance(n.ctx, ast.Store))

"""Do the tests notice mistakes? Each table here plants some and runs the tests on them.

`make planted` runs this file. `make test` does not, as its name has no `test_` before it; in
its place `test_places.py` holds that each mistake can still be planted.

A table `<any name>.toml` names the tests that guard something and, for each thing guarded, at
least three mistakes. They stand below the name of the definition that they are made in,
wherever in the package it lies. Each is a snippet of this definition (which must occur in it
exactly once), what it becomes and, where tests are slow, a part of the name of the one to
ask first:

    tests = ["test_penalties.py"]

    [mistakes.r1_penalty]
    r1_penalty = [
        ["sum(dim=1)", "mean(dim=1)"],
    ]

`places.py` says how definitions and tests are named.

The mistaken module is loaded from memory in place of the real one, and every module that
imports it, itself or through others, is imported anew; pytest then runs the tests inside
this process, without run-time shape checks: what they refuse counts as a crash, and they
would take a quarter of the time.
A mistake counts as caught when an assertion fails: an error at import, a crash, or tests
that do not even run prove nothing. A mistake that nobody catches needs a better test.
"""

import importlib
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from tests import conftest
from tests.planted.imports import ROOT, reached_from
from tests.planted.places import Definition, definition, node_id
from tests.planted.tables import TABLES, Mistake, Table

MISTAKES = [
    pytest.param(table, mistake, id=f"{name}-{subject}-{number}")
    for name, table in TABLES.items()
    for subject, mistakes in table.subjects.items()
    for number, mistake in enumerate(mistakes, start=1)
]

FAILED_ASSERTION = AssertionError | pytest.fail.Exception

ALONE = ["--tb=no", "--assert=plain", "-o", "timeout=0", "-m", "not shapes"]
for plugin in ("cacheprovider", "faulthandler", "randomly", "unraisableexception"):
    ALONE += ["-p", f"no:{plugin}"]
"""Explain no failure, leave the outer pytest's timer, cache and signals alone, skip the garbage
collections at the end, which would take most of the time, and what asks for shape checks."""


class Failures:
    """A pytest plugin that remembers why tests fail, and stops at the first failed assertion."""

    def __init__(self) -> None:
        self.found: list[BaseException] = []

    def pytest_exception_interact(self, node: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        assert call.excinfo is not None
        self.found.append(call.excinfo.value)
        if isinstance(call.excinfo.value, FAILED_ASSERTION):
            node.session.shouldfail = "caught"


class LikeliestFirst:
    """A pytest plugin that runs first the test named, then what caught most in least time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.caught: Counter[str] = Counter()
        self.named = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        assert any(self.named in item.nodeid for item in items), f"no test is called {self.named}"
        items.sort(key=lambda item: (self.named not in item.nodeid, self._cost(item.nodeid)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration
            self.caught[report.nodeid] += report.failed

    def _cost(self, test: str) -> float:
        return self.seconds.get(test, 0) / (1 + self.caught[test])


@contextmanager
def imported_anew(name: str, kept: dict[str, ModuleType]) -> Iterator[None]:
    """Import our modules anew, but for those `kept` that a mistake in this one cannot reach.

    None is the one that other tests in this process use, so nothing is done to those. Packages
    are never kept: their modules are attributes of them, of which some would be old ones.
    """

    def ours() -> dict[str, ModuleType]:
        return {n: m for n, m in sys.modules.items() if n.split(".")[0] in ("facewright", "tests")}

    modules, finders, folder = ours(), list(sys.meta_path), Path.cwd()
    reached = reached_from(name)
    try:
        for forgotten in modules:
            del sys.modules[forgotten]
        sys.modules.update({n: m for n, m in kept.items() if n not in reached})
        for package, _, child in (n.rpartition(".") for n in ours()):
            setattr(importlib.import_module(package), child, kept[f"{package}.{child}"])
        # Rewritten by the outer pytest, assertions would explain what nobody reads here.
        sys.meta_path[:] = [f for f in finders if not isinstance(f, AssertionRewritingHook)]
        conftest.SHAPE_CHECKS.uninstall()  # until the finders are restored
        os.chdir(ROOT)
        yield
    finally:
        loaded = ours()
        for forgotten in loaded:
            del sys.modules[forgotten]
        kept.clear()
        kept.update(
            (n, m) for n, m in loaded.items() if n not in reached and not hasattr(m, "__path__")
        )
        sys.modules.update(modules)
        sys.meta_path[:] = finders
        os.chdir(folder)


@pytest.fixture(scope="session")
def kept() -> dict[str, ModuleType]:
    """Modules that the last mistake did not reach, for the next one: importing takes long.

    The first is the conftest, which would turn shape checks on if it were imported anew.
    """
    return {conftest.__name__: conftest}


@pytest.fixture(scope="session")
def order() -> LikeliestFirst:
    """Learns from every mistake what to ask about the next one."""
    return LikeliestFirst()


def run_tests(
    table: Table,
    place: Definition,
    source: str,
    folder: Path,
    kept: dict[str, ModuleType],
    order: LikeliestFirst,
    named: str = "",
) -> tuple[int, list[BaseException]]:
    """pytest's exit status, and why tests fail, when the definition's file reads like this.

    What the tests write goes into the folder. In the place where pytest keeps the files of
    its last few runs, which both workers share, they would tidy up after each other.
    """
    spec = importlib.util.find_spec(place.module)
    assert spec is not None
    failures, order.named = Failures(), named
    with imported_anew(place.module, kept):
        module = importlib.util.module_from_spec(spec)
        sys.modules[place.module] = module
        exec(compile(source, place.path, "exec", dont_inherit=True), module.__dict__)
        arguments = [*ALONE, f"--basetemp={folder}", *map(node_id, table.tests)]
        status = pytest.main(arguments, plugins=[failures, order])
    return status, failures.found


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_without_a_mistake_nothing_is_caught(table: Table, tmp_path, kept, order):
    anchors = {m.anchor for mistakes in table.subjects.values() for m in mistakes}
    modules = {place.module: place for place in map(definition, sorted(anchors))}
    for place in modules.values():
        found = run_tests(table, place, place.path.read_text(), tmp_path, kept, order)
        assert found == (pytest.ExitCode.OK, [])


@pytest.mark.parametrize(("table", "mistake"), MISTAKES)
def test_the_mistake_is_caught(table: Table, mistake: Mistake, tmp_path, kept, order):
    place = definition(mistake.anchor)
    mistaken = place.replaced(mistake.before, mistake.after)
    status, caught = run_tests(table, place, mistaken, tmp_path, kept, order, mistake.named)
    assert status == pytest.ExitCode.TESTS_FAILED, f"not caught: {mistake}"
    assert any(isinstance(error, FAILED_ASSERTION) for error in caught), caught

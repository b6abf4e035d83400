"""What a mistake can reach is what imports it, however that is written."""

import importlib
import sys
from inspect import isclass, isfunction

import pytest

from tests.planted.imports import reached_from
from tests.planted.mistakes import imported_anew


@pytest.mark.parametrize(
    ("name", "importer"),
    [
        ("facewright.objective.penalties", "facewright.objective.penalties"),
        ("facewright.objective.penalties", "tests.objective.test_penalties"),
        ("facewright.config", "tests.planning.conftest"),  # from facewright import config
        ("facewright.metrics.extractors.face", "facewright.metrics.extractors.build"),  # inside
        ("facewright.rng", "tests.training.test_mending"),  # through others
        ("tests.metrics.clouds", "tests.metrics.test_audit"),
    ],
)
def test_a_mistake_reaches_all_that_import_it(name, importer):
    assert importer in reached_from(name)


def test_a_mistake_does_not_reach_what_it_imports_or_what_stands_beside_it():
    reached = reached_from("facewright.metrics.audit")
    assert not reached & {"facewright.metrics.closeness", "tests.metrics.test_kernel"}


def test_modules_kept_and_imported_anew_know_the_same_classes_and_functions():
    kept, ours = {}, ("facewright.", "tests.")
    for name in ("facewright.planning.pace", "facewright.objective.penalties"):
        with imported_anew(name, kept):
            importlib.import_module(name)
            importlib.import_module("tests.planning.test_plan")
            loaded = {n: vars(m) for n, m in sys.modules.items() if n.startswith(ours)}
    things = [thing for names in loaded.values() for thing in names.values()]
    things = [thing for thing in things if isclass(thing) or isfunction(thing)]
    things = [thing for thing in things if thing.__module__.startswith(ours)]
    assert len(things) > 100
    for thing in things:
        assert loaded[thing.__module__].get(thing.__name__, thing) is thing

"""Every mistake can be planted, wherever its code was moved to; `make planted` plants them."""

import re

import pytest

from facewright.objective.adversarial import GAMES
from facewright.objective.penalties import PENALTIES
from tests.planted.imports import ROOT
from tests.planted.places import definition, node_id
from tests.planted.tables import SUBJECTS, TABLES


@pytest.mark.parametrize("mistakes", SUBJECTS.values(), ids=list(SUBJECTS))
def test_everything_has_three_mistakes_planted(mistakes):
    assert len({(mistake.before, mistake.after) for mistake in mistakes}) >= 3


def test_every_game_has_mistakes_planted():
    assert set(GAMES) <= set(TABLES["adversarial"].subjects)


@pytest.mark.parametrize("name", PENALTIES)
def test_every_penalty_has_mistakes_planted(name):
    subjects = {subject.partition("-")[2].removesuffix("_penalty") for subject in SUBJECTS}
    assert name.removesuffix("_penalty") in subjects


@pytest.mark.parametrize("mistakes", SUBJECTS.values(), ids=list(SUBJECTS))
def test_every_mistake_has_its_place(mistakes):
    for mistake in mistakes:
        place = definition(mistake.anchor)
        assert place.replaced(mistake.before, mistake.after) != place.path.read_text()


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_the_tests_of_every_table_exist_and_those_to_ask_first_are_among_them(table):
    named = {mistake.named for mistakes in table.subjects.values() for mistake in mistakes}
    tests = [node_id(test) for test in table.tests]
    files = [(ROOT / test).read_text() for test in tests if test.endswith(".py")]
    names = re.findall(r"^def (test_\w+)\(", "".join(files), re.MULTILINE)
    assert all(any(part in name for name in [*names, *tests]) for part in named)


ONE = """
from a import b

LIMIT, OTHER = 1, 2
TABLE: dict[str, int] = {}
TABLE["one"] = LIMIT


@decorated
def twice(x):
    return x + x


class Moments:
    def of(self):
        return 1

    @property
    def mean(self):
        return 1
"""
TWO = """
def twice(x):
    return 2 * x
"""


@pytest.fixture
def source(tmp_path):
    for folder, text in (("metrics", ONE), ("reporting", TWO)):
        (tmp_path / "house" / folder).mkdir(parents=True)
        (tmp_path / "house" / folder / "sums.py").write_text(text)
    (tmp_path / "house" / "__init__.py").write_text("VERSION = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("anchor", "module", "before", "line"),
    [
        ("LIMIT", "house.metrics.sums", "1", "LIMIT, OTHER = -, 2"),
        ("OTHER", "house.metrics.sums", "2", "LIMIT, OTHER = 1, -"),
        ("TABLE", "house.metrics.sums", "int", "TABLE: dict[str, -] = {}"),
        ("metrics.sums.twice", "house.metrics.sums", "@decorated", "-"),
        ("house.reporting.sums.twice", "house.reporting.sums", "2", "    return - * x"),
        ("Moments.of", "house.metrics.sums", "return 1", "        -"),
        ("Moments.mean", "house.metrics.sums", "@property", "    -"),
        ("Moments", "house.metrics.sums", "of", "    def -(self):"),
        ("VERSION", "house", "1", "VERSION = -"),
    ],
)
def test_a_definition_is_found_by_name_and_only_its_own_text_changes(
    source, anchor, module, before, line
):
    place = definition(anchor, source)
    assert place.module == module
    whole, mistaken = place.path.read_text(), place.replaced(before, "-")
    assert len(mistaken) == len(whole) - len(before) + 1
    assert [new for new in mistaken.splitlines() if new not in whole.splitlines()] == [line]


@pytest.mark.parametrize("anchor", ["thrice", "reporting.LIMIT", "of", "wice", "sums", "oments.of"])
def test_what_is_defined_nowhere_is_named(source, anchor):
    with pytest.raises(LookupError, match=f"nothing is defined as {anchor};"):
        definition(anchor, source)


def test_where_the_module_was_renamed_the_name_of_today_is_said(source):
    with pytest.raises(LookupError, match=r"; LIMIT is: house\.metrics\.sums\.LIMIT$"):
        definition("totals.LIMIT", source)


@pytest.mark.parametrize("anchor", ["twice", "sums.twice"])
def test_two_definitions_of_one_name_are_both_named(source, anchor):
    both = "house.metrics.sums.twice, house.reporting.sums.twice"
    with pytest.raises(LookupError, match=f"{anchor} is ambiguous: {both};"):
        definition(anchor, source)


@pytest.mark.parametrize(("before", "times"), [("x + y", 0), ("x", 3), ("of", 0)])
def test_a_snippet_that_is_not_there_exactly_once_is_named(source, before, times):
    place = definition("metrics.sums.twice", source)
    with pytest.raises(LookupError, match=re.escape(f"sums.twice holds {before!r} {times} times")):
        place.replaced(before, "")


@pytest.fixture
def tests(tmp_path):
    for file, name in (("a/test_sums", "one"), ("b/test_sums", "two"), ("b/test_rest", "two")):
        path = tmp_path / "tests" / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def test_{name}(x):\n    test_other(x)\n")
    return tmp_path / "tests"


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("test_rest.py", "tests/b/test_rest.py"),
        ("a/test_sums.py", "tests/a/test_sums.py"),
        ("test_one", "tests/a/test_sums.py::test_one"),
        ("test_one[a.py::b]", "tests/a/test_sums.py::test_one[a.py::b]"),
        ("test_rest.py::test_two[x]", "tests/b/test_rest.py::test_two[x]"),
        ("test_sums.py::test_two", "tests/b/test_sums.py::test_two"),
    ],
)
def test_tests_are_found_by_their_file_or_by_their_name(tests, test, found):
    assert node_id(test, tests) == found


@pytest.mark.parametrize(
    ("test", "files"),
    [
        ("test_sums.py", "a/test_sums.py, b/test_sums.py"),
        ("test_two", "b/test_rest.py, b/test_sums.py"),
        ("test_other", "nowhere"),
        ("test_tw", "nowhere"),
        ("test_none.py", "nowhere"),
        ("a/test_sums.py::test_two", "nowhere"),
    ],
)
def test_tests_that_are_not_in_exactly_one_file_are_named(tests, test, files):
    with pytest.raises(LookupError, match=f"^{re.escape(test)} has to .* is in: {files}$"):
        node_id(test, tests)

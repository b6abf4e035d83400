"""Generated pages hold everything they are made from, and the others say what there is."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from scripts import docs

from facewright import COMMANDS
from facewright.config import Config
from facewright.objective.adversarial import GAMES

ROOT = Path(__file__).parents[1]
EXPERIMENTS = ROOT / "docs" / "experiments"

SETTINGS = [
    (f"{section}.{key}", value)
    for section, values in dataclasses.asdict(Config()).items()
    for key, value in values.items()
]


@pytest.mark.parametrize(("name", "default"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_every_setting_stands_in_the_table_with_its_default_and_meaning(name, default):
    rows = [line for line in docs.recipes().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1
    _, _, shown, meaning, _ = rows[0].split("|")
    assert shown.strip() == f"`{json.dumps(default)}`"
    assert len(meaning.strip()) > 10
    assert meaning.strip().endswith((".", ")"))


def test_the_values_that_a_setting_may_have_are_listed():
    (row,) = [line for line in docs.recipes().splitlines() if line.startswith("| `loss.slope` |")]
    assert "One of `exact`, `finite-difference`, `antithetic-noise`." in row


def test_settings_stand_above_the_recipes():
    page = docs.recipes()
    assert page.index("| `train.seed` |") < page.index("## classic-celeba28")


def test_the_readme_is_a_front_door_and_no_house():
    assert 6_000 <= (ROOT / "README.md").stat().st_size <= 8_000


# At the start of a line, after a prompt, or in a code span; long ones go on at an option.
COMMAND = re.compile(r"(?:^(?:\$ )?|(?<=`))facewright ([a-z]+)((?:[^`#\n]|\n(?= *--))*)", re.M)
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/paper.md", "docs/results.md")),
    *ROOT.glob("docs/guides/*.md"),
]
TYPED = [
    (page.name, command, options)
    for page in PAGES
    for command, options in COMMAND.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "command", "options"), TYPED)
def test_what_a_page_tells_to_type_exists(page, command, options):
    assert command in COMMANDS
    (help_text,) = re.findall(
        rf"^## facewright {command}\n(.*?)(?=^## |\Z)", docs.commands(), re.M | re.S
    )
    known = {*re.findall(r"--[a-z-]+", help_text), "--json"}
    assert set(re.findall(r"--[a-z-]+", options)) <= known
    assert set(re.findall(r"\b([a-z]+\.[a-z_0-9]+)=", options)) <= {name for name, _ in SETTINGS}


def test_pages_tell_of_every_command():
    assert {command for _, command, _ in TYPED} == set(COMMANDS)


def test_the_doctors_page_names_every_game():
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert [name for name in GAMES if f'"{name}"' not in text] == []


def anchor(heading: str) -> str:
    """How a link names a heading: the rule of code hosts, which the site follows."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


ENTRIES = {
    page.name: re.findall(r"^## (.*)", page.read_text(encoding="utf-8"), re.M)
    for page in EXPERIMENTS.glob("*.md")
    if page.name != "README.md"
}


@pytest.mark.parametrize("page", ENTRIES)
def test_experiments_are_dated_and_stand_newest_first(page):
    dates = [heading[:10] for heading in ENTRIES[page]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)
    assert dates == sorted(dates, reverse=True)


def test_the_index_has_one_row_for_each_experiment():
    index = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d{4}-\d\d-\d\d) \| \[.*?\]\((.*?)\) \| (.+?) \| (.+?) \|$", index, re.M
    )
    assert sorted((date, link) for date, link, _, _ in rows) == sorted(
        (heading[:10], f"{page}#{anchor(heading)}")
        for page, headings in ENTRIES.items()
        for heading in headings
    )
    assert all(re.search("current|superseded by", status) for *_, status in rows)


def test_every_decision_is_listed_by_its_title():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[(.*)\]\((.*)\)$", (folder / "README.md").read_text(), re.M)
    titles = [
        (path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "), path.name)
        for path in sorted(folder.glob("0*.md"))
    ]
    assert listed == titles

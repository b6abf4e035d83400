"""The command, and each lesson of digits from start to end in its quick form."""

import json
import re

import pytest

import facewright
from facewright.actions.lesson import Taught
from facewright.cli.main import main
from facewright.errors import DataError, FacewrightError, RunError
from facewright.lessons import tutorial
from facewright.lessons.catalogue import LESSONS
from facewright.lessons.figures import canvas
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from tests.lessons.digit_store import write_digit_store
from tests.stores import write_store


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    return write_digit_store(tmp_path_factory.mktemp("lessons") / "digits")


def a_lecture(**words: str) -> Lecture:
    return Lecture({}, [Claim("two is more than one", True, "2 > 1", "arithmetic")], {}, words)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["collapse", "convergence", "activations", "convolutions", "techniques"]
)
def test_a_lesson_writes_a_page_with_all_its_figures(name, digits, tmp_path, capsys):
    words = ["lesson", name, "--quick", "--data", str(digits), "--json"]
    assert main([*words, "--out", str(tmp_path / "out"), "--runs", str(tmp_path / "runs")]) == 0
    printed = capsys.readouterr()
    assert "a claim that does not hold may hold in the full length" in printed.err
    found = json.loads(printed.out)
    assert found["lesson"] == name
    assert {"claim", "holds", "measured", "source"} == set(found["claims"][0])
    text = (tmp_path / "out" / f"{name}.md").read_text()
    pictures = set(re.findall(r"\]\((\w+/\w+\.png)\)", text))
    drawn = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.png")}
    assert pictures == drawn
    assert not re.search(r"\{\{|\}\}", text)
    assert all(claim["measured"] in text for claim in found["claims"])


def test_runs_are_trained_once_and_not_taken_for_runs_with_other_photos(digits, tmp_path):
    words = {"runs": tmp_path / "runs", "quick": True}
    first = facewright.lesson("convolutions", data=digits, out=tmp_path / "a", **words)
    again = facewright.lesson("convolutions", data=digits, out=tmp_path / "b", **words)
    assert first.as_json()["numbers"] == again.as_json()["numbers"]
    assert isinstance(again, Taught)
    assert again.lecture.trained_seconds > 0
    with pytest.raises(RunError, match="photos"):
        facewright.lesson("convolutions", data=write_store(tmp_path / "blobs"), **words)


def test_all_lessons_are_listed(capsys):
    assert main(["lesson", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["lessons"]
    assert [lesson["name"] for lesson in listed] == list(LESSONS)
    assert all(lesson["question"].endswith("?") for lesson in listed)


def test_a_wrong_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(FacewrightError, match="no lesson"):
        facewright.lesson("colapse", out=tmp_path)


def test_without_digits_it_says_how_to_prepare_them():
    with pytest.raises(DataError) as found:
        Setting().digits()
    assert "facewright prepare mnist" in found.value.fix


def test_photos_in_colour_are_no_digits(tmp_path):
    with pytest.raises(DataError, match="colour"):
        Setting(data=write_store(tmp_path / "blobs")).digits()


def test_the_page_says_of_each_claim_what_was_found():
    claims = [Claim("up", True, "1"), Claim("down", False, "2"), Claim("far", None, "3")]
    rows = tutorial.markdown(
        LESSONS["techniques"],
        Lecture({"effects": canvas()[0], "digits": canvas()[0]}, claims, {}, {"table": "TABLE"}),
        tutorial.Circumstances("facewright lesson techniques", 90.0),
    ).splitlines()
    assert "| up | **holds** | 1 |" in rows
    assert "| down | **does not hold** | 2 |" in rows
    assert "| far | *cannot tell* | 3 |" in rows
    assert "TABLE" in rows
    assert any("`facewright lesson techniques` in 2 min" in row for row in rows)


def test_a_place_that_nobody_fills_is_noticed():
    lesson = Lesson("techniques", "T", "Q?", lambda _setting: a_lecture())
    with pytest.raises((KeyError, AssertionError)):
        tutorial.markdown(lesson, a_lecture(), tutorial.Circumstances("", 1.0))


def test_tables_align_numbers_to_the_right():
    assert tutorial.table(["a", "b"], [["x|y", 1.23456]]).splitlines() == [
        "| a | b |",
        "| --- | --: |",
        "| x\\|y | 1.23 |",
    ]

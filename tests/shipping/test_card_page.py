"""The model card says what must be said."""

import shlex
from dataclasses import replace

from facewright.conditions import Label
from facewright.shipping.card_page import markdown
from tests.models.examples import CARD


def row(page: str, start: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {start}"))


def test_a_card_says_what_terms_numbers_and_verdicts_there_are():
    page = markdown(CARD)
    for words in (
        "research only holds for this model",
        "| photos trained on | 900 |",
        "| images seen | 12,800 |",
        "| time | 1.5 minutes |",
        "| changed on the way | `loss.r1: 0 -> 1` |",
        "The doctor's verdict: healthy",
        "no sign of copying",
        "It draws small faces.",
        "Not for the identification of persons",
    ):
        assert words in page
    assert row(page, "fid") == (
        "| fid | 26.25 | 25.5 to 26.9 | 2.25 | 900 (train) | 10,000 | inception/legacy@123 |"
    )
    assert row(page, "modes") == "| modes | ∞ |  |  |  | 10,000 | pixels |"


def test_a_card_says_which_labels_can_be_asked_for_in_words_that_a_shell_takes():
    many = Label("age", tuple(map(str, range(100))))
    page = markdown(CARD, labels=(Label("it's"), many))
    assert "labels: it's (0, 1); age (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more)." in page
    assert shlex.split(page.split("`--label ")[1].split("`")[0]) == ["it's=0"]
    assert "--label" not in markdown(CARD)


def test_the_command_on_the_page_finds_the_model_where_it_lies():
    plain, bundled = markdown(CARD), markdown(CARD, bundled=True)
    command = "`facewright generate tiny.safetensors --out faces.png --grid`"
    assert f"{command}, in the folder of that file, draws some." in plain
    assert "`facewright generate tiny --out faces.png --grid` draws some." in bundled
    assert "tiny.safetensors" not in bundled
    assert plain.split("## What it is for")[1] == bundled.split("## What it is for")[1]


def test_a_forced_export_is_said_first():
    assert "against the advice" not in markdown(CARD)
    lines = markdown(replace(CARD, forced=True)).splitlines()
    assert "against the advice" in lines[2]


def test_guesses_stand_beside_what_the_same_judge_says_of_photos():
    page = markdown(CARD)
    assert row(page, "gender | male").split("|")[3:7] == [
        " 40.0% ",
        " 35.0% ",
        " 10.0% ",
        " 95.0% (60.0%) ",
    ]


def test_guesses_no_better_than_the_commonest_value_are_left_out():
    page = markdown(CARD)
    assert row(page, "Blurry").split("|")[2:7] == [
        " yes ",
        " 25.0% ",
        "  ",
        "  ",
        " 75.0% (75.0%) ",
    ]
    assert "87.5%" not in page


def test_without_labels_the_balance_is_called_unknown():
    assert "Not known: the photos have no labels" in markdown(replace(CARD, attributes=()))
    bare = tuple(replace(one, guesses=None) for one in CARD.attributes)
    page = markdown(replace(CARD, attributes=bare))
    assert "nothing was measured" in page
    assert row(page, "gender | male") == "| gender | male | 40.0% |"


def test_a_bar_in_a_name_ends_no_cell():
    page = markdown(replace(CARD, photos=replace(CARD.photos, source="folder (a|b)")))
    assert row(page, "source") == "| source | folder (a\\|b) |"

"""What somebody types becomes arguments, or is refused with what was probably meant."""

import inspect
import json
import shlex
from pathlib import Path

import pytest

import facewright
from facewright.cli.declared import declared
from facewright.cli.main import action, main
from facewright.cli.parser import parsed
from facewright.errors import FacewrightError

TRAIN = ("--recipe", "fast-28", "--data", "store", "--out", "run")


def refusal(command: str, *words: str) -> FacewrightError:
    with pytest.raises(FacewrightError) as caught:
        parsed(declared(command), words)
    return caught.value


@pytest.mark.parametrize("name", facewright.COMMANDS)
def test_what_is_declared_is_what_the_action_takes(name):
    """The signature is read from the file, and must be that of the function."""
    there, here = inspect.signature(action(name)), inspect.signature(declared(name))
    assert there.parameters.keys() == here.parameters.keys()
    for one, other in zip(there.parameters.values(), here.parameters.values(), strict=True):
        assert (one.kind, one.default) == (other.kind, other.default)
    assert inspect.getdoc(action(name)) == inspect.getdoc(declared(name))


@pytest.mark.parametrize("name", facewright.COMMANDS)
def test_every_help_has_examples_that_are_understood(name):
    about, _, rest = (inspect.getdoc(declared(name)) or "").partition("Examples:\n")
    examples = [line.strip() for line in rest.partition("\n\n")[0].splitlines()]
    assert "Args:" not in about
    assert 2 <= len(examples) <= 3
    for example in examples:
        program, command, *words = shlex.split(example)
        assert (program, command) == ("facewright", name)
        parsed(declared(name), [word for word in words if word != "--json"])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--dta", "--data"),
        ("--imges", "--images"),
        ("--epochs", "--images"),
        ("--batch-size", "--set train.batch=N"),
        ("--init_form", "--init-from"),
    ],
)
def test_an_option_that_there_is_not_is_answered_with_the_one_that_was_meant(word, meant):
    said = refusal("train", *TRAIN, word, "3")
    assert said.what == f"facewright train: there is no option {word}"
    assert said.expected == f"did you mean '{meant}'?"
    assert said.fix == "facewright train --help"


def test_where_nothing_is_like_it_all_options_are_named():
    assert "--val-fraction" in refusal("prepare", "x", "--quality", "3").expected


@pytest.mark.parametrize(
    ("word", "number"), [("3000", 3000), ("3k", 3000), ("0.5M", 500_000), ("1_000", 1000)]
)
def test_counts_may_be_short(word, number):
    assert parsed(declared("train"), [*TRAIN, "--images", word]).keywords["images"] == number
    assert parsed(declared("train"), [*TRAIN, f"--images={word}"]).keywords["images"] == number


@pytest.mark.parametrize("word", ["many", "3.5", "1,000", "3 k", "k", "nan", "1e400", ""])
def test_what_is_no_whole_number_is_refused_in_plain_words(word):
    said = refusal("train", *TRAIN, "--images", word)
    assert said.what == f"--images {word}"
    assert said.expected == "a whole number: 3000, 3k or 0.5M"


def test_a_choice_that_there_is_not_is_answered_with_all():
    said = refusal("train", *TRAIN, "--device", "gpu")
    assert said.what == "--device gpu"
    assert said.expected == "one of auto, cpu, cuda, mps"


def test_underscores_and_negations_are_options_too():
    call = parsed(declared("prepare"), ["x", "--out", "y", "--size", "28", "--val_fraction", "0.2"])
    assert call.keywords["val_fraction"] == 0.2
    call = parsed(declared("generate"), ["m", "--out", "y", "--no-grid", "--label", "a=1"])
    assert call.keywords["grid"] is False
    assert call.keywords["label"] == ("a=1",)
    assert call.keywords["model"] == Path("m")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["train", "--recipe", "x", "--out", "y"], "--data"),
        (["train", *TRAIN, "--dta", "x"], "--dta"),
        (["train", *TRAIN, "--images", "many"], "--images"),
        (["train", *TRAIN, "--device", "gpu"], "--device"),
        (["train", "--out"], "--out"),
        (["runs", "a", "surplus"], "surplus"),
        (["plan", "--data", "x", "--hours", "soon"], "--hours"),
    ],
)
def test_a_script_is_told_which_option_is_wrong(words, named, capsys):
    assert main([*words, "--json"]) == 2
    assert named in json.loads(capsys.readouterr().out)["error"]["what"]

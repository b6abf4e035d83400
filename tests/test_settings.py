"""Every setting is known, typed and in range, or it is refused with the nearest name."""

import math
import tomllib
import typing
from dataclasses import dataclass
from typing import Annotated

import pytest

from facewright import settings
from facewright.config import Config, ModelName
from facewright.errors import ConfigError
from facewright.networks.build import DISCRIMINATORS, GENERATORS
from facewright.objective.adversarial import GAMES
from facewright.schema import Bound


def test_what_is_written_is_read_back(tmp_path):
    config = settings.override(Config(), ["train.batch=7", "loss.r1=0.5", "model.name=mlp"])
    (tmp_path / "config.toml").write_text(settings.to_toml(config))
    assert settings.read(tmp_path / "config.toml") == config


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("train.bach=3", "'batch'"),
        ("trian.batch=3", "'train'"),
        ("loss.game=relativstic", "'relativistic'"),
        ("model.activation=leaky_relu", "'leaky-relu'"),
        ("augment.signal=held_out", "'held-out'"),
        ("augment.maximum=1.1", "at most 1"),
        ("augment.images=0", "at least 1"),
        ("train.batch=many", "of type int"),
        ("train.batch=1.5", "of type int"),
        ("train.batch=true", "of type int"),
        ("data.flip=1", "of type bool"),
        ("optimiser.lr_g='fast'", "of type float"),
        ("optimiser.lr_g=nan", "finite"),
        ("optimiser.lr_g=-1", "at least 0"),
        ("optimiser.beta1=1.0", "below 1"),
        ("train.batch=1", "at least 2"),
        ("loss.slope=exakt", "'exact'"),
        ("loss.penalty_every=0", "at least 1"),
        ("loss.r1=-1", "at least 0"),
        ("loss.clip=-0.1", "at least 0"),
        ("schedule.beta2_to=1", "below 1"),
        ("schedule.augment_from=2", "at most 1"),
        ("train", "section.key=value"),
        ("batch=3", "section.key=value"),
    ],
)
def test_a_mistake_is_refused_with_what_was_meant(setting, hint):
    with pytest.raises(ConfigError) as refusal:
        settings.override(Config(), [setting])
    assert hint in str(refusal.value)


@dataclass(frozen=True)
class Lists:
    """A section with lists, whatever the real ones hold by now."""

    widths: tuple[Annotated[int, Bound(1)], ...] = ()
    shares: tuple[float, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tables:
    """A configuration of that section alone."""

    lists: Lists


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch):
    """Read the section [lists] alone: lists(widths=[1, 2])."""
    monkeypatch.setitem(settings._SECTIONS, "lists", Lists)
    return lambda **values: settings._section("lists", values, "test")


def test_a_list_becomes_a_tuple_of_typed_values(lists):
    assert lists(widths=[8, 4], words=["a"]) == Lists(widths=(8, 4), words=("a",))
    assert lists(shares=[1, 0.5]).shares == (1.0, 0.5)
    assert lists(widths=[]) == Lists()


def test_a_list_is_written_as_it_is_read(lists):
    section = Lists(widths=(8, 4), shares=(0.25,), words=('a "b"', "é😀"))
    text = settings.to_toml(typing.cast(Config, Tables(section)))
    assert lists(**tomllib.loads(text)["lists"]) == section


@pytest.mark.parametrize("text", ["one,two", "[one, two]", "['one', two]", '["one", "two"]'])
def test_names_are_taken_as_a_shell_leaves_them(text):
    assert settings.override(Config(), [f"data.labels={text}"]).data.labels == ("one", "two")


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"widths": 8}, "a list, such as [1, 2]"),
        ({"widths": [8, 1.5]}, "of type int"),
        ({"widths": [8, True]}, "of type int"),
        ({"widths": [8, 0]}, "at least 1"),
        ({"words": ["a", 1]}, "of type str"),
        ({"shares": [math.inf]}, "finite"),
    ],
)
def test_each_value_of_a_list_must_be_what_a_single_one_would_have_to_be(lists, values, hint):
    with pytest.raises(ConfigError) as refusal:
        lists(**values)
    assert hint in str(refusal.value)


def test_an_integer_may_stand_for_a_float():
    assert settings.override(Config(), ["loss.r1=2"]).loss.r1 == 2.0


def test_a_section_that_is_no_table_is_refused():
    with pytest.raises(ConfigError, match="no section"):
        settings.from_tables({"train": 3}, origin="x")


def test_broken_toml_is_named(tmp_path):
    (tmp_path / "r.toml").write_text("[train\n")
    with pytest.raises(ConfigError, match=r"r\.toml is no TOML"):
        settings.read(tmp_path / "r.toml")


def test_differences_name_each_changed_setting():
    after = settings.override(Config(), ["train.seed=3", "data.flip=false"])
    assert settings.differences(Config(), after) == [
        "data.flip: True -> False",
        "train.seed: 0 -> 3",
    ]


def test_the_names_in_settings_are_those_that_exist():
    assert settings.names_of("loss.game", str) == tuple(GAMES)
    assert set(typing.get_args(ModelName)) == set(GENERATORS) == set(DISCRIMINATORS)

"""Every setting is known, typed and in range, or it is refused with the nearest name."""

import typing

import pytest

from facewright import config as settings
from facewright.config import Config, ConfigError, GameName, ModelName
from facewright.losses.adversarial import GAMES
from facewright.models.build import DISCRIMINATORS, GENERATORS


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
        ("train.batch=many", "of type int"),
        ("train.batch=1.5", "of type int"),
        ("train.batch=true", "of type int"),
        ("data.flip=1", "of type bool"),
        ("optimiser.lr_g='fast'", "of type float"),
        ("optimiser.lr_g=nan", "finite"),
        ("optimiser.lr_g=-1", "at least 0"),
        ("optimiser.beta1=1.0", "below 1"),
        ("train.batch=1", "at least 2"),
        ("train", "section.key=value"),
        ("batch=3", "section.key=value"),
    ],
)
def test_a_mistake_is_refused_with_what_was_meant(setting, hint):
    with pytest.raises(ConfigError) as refusal:
        settings.override(Config(), [setting])
    assert hint in str(refusal.value)


def test_an_integer_may_stand_for_a_float():
    assert settings.override(Config(), ["loss.r1=2"]).loss.r1 == 2.0


def test_a_section_that_is_no_table_is_refused():
    with pytest.raises(ConfigError, match="no section"):
        settings.from_tables({"train": 3}, origin="x")


def test_broken_toml_is_named(tmp_path):
    (tmp_path / "r.toml").write_text("[train\n")
    with pytest.raises(ConfigError, match=r"r\.toml is not TOML"):
        settings.read(tmp_path / "r.toml")


def test_differences_name_each_changed_setting():
    after = settings.override(Config(), ["train.seed=3", "data.flip=false"])
    assert settings.differences(Config(), after) == [
        "data.flip: True -> False",
        "train.seed: 0 -> 3",
    ]


def test_the_names_in_settings_are_those_that_exist():
    assert set(typing.get_args(GameName)) == set(GAMES)
    assert set(typing.get_args(ModelName)) == set(GENERATORS) == set(DISCRIMINATORS)

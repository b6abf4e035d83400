"""Settings from a recipe or the command line, checked; and a configuration as TOML again.

A recipe is a TOML file with a subset of the settings of `config.py`; `--set
section.key=value` overrides single ones. Nothing that is not named there is accepted.
"""

import dataclasses
import json
import math
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from facewright.config import Config
from facewright.errors import ConfigError, nearest

_AT_LEAST = {
    "model.z_dim": 1,
    "model.width": 1,
    "model.full_width": 0,
    "model.minibatch_kernels": 0,
    "model.widths": 1,
    "model.blocks": 1,
    "model.group_width": 1,
    "model.patch": 1,
    "loss.penalty_every": 1,
    "augment.probability": 0,
    "augment.target": 0,
    "augment.images": 1,
    "augment.maximum": 0,
    "optimiser.lr_g": 0,
    "optimiser.lr_d": 0,
    "optimiser.beta1": 0,
    "optimiser.beta2": 0,
    "train.images": 1,
    "train.batch": 2,  # batch statistics of one image are not defined
    "train.micro_batch": 0,
    "train.d_steps": 1,
    "train.g_steps": 1,
    "train.ema_images": 0,
    "schedule.images": 0,
    "schedule.after": 0,
    "schedule.lr_to": 0,
    "schedule.penalty_to": 0,
    "schedule.beta2_to": 0,
    "schedule.ema_from": 0,
    "schedule.augment_from": 0,
    "record.checkpoint_images": 1,
    "record.sample_images": 1,
    "record.keep_last": 1,
    "record.score_samples": 0,
    "record.final_samples": 0,
    "record.snapshot_images": 0,
    "record.equilibrium_images": 0,
}
"""The smallest value that makes sense; weights and lengths of `loss` may not be negative either."""

_BELOW = {
    "model.dropout": 1,
    "optimiser.beta1": 1,
    "optimiser.beta2": 1,
    "schedule.beta2_to": 1,
}
"""Values must stay below these."""

_AT_MOST = {
    "augment.probability": 1,
    "augment.target": 1,
    "augment.maximum": 1,
    "schedule.augment_from": 1,
}
"""The greatest value that makes sense."""

_SECTIONS = {f.name: typing.cast(type, f.default_factory) for f in dataclasses.fields(Config)}


def from_tables(tables: Mapping[str, Any], *, origin: str) -> Config:
    """A configuration from TOML tables.

    Args:
        tables: section -> key -> value.
        origin: where they come from, for the message.

    Raises:
        ConfigError: an unknown section or key, or a value of the wrong type; the
            message names the nearest valid one.
    """
    sections = {}
    for section, values in tables.items():
        if section not in _SECTIONS:
            raise ConfigError(
                f"unknown section [{section}] in {origin}", expected=nearest(section, _SECTIONS)
            )
        if not isinstance(values, Mapping):
            raise ConfigError(f"'{section}' in {origin} is no section", expected=f"[{section}]")
        sections[section] = _section(section, values, origin)
    return Config(**sections)


def read(path: Path) -> Config:
    """A configuration from a TOML file."""
    try:
        return from_tables(tomllib.loads(path.read_text(encoding="utf-8")), origin=str(path))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", expected="a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", expected="key = value lines") from None


def override(config: Config, settings: Iterable[str], *, origin: str = "--set") -> Config:
    """A configuration with single values replaced.

    Args:
        config: what to start from.
        settings: "section.key=value"; the value in TOML, or bare text for a name.
        origin: where they come from, for the message.
    """
    tables = dataclasses.asdict(config)
    for setting in settings:
        path, equals, text = setting.partition("=")
        section, dot, key = path.strip().partition(".")
        if not (equals and dot):
            raise ConfigError(
                f"--set {setting}", expected="section.key=value", fix="--set train.batch=128"
            )
        tables.setdefault(section, {})[key] = _parse(text.strip())
    return from_tables(tables, origin=origin)


def to_toml(config: Config) -> str:
    """The whole configuration as TOML; `read` gives the same configuration back."""
    blocks = []
    for section, values in dataclasses.asdict(config).items():
        # JSON and TOML write these values alike, but for infinity, which no setting takes.
        # (JSON would write a letter outside the basic plane as two halves, which TOML refuses.)
        lines = [
            f"{key} = {json.dumps(value, allow_nan=False, ensure_ascii=False)}"
            for key, value in values.items()
        ]
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def differences(before: Config, after: Config) -> list[str]:
    """Which settings differ, as "section.key: before -> after"?"""
    old, new = dataclasses.asdict(before), dataclasses.asdict(after)
    return [
        f"{section}.{key}: {old[section][key]} -> {new[section][key]}"
        for section in old
        for key in old[section]
        if old[section][key] != new[section][key]
    ]


def names_of(setting: str, hint: Any) -> tuple[str, ...]:
    """The names that a setting may have; none for a setting that is not a name.

    Args:
        setting: "section.key".
        hint: its declared type.
    """
    if setting == "loss.game":
        # Here and not above: it loads torch, and most commands that read settings need none.
        from facewright.objective.adversarial import GAMES

        return tuple(GAMES)
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _section(section: str, values: Mapping[str, Any], origin: str) -> Any:
    kind = _SECTIONS[section]
    hints = typing.get_type_hints(kind)
    checked = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(
                f"unknown setting {section}.{key} in {origin}", expected=nearest(key, hints)
            )
        checked[key] = _typed(f"{section}.{key}", value, hints[key], origin)
    return kind(**checked)


def _typed(name: str, value: Any, hint: Any, origin: str) -> Any:
    """The value as its declared type: an int becomes a float, a list a tuple, where one is meant.

    Every member of a tuple has to be what a single value would have to be.
    """

    def refused(expected: str) -> ConfigError:
        return ConfigError(f"{name} = {value!r} in {origin}", expected=expected)

    if typing.get_origin(hint) is tuple:
        member, _ = typing.get_args(hint)
        if member is str and isinstance(value, str):  # as a shell leaves it, without its quotes
            value = [name.strip(" \"'") for name in value.strip("[]").split(",")]
        if not isinstance(value, list | tuple):
            raise refused('a list in brackets, such as [1, 2] or ["one", "two"]')
        return tuple(_typed(name, one, member, origin) for one in value)
    options = names_of(name, hint)
    if options:
        if value not in options:
            raise refused(nearest(str(value), options))
        return value
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise refused(f"a value of type {hint.__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise refused("a finite number")
    least = _AT_LEAST.get(name, 0 if name.startswith("loss.") else None)
    if least is not None and value < least:
        raise refused(f"at least {least}")
    if name in _BELOW and value >= _BELOW[name]:
        raise refused(f"below {_BELOW[name]}")
    if name in _AT_MOST and value > _AT_MOST[name]:
        raise refused(f"at most {_AT_MOST[name]}")
    return value

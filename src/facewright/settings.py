"""Settings from a recipe or the command line, checked; and a configuration as TOML again.

A recipe is a TOML file with a subset of the settings of `config.py`; `--set
section.key=value` overrides single ones. Nothing that is not named there is accepted. Types and
bounds stand beside the fields there, and `schema.py` checks them.
"""

import dataclasses
import json
import tomllib
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from facewright import outside
from facewright.config import Config
from facewright.errors import ConfigError, nearest
from facewright.schema import Wording, parsed

FIX = "correct it there; docs/recipes.md has every setting"

_SECTIONS = {f.name: typing.cast(type, f.default_factory) for f in dataclasses.fields(Config)}


def from_tables(tables: Mapping[str, Any], *, origin: str, knows_game: bool = True) -> Config:
    """A configuration from TOML tables.

    Args:
        tables: section -> key -> value.
        origin: where they come from, for the message.
        knows_game: whether the game must be one that there is; knowing them takes torch.

    Raises:
        ConfigError: an unknown section or key, or a value of the wrong type; the
            message names the nearest valid one.
    """
    sections = {}
    for section, values in tables.items():
        if section not in _SECTIONS:
            raise ConfigError(
                f"unknown section [{section}] in {origin}",
                expected=nearest(section, _SECTIONS),
                fix=FIX,
            )
        if not isinstance(values, Mapping):
            raise ConfigError(
                f"'{section}' in {origin} is no section", expected=f"[{section}]", fix=FIX
            )
        sections[section] = _section(section, values, origin, knows_game)
    return Config(**sections)


def read(path: Path, *, knows_game: bool = True) -> Config:
    """A configuration from a TOML file; the other arguments as of `from_tables`."""
    try:
        tables = outside.toml_of(path, Wording(ConfigError, fix=FIX))
        return from_tables(tables, origin=str(path), knows_game=knows_game)
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist",
            expected="a TOML file",
            fix="a recipe by its name, or facewright plan DATA",
        ) from None


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


def assignment(setting: str, value: Any) -> str:
    """As `--set` takes it.

    Args:
        setting: as "section.key".
        value: of the setting.
    """
    return f"{setting}={json.dumps(value, allow_nan=False, ensure_ascii=False)}"


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


def _section(section: str, values: Mapping[str, Any], origin: str, knows_game: bool = True) -> Any:
    kind = _SECTIONS[section]
    hints = _hints(kind)
    values = {
        key: _names(value) if hints.get(key) == tuple[str, ...] else value
        for key, value in values.items()
    }
    found = parsed(kind, values, section, Wording(ConfigError, FIX, "setting", origin))
    for key, value in values.items():
        setting = f"{section}.{key}"
        options = names_of(setting, hints[key]) if knows_game or setting != "loss.game" else ()
        if options and value not in options:
            what = f"{setting} = {value!r} in {origin}"
            raise ConfigError(what, expected=nearest(value, options), fix=FIX)
    return found


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _names(value: Any) -> Any:
    """A list of names as it was meant, where a shell has taken its quotes away."""
    if not isinstance(value, str):
        return value
    return [name.strip(" \"'") for name in value.strip("[]").split(",")]

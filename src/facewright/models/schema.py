"""JSON that anybody may have written, as dataclasses whose types say what is allowed."""

import dataclasses
import typing
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, TypeVar

from facewright.errors import BundleError, nearest

Kind = TypeVar("Kind")


def parsed(kind: type[Kind], value: Any, place: str) -> Kind:
    """The value as a dataclass, every field of it checked.

    Args:
        kind: fields may be text, numbers, truth values, None, tuples, mappings from text, and
            dataclasses of these.
        value: as JSON gives it.
        place: where it stands, for the message.

    Raises:
        BundleError: an unknown or a missing field, or a value of another type.
    """
    return _value(kind, value, place)


def _value(hint: Any, value: Any, place: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is UnionType:
        if value is None and NoneType in inner:
            return None
        (hint,) = (one for one in inner if one is not NoneType)
        return _value(hint, value, place)
    if dataclasses.is_dataclass(hint):
        return _fields(hint, _checked(value, Mapping, place), place)
    if origin is tuple:
        return _tuple(inner, _checked(value, list, place), place)
    if origin is dict:
        items = _checked(value, Mapping, place).items()
        return {key: _value(inner[1], one, f"{place}.{key}") for key, one in items}
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise _refused(place, value, hint.__name__)
    return value


def _fields(kind: Any, value: Mapping[str, Any], place: str) -> Any:
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            raise BundleError(f"unknown field {place}.{key}", expected=nearest(key, hints))
    absent = [f.name for f in dataclasses.fields(kind) if f.name not in value and not _spare(f)]
    if absent:
        raise BundleError(f"{place} lacks {', '.join(absent)}", expected="all fields")
    return kind(**{key: _value(hints[key], one, f"{place}.{key}") for key, one in value.items()})


def _spare(field: dataclasses.Field[Any]) -> bool:
    """May it be missing, because files of earlier versions do not have it?"""
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _tuple(inner: tuple[Any, ...], value: list[Any], place: str) -> tuple[Any, ...]:
    hints = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
    if len(hints) != len(value):
        raise _refused(place, value, f"{len(hints)} values")
    return tuple(
        _value(hint, one, f"{place}[{i}]")
        for i, (hint, one) in enumerate(zip(hints, value, strict=True))
    )


def _checked(value: Any, kind: type[Kind], place: str) -> Kind:
    if not isinstance(value, kind):
        raise _refused(place, value, {Mapping: "an object", list: "a list"}[kind])
    return value


def _refused(place: str, value: Any, expected: str) -> BundleError:
    return BundleError(f"{place} = {str(value)[:60]!r}", expected=expected)

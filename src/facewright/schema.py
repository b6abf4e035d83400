"""Settings, and files that anyone may have written, as types that say what is allowed.

A dataclass knows all its fields; a `TypedDict` lets others stand beside those that it names, as in
files that later versions extend. The one place where such data is checked; why not by pydantic:
docs/decisions/0016-validation.md.
"""

import dataclasses
import math
import reprlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, TypeVar

from facewright.errors import BundleError, FacewrightError, nearest

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Bound:
    """Which numbers a field may hold; stands beside its type, as `Annotated[int, Bound(1)]`.

    Args:
        at_least: the smallest one.
        at_most: the greatest one.
        below: all must be smaller than this.
        finite: whether infinity and NaN are refused.
    """

    at_least: float = -math.inf
    at_most: float = math.inf
    below: float = math.inf
    finite: bool = True

    def demand(self, value: float) -> str:
        """What the value violates, in words; empty if nothing."""
        if value < self.at_least:
            return f"at least {self.at_least}"
        if value > self.at_most:
            return f"at most {self.at_most}"
        return f"below {self.below}" if self.below <= value < math.inf else ""


Number = Annotated[float, Bound(finite=False)]
"""Any number, infinity and NaN among them."""
WholeNumber = Annotated[int, Bound(0, at_most=2**53)]
"""A count; every reader of JSON takes numbers up to here for what they are."""


@dataclass(frozen=True)
class Wording:
    """How a refusal is worded.

    Args:
        error: what is raised.
        fix: what mends such data.
        noun: what a field is called.
        origin: where the data comes from, such as a file; empty if the place says it.
    """

    error: type[FacewrightError]
    fix: str
    noun: str = "field"
    origin: str = ""

    def refusal(self, what: str, expected: str) -> FacewrightError:
        """The error to raise."""
        found = f"{what} in {self.origin}" if self.origin else what
        return self.error(found, expected=expected, fix=self.fix)


BUNDLE = Wording(BundleError, fix="get the file again, or another model")

LONGEST_SHOWN = 60
"""Letters of a stranger's value or name that a message shows."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 4 * LONGEST_SHOWN


def parsed(kind: type[Kind], value: Any, place: str, wording: Wording = BUNDLE) -> Kind:
    """The value as a dataclass or `TypedDict`, every field of it checked.

    An int becomes a float and a list a tuple where the type says so; nothing else is converted.

    Args:
        kind: fields may be text, truth values, finite numbers (with a `Bound`), names
            (`Literal`), None, tuples, lists, mappings from text, and dataclasses and typed
            mappings of these.
        value: as JSON or TOML gives it.
        place: where it stands, for the message.
        wording: of the message.

    Raises:
        FacewrightError: of the kind that `wording` names: an unknown or a missing field, or a
            value of another type or out of bounds. Unknown names come with the nearest known one.
    """
    return _value(kind, value, place, wording)


def _value(hint: Any, value: Any, place: str, wording: Wording) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is NotRequired:
        return _value(inner[0], value, place, wording)
    if origin is Annotated:
        return _bounded(inner, value, place, wording)
    if origin in (UnionType, typing.Union):
        if value is None and NoneType in inner:
            return None
        (hint,) = (one for one in inner if one is not NoneType)
        return _value(hint, value, place, wording)
    if origin is Literal:
        # `in` alone would take True for 1.
        if not any(value == one and type(value) is type(one) for one in inner):
            raise _refused(place, value, nearest(str(value), map(str, inner)), wording)
        return value
    if typing.is_typeddict(hint):
        return _open(hint, _checked(value, Mapping, "an object", place, wording), place, wording)
    if dataclasses.is_dataclass(hint):
        return _fields(hint, _checked(value, Mapping, "an object", place, wording), place, wording)
    if origin is tuple:
        listed = _checked(value, list | tuple, 'a list, such as [1, 2] or ["a"]', place, wording)
        return _tuple(inner, listed, place, wording)
    if origin is list:
        listed = _checked(value, list, "a list", place, wording)
        return [_value(inner[0], one, f"{place}[{i}]", wording) for i, one in enumerate(listed)]
    if origin is dict:
        items = _checked(value, Mapping, "an object", place, wording).items()
        return {key: _value(inner[1], one, _below(place, key), wording) for key, one in items}
    return _scalar(hint, value, place, wording)


def _scalar(hint: Any, value: Any, place: str, wording: Wording, *, finite: bool = True) -> Any:
    if hint is float and type(value) is int:
        value = float(value)
    # Not isinstance: True is an int to Python, and never one in a file.
    if type(value) is not hint:
        raise _refused(place, value, f"a value of type {hint.__name__}", wording)
    if hint is float and finite and not math.isfinite(value):
        raise _refused(place, value, "a finite number", wording)
    return value


def _bounded(inner: tuple[Any, ...], value: Any, place: str, wording: Wording) -> Any:
    hint, *bounds = inner
    number = _scalar(hint, value, place, wording, finite=all(bound.finite for bound in bounds))
    for bound in bounds:
        if demand := bound.demand(number):
            raise _refused(place, value, demand, wording)
    return number


def _fields(kind: Any, value: Mapping[str, Any], place: str, wording: Wording) -> Any:
    hints = _hints(kind)
    for key in value:
        if key not in hints:
            what = f"unknown {wording.noun} {_below(place, key)}"
            raise wording.refusal(what, nearest(key[:LONGEST_SHOWN], hints))
    needed = [field.name for field in dataclasses.fields(kind) if not _spare(field)]
    _refuse_absent(needed, value, place, wording)
    return kind(
        **{key: _value(hints[key], one, _below(place, key), wording) for key, one in value.items()}
    )


def _open(kind: Any, value: Mapping[str, Any], place: str, wording: Wording) -> dict[str, Any]:
    """What the type names is checked; the rest stays as it is."""
    _refuse_absent(sorted(kind.__required_keys__), value, place, wording)
    hints = _hints(kind)
    known = {
        key: _value(hint, value[key], _below(place, key), wording)
        for key, hint in hints.items()
        if key in value
    }
    return {**value, **known}


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _refuse_absent(
    needed: list[str], value: Mapping[str, Any], place: str, wording: Wording
) -> None:
    if absent := [name for name in needed if name not in value]:
        raise wording.refusal(f"{place} lacks {', '.join(absent)}", "all fields")


def _below(place: str, key: str) -> str:
    return f"{place}.{key[:LONGEST_SHOWN]}"


def _spare(field: dataclasses.Field[Any]) -> bool:
    """May it be missing, because files of earlier versions do not have it?"""
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _tuple(
    inner: tuple[Any, ...], value: list[Any], place: str, wording: Wording
) -> tuple[Any, ...]:
    hints = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
    if len(hints) != len(value):
        raise _refused(place, value, f"{len(hints)} values", wording)
    return tuple(
        _value(hint, one, f"{place}[{i}]", wording)
        for i, (hint, one) in enumerate(zip(hints, value, strict=True))
    )


def _checked(value: Any, kind: Any, expected: str, place: str, wording: Wording) -> Any:
    if not isinstance(value, kind):
        raise _refused(place, value, expected, wording)
    return value


def _refused(place: str, value: Any, expected: str, wording: Wording) -> FacewrightError:
    # Cut short, because what a stranger's file holds may be as long, and as deep, as it likes.
    return wording.refusal(f"{place} = {_SHORT.repr(value)[:LONGEST_SHOWN]}", expected)

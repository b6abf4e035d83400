"""Settings, and files that anyone may have written, as dataclasses whose types say what is allowed.

The one place where such data is checked; why not by pydantic: docs/decisions/0016-validation.md.
"""

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar

from facewright.errors import BundleError, FacewrightError, nearest

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Bound:
    """Which numbers a field may hold; stands beside its type, as `Annotated[int, Bound(1)]`.

    Args:
        at_least: the smallest one.
        at_most: the greatest one.
        below: all must be smaller than this.
    """

    at_least: float = -math.inf
    at_most: float = math.inf
    below: float = math.inf

    def demand(self, value: float) -> str:
        """What the value violates, in words; empty if nothing."""
        if value < self.at_least:
            return f"at least {self.at_least}"
        if value > self.at_most:
            return f"at most {self.at_most}"
        return "" if value < self.below else f"below {self.below}"


@dataclass(frozen=True)
class Wording:
    """How a refusal is worded.

    Args:
        error: what is raised.
        noun: what a field is called.
        origin: where the data comes from, such as a file; empty if the place says it.
        fix: what mends such data; empty if its author has to.
    """

    error: type[FacewrightError] = BundleError
    noun: str = "field"
    origin: str = ""
    fix: str = ""

    def refusal(self, what: str, expected: str) -> FacewrightError:
        """The error to raise."""
        found = f"{what} in {self.origin}" if self.origin else what
        return self.error(found, expected=expected, fix=self.fix)


BUNDLE = Wording()


def parsed(kind: type[Kind], value: Any, place: str, wording: Wording = BUNDLE) -> Kind:
    """The value as a dataclass, every field of it checked.

    An int becomes a float and a list a tuple where the type says so; nothing else is converted.

    Args:
        kind: fields may be text, truth values, finite numbers (with a `Bound`), names
            (`Literal`), None, tuples, mappings from text, and dataclasses of these.
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
    if origin is Annotated:
        return _bounded(inner, value, place, wording)
    if origin is UnionType:
        if value is None and NoneType in inner:
            return None
        (hint,) = (one for one in inner if one is not NoneType)
        return _value(hint, value, place, wording)
    if origin is Literal:
        # `in` alone would take True for 1.
        if not any(value == one and type(value) is type(one) for one in inner):
            raise _refused(place, value, nearest(str(value), map(str, inner)), wording)
        return value
    if dataclasses.is_dataclass(hint):
        return _fields(hint, _checked(value, Mapping, "an object", place, wording), place, wording)
    if origin is tuple:
        listed = _checked(value, list | tuple, 'a list, such as [1, 2] or ["a"]', place, wording)
        return _tuple(inner, listed, place, wording)
    if origin is dict:
        items = _checked(value, Mapping, "an object", place, wording).items()
        return {key: _value(inner[1], one, f"{place}.{key}", wording) for key, one in items}
    return _scalar(hint, value, place, wording)


def _scalar(hint: Any, value: Any, place: str, wording: Wording) -> Any:
    if hint is float and type(value) is int:
        value = float(value)
    # Not isinstance: True is an int to Python, and never one in a file.
    if type(value) is not hint:
        raise _refused(place, value, f"a value of type {hint.__name__}", wording)
    if hint is float and not math.isfinite(value):
        raise _refused(place, value, "a finite number", wording)
    return value


def _bounded(inner: tuple[Any, ...], value: Any, place: str, wording: Wording) -> Any:
    hint, *bounds = inner
    number = _value(hint, value, place, wording)
    for bound in bounds:
        if demand := bound.demand(number):
            raise _refused(place, value, demand, wording)
    return number


def _fields(kind: Any, value: Mapping[str, Any], place: str, wording: Wording) -> Any:
    hints = typing.get_type_hints(kind, include_extras=True)
    for key in value:
        if key not in hints:
            raise wording.refusal(f"unknown {wording.noun} {place}.{key}", nearest(key, hints))
    absent = [f.name for f in dataclasses.fields(kind) if f.name not in value and not _spare(f)]
    if absent:
        raise wording.refusal(f"{place} lacks {', '.join(absent)}", "all fields")
    return kind(
        **{key: _value(hints[key], one, f"{place}.{key}", wording) for key, one in value.items()}
    )


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
    # Cut short, because what a stranger's file holds may be as long as it likes.
    return wording.refusal(f"{place} = {repr(value)[:60]}", expected)

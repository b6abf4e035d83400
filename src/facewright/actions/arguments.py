"""What the command line checks before a command runs, checked for callers from Python too."""

import functools
import inspect
import os
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from facewright.errors import FacewrightError, nearest

Result = typing.TypeVar("Result")


def checked(function: Callable[..., Result]) -> Callable[..., Result]:
    """The same command, for callers from Python.

    A path may be text, and every argument must be of its declared kind: what the command
    line would refuse is refused here.

    Raises (the returned function):
        FacewrightError: an argument of another type, or a name that is no choice.
    """
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Result:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _as_declared(name, value, hints[name])
        return function(*bound.args, **bound.kwargs)

    return call


def assignments(given: Iterable[str | Iterable[str]]) -> list[str]:
    """One "name=value" for each assignment, however the caller has grouped them."""
    if isinstance(given, Mapping):
        return [f"{name}={value}" for name, value in given.items()]
    groups = [given] if isinstance(given, str) else given
    return [word for group in groups for word in ([group] if isinstance(group, str) else group)]


def _as_declared(name: str, value: Any, hint: Any) -> Any:
    kinds = typing.get_args(hint) if _is_union(hint) else (hint,)
    if Path in kinds and isinstance(value, str | os.PathLike):
        return Path(value)
    if str in kinds and isinstance(value, os.PathLike):
        return os.fspath(value)
    for kind in kinds:
        if typing.get_origin(kind) is Literal:
            if value not in typing.get_args(kind):
                raise FacewrightError(
                    f"{name} = {value!r}",
                    expected=nearest(str(value), typing.get_args(kind)),
                    fix=f"{name}={typing.get_args(kind)[0]!r}",
                )
            return value
        if not isinstance(kind, type) or isinstance(kind, types.GenericAlias):
            return value  # a collection: the command looks into it itself
    fitting = (*kinds, int) if float in kinds else kinds
    if not isinstance(value, fitting) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join("None" if k is types.NoneType else k.__name__ for k in kinds)
        raise FacewrightError(f"{name} = {value!r}", expected=names, fix=f"{name} of that type")
    return value


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)

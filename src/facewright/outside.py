"""Files that anyone may have written: read without waiting, within bounds, then decoded."""

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO

from facewright.schema import LONGEST_SHOWN, Wording

LARGEST = 1 << 28
"""Bytes of a text that is read whole."""
DEEPEST = 64
"""Objects and lists inside one another; ours have six."""


def opened(path: Path, wording: Wording) -> BinaryIO:
    """A regular file, to be read: a pipe or a device could wait, or go on, for ever.

    Raises:
        FileNotFoundError: it is not there.
        FacewrightError: of the kind that `wording` names: it is something else, or not to be read.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(*error.args) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        raise wording.refusal(f"{path} cannot be read: {reason}", "a file") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise wording.refusal(f"{path} is no regular file", "a file on a disk")
    return file


def text_of(path: Path, wording: Wording, *, encoding: str = "utf-8") -> str:
    """A whole text.

    Raises:
        FileNotFoundError: it is not there.
        FacewrightError: as for `opened`, or it is too large, or of another encoding.
    """
    with opened(path, wording) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        expected = f"at most {LARGEST >> 20} MiB of text"
        raise wording.refusal(f"{path} is larger than {LARGEST >> 20} MiB", expected)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        found = f"{path} is no text: byte {error.start:,} cannot be read"
        raise wording.refusal(found, "text in UTF-8") from None


def json_of(path: Path, wording: Wording) -> Any:
    """The value in a JSON file.

    Raises:
        FileNotFoundError: it is not there.
        FacewrightError: as for `text_of`, or it is no JSON.
    """
    return json_in(text_of(path, wording), str(path), wording)


def json_in(text: str, place: str, wording: Wording) -> Any:
    """The value of a JSON text, nested no deeper than `DEEPEST`.

    Args:
        text: the JSON.
        place: where it stands, for the message.
        wording: of the message.

    Raises:
        FacewrightError: of the kind that `wording` names: it is no JSON.
    """
    try:
        value = json.loads(text)
        if _is_deep(value):
            raise RecursionError
    except RecursionError:
        raise wording.refusal(f"{place} is nested too deeply", f"{DEEPEST} levels") from None
    except ValueError as error:  # also of a number with thousands of digits
        raise wording.refusal(f"{place} is no JSON: {_cause(error)}", "JSON") from None
    return value


def toml_of(path: Path, wording: Wording) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        FileNotFoundError: it is not there.
        FacewrightError: as for `text_of`, or it is no TOML.
    """
    text = text_of(path, wording, encoding="utf-8-sig")
    try:
        tables = tomllib.loads(text)
        if _is_deep(tables):
            raise RecursionError
    except RecursionError:
        raise wording.refusal(f"{path} is nested too deeply", f"{DEEPEST} levels") from None
    except ValueError as error:
        raise wording.refusal(f"{path} is no TOML: {_cause(error)}", "key = value lines") from None
    return tables


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        containers = [one for one in level if isinstance(one, dict | list)]
        if not containers:
            return False
        groups = (one.values() if isinstance(one, dict) else one for one in containers)
        level = [one for group in groups for one in group]
    return True


def _cause(error: Exception) -> str:
    return str(error).splitlines()[0][: 2 * LONGEST_SHOWN]

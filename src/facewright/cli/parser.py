"""From an action to its options: signature and docstring are the help."""

import contextlib
import functools
import inspect
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from facewright.errors import FacewrightError, nearest

JSON_HELP = "With --json: one JSON object on standard output, everything else on standard error."

ELSEWHERE = {
    "epochs": "images",
    "steps": "images",
    "iterations": "images",
    "kimg": "images",
    "batch-size": "set train.batch=N",
    "batch": "set train.batch=N",
    "lr": "set optimiser.lr_g=X --set optimiser.lr_d=X",
    "dataset": "data",
    "store": "data",
    "output": "out",
    "outdir": "out",
    "resolution": "size",
    "num": "count",
    "n": "count",
    "gpu": "device cuda",
    "gpus": "devices",
    "resume": "init-from",
}
"""What other tools call an option, and what it is called here."""

SUFFIXES = {"": 1, "k": 1_000, "M": 1_000_000}


def parsed(action: Callable[..., Any], words: Sequence[str]) -> functools.partial[Any]:
    """An action with the arguments that somebody typed, ready to be called.

    Args:
        action: parameters that may be given by place become positional ones, tuples may be
            given several times, and `on_event` is nobody's to type.
        words: of the command line, after the command.

    Raises:
        SystemExit: help was asked for, and was printed.
        FacewrightError: the words are not understood.
    """
    import tyro  # after the name is known to be right: `--help` stays fast

    hints, parameters = get_type_hints(action), []
    for parameter in inspect.signature(action).parameters.values():
        hint = hints[parameter.name]
        if parameter.name == "on_event":
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY:
            hint = Annotated[hint, tyro.conf.Positional]
        elif get_origin(hint) is tuple:
            hint = Annotated[hint, tyro.conf.UseAppendAction]
        parameters.append(parameter.replace(annotation=hint))

    def typed(*args: Any, **kwargs: Any) -> functools.partial[Any]:
        return functools.partial(action, *args, **kwargs)

    about = inspect.getdoc(action) or ""
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {one.name: one.annotation for one in parameters}
    typed.__doc__ = about
    command = f"facewright {action.__name__}"
    options = {
        "--" + one.name.replace("_", "-"): hints[one.name]
        for one in parameters
        if one.kind is one.KEYWORD_ONLY
    }
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                typed,
                prog=command,
                description=f"{about.split('Args:')[0].strip()}\n\n{JSON_HELP}",
                args=_checked(words, options, command),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise FacewrightError(
            f"{command}: {_in_words(said.getvalue())}",
            expected="the command's options, with values of their kinds",
            fix=f"{command} --help",
        ) from None


def _checked(words: Sequence[str], options: Mapping[str, Any], command: str) -> list[str]:
    """The words with numbers written out.

    Raises:
        FacewrightError: an option or a value that there is not, with the nearest that there is.
    """
    checked: list[str] = []
    option = ""
    for word in words:
        if not re.match(r"--[a-zA-Z]", word):
            checked.append(_value(option, word, options[option]) if option else word)
            option = ""
            continue
        name, equals, value = word.partition("=")
        option = name.replace("_", "-")
        if option == "--help":
            return ["--help"]
        switch = re.sub("^--no-", "--", option)
        if option not in options and options.get(switch) is not bool:
            raise FacewrightError(
                f"{command}: there is no option {name}",
                expected=_meant(option, options),
                fix=f"{command} --help",
            )
        checked.append(f"{option}={_value(option, value, options[option])}" if equals else option)
        # A switch takes no value, and an option that may be given often takes several.
        if equals or options.get(option, bool) is bool or get_origin(options[option]) is tuple:
            option = ""
    return checked


def _meant(option: str, options: Iterable[str]) -> str:
    known = ELSEWHERE.get(option.removeprefix("--"), "")
    if known and f"--{known.split()[0]}" in options:
        return f"did you mean '--{known}'?"
    return nearest(option, options)


def _value(option: str, word: str, hint: Any) -> str:
    """A value as Python writes it.

    Raises:
        FacewrightError: it is not of the option's kind.
    """
    kinds = get_args(hint) if type(None) in get_args(hint) else (hint,)
    for kind in kinds:
        if get_origin(kind) is Literal and word not in get_args(kind):
            raise FacewrightError(
                f"{option} {word}",
                expected=f"one of {', '.join(get_args(kind))}",
                fix=f"{option} {get_args(kind)[0]}",
            )
    if int in kinds and str not in kinds:
        return _whole(option, word)
    if float in kinds and _number(word) is None:
        raise FacewrightError(f"{option} {word}", expected="a number", fix=f"{option} 0.5")
    return word


def _whole(option: str, word: str) -> str:
    found = re.fullmatch(r"([+-]?[\d_.]+)([kM]?)", word)
    number = _number(found[1]) if found else None
    if found is None or number is None or (number * SUFFIXES[found[2]]) % 1:
        raise FacewrightError(
            f"{option} {word}",
            expected="a whole number: 3000, 3k or 0.5M",
            fix=f"{option} 3000",
        )
    return str(round(number * SUFFIXES[found[2]]))


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _in_words(box: str) -> str:
    """What the parser drew into a box, on one line: without title, frame and the way to help."""
    told, _, _ = re.sub("[╭╮╰╯│]", " ", box).partition("For full helptext")
    _title, *sections = re.split("[─-]{3,}", re.sub("Missing from .*:", "missing:", told))
    return "; ".join(words for section in sections if (words := " ".join(section.split())))

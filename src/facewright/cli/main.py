"""The command line: finds the action, shows what it tells and returns, and says what to mend.

What a command does is the action of its name; the file of its name here says how the result
is shown.
"""

import functools
import importlib
import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rich.console import Console, RenderableType

from facewright import COMMANDS, __version__
from facewright.cli.declared import declared
from facewright.cli.parser import parsed
from facewright.cli.progress import Reporter
from facewright.errors import FacewrightError, StoppedError, is_out_of_memory, nearest
from facewright.json_form import dumps

LESS_MEMORY = {
    "prepare": "fewer --workers, or a smaller --size",
    "evaluate": "a smaller --count, or fewer --metrics",
    "audit": "a smaller --count",
    "generate": "a smaller --count",
}
"""What takes less memory, by command. `train` knows more, and says it itself."""


class Result(Protocol):
    """What an action returns."""

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 done; 1 a problem was found or the run failed; 2 the user can mend it; 130
        interrupted, after saving.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    words = [word for word in words if word != "--json"]
    logging.basicConfig(level=logging.WARNING, format="facewright: %(message)s", stream=sys.stderr)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(__version__)
        return 0
    try:
        result = _call(words[0], words[1:])
    except StoppedError as error:
        return _refuse(error, as_json, status=130)
    except FacewrightError as error:
        return _refuse(error, as_json)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(FacewrightError(f"{place}{error.strerror or error}"), as_json)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return _refuse(_too_little_memory(words[0], error), as_json)
    except KeyboardInterrupt:
        return _refuse(FacewrightError("interrupted"), as_json, status=130)
    _show(words[0], result, as_json)
    return getattr(result, "exit_status", 0)


def _refuse(error: FacewrightError, as_json: bool, status: int = 2) -> int:
    print(f"facewright: {error}", file=sys.stderr)
    if as_json:
        _print_problem(error)
    return status


def _print_problem(error: FacewrightError) -> None:
    problem = {"what": error.what, "expected": error.expected, "fix": error.fix}
    print(dumps({"error": problem}))


def _too_little_memory(name: str, error: BaseException) -> FacewrightError:
    lines = str(error).splitlines()
    return FacewrightError(
        f"out of memory{f': {lines[0]}' if lines else ''}",
        expected="more free memory, or a smaller task",
        fix=LESS_MEMORY.get(name, ""),
    )


def entry() -> None:
    """What the installed `facewright` runs."""
    # `kill` before anything can be saved ends like Ctrl-C; a training session replaces this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`facewright runs | head`); Python's exit would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


def overview() -> str:
    """All commands with the question that each answers."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        ["usage: facewright COMMAND ... [--json]", "", *lines, "", "facewright COMMAND --help"]
    )


def action(name: str) -> Callable[..., Result]:
    """The function behind a command."""
    return getattr(importlib.import_module(f"facewright.actions.{name}"), name)


def _call(name: str, words: list[str]) -> Result:
    if name not in COMMANDS:
        raise FacewrightError(
            f"unknown command '{name}'", expected=nearest(name, COMMANDS), fix="facewright --help"
        )
    call = parsed(declared(name), words)
    work = functools.partial(action(name), *call.args, **call.keywords)
    if "on_event" not in inspect.signature(call.func).parameters:
        return work()
    with Reporter() as reporter:
        return work(on_event=reporter)


def _show(name: str, result: Result, as_json: bool) -> None:
    if as_json:
        print(dumps(result.as_json()))
        return
    shown: Callable[[Result], RenderableType]
    shown = importlib.import_module(f"facewright.cli.{name}").shown
    Console(soft_wrap=True, highlight=False, markup=False).print(shown(result))

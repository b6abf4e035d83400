"""The command line: finds the action, shows what it tells and returns, and says what to mend.

What a command does is the action of its name; the file of its name here says how the result
is shown.
"""

import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rich.console import RenderableType

from facewright import COMMANDS, __version__
from facewright.cli.console import SafeConsole, say, show_warnings
from facewright.cli.our_fault import our_fault
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
    show_warnings()
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(__version__)
        return 0
    try:
        result = _call(words[0], words[1:])
    except SystemExit as stop:
        # tyro has said on standard error what it did not understand, or printed the help.
        if stop.code and as_json:
            _print_problem(
                FacewrightError(
                    f"facewright {words[0]}: options not understood",
                    expected="the command's options, with values of their kinds",
                    fix=f"facewright {words[0]} --help",
                )
            )
        raise
    except BaseException as error:
        return _refuse(error, words, as_json)
    try:
        _show(words[0], result, as_json)
    except BrokenPipeError:
        raise
    except Exception as error:
        return _refuse(error, words, as_json)
    return getattr(result, "exit_status", 0)


def _refuse(error: BaseException, words: Sequence[str], as_json: bool) -> int:
    """Say what was wrong, and return the exit status for it."""
    problem, status = _told(error, words)
    say(problem)
    if as_json:
        _print_problem(problem)
    return status


def _told(error: BaseException, words: Sequence[str]) -> tuple[FacewrightError, int]:
    """Any exception as found, expected and try; and the exit status."""
    if isinstance(error, FacewrightError):
        return error, 130 if isinstance(error, StoppedError) else 2
    if isinstance(error, KeyboardInterrupt):
        return FacewrightError("interrupted"), 130
    if is_out_of_memory(error):
        return _too_little_memory(words[0], error), 2
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return FacewrightError(f"{place}{error.strerror or error}"), 2
    return our_fault(error, words), 1


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
    """The function behind a command.

    Raises:
        FacewrightError: there is no such command.
    """
    if name not in COMMANDS:
        raise FacewrightError(
            f"unknown command '{name}'", expected=nearest(name, COMMANDS), fix="facewright --help"
        )
    return getattr(importlib.import_module(f"facewright.actions.{name}"), name)


def _call(name: str, words: list[str]) -> Result:
    function = action(name)
    call = parsed(function, words)
    if "on_event" not in inspect.signature(function).parameters:
        return call()
    with Reporter() as reporter:
        return call(on_event=reporter)


def _show(name: str, result: Result, as_json: bool) -> None:
    if as_json:
        print(dumps(result.as_json()))
        return
    shown: Callable[[Result], RenderableType]
    shown = importlib.import_module(f"facewright.cli.{name}").shown
    SafeConsole().print(shown(result))

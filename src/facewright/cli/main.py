"""The command line: finds the action, shows what it tells and returns, and says what to mend.

What a command does is the action of its name; the file of its name here says how the result
is shown.
"""

import errno
import functools
import importlib
import inspect
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TextIO

from rich.console import RenderableType

from facewright import COMMANDS, __version__
from facewright.cli.console import SafeConsole, say, show_warnings
from facewright.cli.declared import declared
from facewright.cli.our_fault import our_fault
from facewright.cli.parser import parsed
from facewright.cli.progress import Reporter
from facewright.cli.streams import settle, silence
from facewright.errors import (
    FacewrightError,
    StoppedError,
    is_out_of_memory,
    nearest,
    of_the_system,
)
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
    except SystemExit:  # help was asked for
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
        return FacewrightError(
            "interrupted", expected="time to end", fix="the same command again"
        ), 130
    if is_out_of_memory(error):
        return _too_little_memory(words[0], error), 2
    if isinstance(error, OSError):
        return of_the_system(error), 2
    return our_fault(error, words), 1


def _print_problem(error: FacewrightError) -> None:
    problem = {"what": error.what, "expected": error.expected, "fix": error.fix}
    print(dumps({"error": problem}))


def _too_little_memory(name: str, error: BaseException) -> FacewrightError:
    lines = str(error).splitlines()
    return FacewrightError(
        f"out of memory{f': {lines[0]}' if lines else ''}",
        expected="more free memory, or a smaller task",
        fix=LESS_MEMORY.get(name, "closing other programs"),
    )


def entry() -> None:
    """What the installed `facewright` runs."""
    settle()
    # `kill`, or a terminal that is closed, before anything can be saved ends like Ctrl-C; a
    # training session replaces this. `nohup` has said that the latter is to be ignored.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        try:
            status = main()
        except SystemExit as stop:
            status = stop.code
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone (`facewright runs | head`)
        silence(sys.stdout)
        status = 1
    except OSError as error:
        silence(sys.stdout)
        status = _refuse(_unwritten(error), sys.argv[1:], as_json=False)
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
    """On standard output; on standard error if that is full, as the work is done.

    Raises:
        FacewrightError: there is no room for it; it was shown all the same.
    """
    try:
        _print(name, result, as_json, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        if error.errno == errno.EIO:  # the terminal is gone, and the work is done
            return
        _print(name, result, as_json, sys.stderr)
        raise _unwritten(error) from error


def _print(name: str, result: Result, as_json: bool, stream: TextIO) -> None:
    if as_json:
        print(dumps(result.as_json()), file=stream)
        return
    shown: Callable[[Result], RenderableType]
    shown = importlib.import_module(f"facewright.cli.{name}").shown
    SafeConsole(file=stream).print(shown(result))


def _unwritten(error: OSError) -> FacewrightError:
    return of_the_system(OSError(error.errno, error.strerror, "standard output"))

"""Standard output and error, whatever became of the terminal or file behind them."""

import contextlib
import os
import sys
from typing import Any, TextIO


class Lasting:
    """A stream to which writing never fails: work goes on when its terminal is gone.

    Args:
        stream: written to as long as that works.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, if anybody can read it."""
        try:
            self._stream.write(text)
        except OSError:
            silence(self._stream)
        return len(text)

    def flush(self) -> None:
        """The same for what waits."""
        try:
            self._stream.flush()
        except OSError:
            silence(self._stream)


def settle() -> None:
    """Make the three streams fit for use, whoever started this program.

    A closed one leads nowhere, letters that it does not have are replaced, and messages may fail
    to be seen without harm.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed: the next file opened would be written to in its place
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.stderr = Lasting(sys.stderr)  # pyright: ignore[reportAttributeAccessIssue]


def silence(stream: TextIO) -> None:
    """Lead a stream nowhere: Python's exit would complain of what waits in it."""
    with contextlib.suppress(OSError, ValueError):
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, stream.fileno())
        os.close(handle)

"""Errors that a user can fix, all in one form: found, expected, fix."""

import difflib
import errno
import shlex
from collections.abc import Iterable
from pathlib import Path

from facewright.installation import install_extra


class FacewrightError(Exception):
    """A mistake that the user can fix.

    Printed as three lines without a traceback; the command then exits with status 2.

    Args:
        what: what was found.
        expected: what was expected instead.
        fix: a command or a flag that fixes it.
    """

    def __init__(self, what: str, *, expected: str, fix: str) -> None:
        self.what, self.expected, self.fix = what, expected, fix
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what}\n  expected: {self.expected}\n  try:      {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive pickling on their own, and errors
        # cross process borders in `prepare` and in data-parallel training.
        return (_rebuild, (type(self), self.what, self.expected, self.fix))


def _rebuild(kind: type[FacewrightError], what: str, expected: str, fix: str) -> FacewrightError:
    return kind(what, expected=expected, fix=fix)


class ConfigError(FacewrightError):
    """A recipe, an option or a value that is not known."""


class DataError(FacewrightError):
    """A source of photos, or a training store, that cannot be used."""


class RunError(FacewrightError):
    """A run folder that cannot be read, written or resumed."""


class CheckpointError(RunError):
    """A checkpoint that is damaged, truncated or of another model."""


class BundleError(FacewrightError):
    """A model in one file that is damaged, foreign, or of another version."""


class MetricError(FacewrightError):
    """A number that cannot be computed from what is there, or would mislead."""


class StoppedError(FacewrightError):
    """Work that somebody interrupted, after saving; the command exits with status 130."""


class MissingExtraError(FacewrightError):
    """A part of Facewright whose optional dependency is not installed."""

    @classmethod
    def of(cls, extra: str, purpose: str) -> "MissingExtraError":
        """Name the extra that `purpose` needs, and the command that installs it."""
        return cls(
            f"{purpose} needs the extra '{extra}'",
            expected="an installation with that extra",
            fix=install_extra(extra),
        )


_OF_THE_SYSTEM = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        ("room on the disk", "make room there, or write to another disk"),
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        ("a place that this user may read and write", "chmod, or a copy in another folder"),
    ),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE),
        ("that more files may be open at once", "ulimit -n 1024 before the command"),
    ),
    errno.ENOMEM: ("more free memory", "end other programs, or a smaller task"),
    errno.ENOENT: ("something that is there", "ls, and the path as it is there"),
    errno.EIO: ("a disk and a terminal that work", "a copy on another disk"),
}
"""Of an error's number: what was expected, and what to try."""


def of_the_system(error: OSError) -> FacewrightError:
    """What the operating system refused, and what to do about it."""
    place = f"{error.filename}: " if error.filename else ""
    expected, fix = _OF_THE_SYSTEM.get(
        error.errno or 0, ("a path that can be used like that", "another path")
    )
    return FacewrightError(f"{place}{error.strerror or error}", expected=expected, fix=fix)


OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "could not create a primitive",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""How torch says it, on GPUs, on CPUs, and through the libraries that it calls."""


def is_out_of_memory(error: BaseException) -> bool:
    """Is this an allocation that failed? torch raises `RuntimeError`s for it."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return any(words in str(error) for words in OUT_OF_MEMORY)
    return isinstance(error, MemoryError)


def quoted(path: Path) -> str:
    """A path as a shell takes it, for commands in messages."""
    return shlex.quote(str(path))


def nearest(name: str, options: Iterable[str]) -> str:
    """Which of the options was probably meant?

    Returns:
        "did you mean 'x'?" when one is close, otherwise the list of all options.
    """
    options = sorted(options)
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"one of {', '.join(options)}"

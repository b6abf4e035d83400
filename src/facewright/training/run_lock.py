"""A run is changed by one process at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from facewright.errors import RunError
from facewright.records.run_folder import RunFolder

try:
    import fcntl
except ImportError:  # Windows has no such locks: there the user has to take care
    fcntl = None


@contextlib.contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """Inside, nobody else trains this run; the lock goes with the process, however it ends.

    Raises:
        RunError: somebody does.
    """
    if fcntl is None:
        yield
        return
    with Path(folder.path / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{folder.path} is being trained by another process",
                expected="one at a time",
                fix="wait for it, or stop it: it saves and can be resumed",
            ) from None
        yield

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
def run_lock(folder: RunFolder) -> Iterator[None]:
    """Inside, no other process trains this run; the lock goes with the process, however it ends.

    Raises:
        RunError: another one does.
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

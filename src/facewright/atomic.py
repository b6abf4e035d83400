"""Files and folders that appear whole or not at all."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from facewright.errors import DataError

try:
    import fcntl
except ImportError:  # Windows has no such locks: there the user has to take care
    fcntl = None

_FORMER = "-former"


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes the name `path` when the block ends well.

    After an error or an interrupt nothing is left, and what was there is as it was. What a
    killed process left is taken over by the next writer of that name; a living one is waited for.

    Args:
        path: the name in the end; its folder is made if missing.

    Raises:
        OSError: it cannot be written; names the file.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        with _opened_alone(temporary) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file's content: readers see the old or the new, never a part.

    Raises:
        OSError: it cannot be written; names the file.
    """
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sweep(folder: Path) -> None:
    """Remove from a folder of our own what killed writers of files and scratch folders left."""
    _remove_leftovers(folder, re.compile(r"\..+\.tmp|\.\w+-\w{8}"), _remove)


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder to work in, which is gone afterwards; those of killed processes go first.

    A folder in work is known by a lock on it, which the system gives up when its process
    ends; on a file system without locks, leftovers stay.

    Args:
        parent: gets it; made if missing.
        prefix: of its name, and of the leftovers' names.

    Raises:
        OSError: it cannot be made.
    """
    _remove_leftovers(parent, re.compile(f"{re.escape(prefix)}\\w{{8}}"), _remove)
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{prefix}{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        with locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A folder to write into, which takes the name `path` when the block ends well.

    After an error or an interrupt nothing is left; what a killed process left is removed
    by the next one, as by `scratch_folder`.

    Args:
        path: the name in the end, absolute.
        overwrite: whether a folder of that name is replaced, in the last moment.
        is_ours: which folders may be replaced at all.

    Raises:
        DataError: `path` exists and may not be replaced.
        OSError: something cannot be written.
    """
    prefix = f".{path.name}.partial-"
    ours = re.compile(f"{re.escape(prefix)}[0-9a-f]{{8}}({_FORMER})?")
    _remove_leftovers(path.parent, ours, lambda folder: _clear(folder, path))
    _check_free(path, overwrite, is_ours)
    with naming(path), scratch_folder(path.parent, prefix) as partial:
        yield partial
        for file in partial.iterdir():
            _to_disk(file)
        _to_disk(partial)
        _check_free(path, overwrite, is_ours)
        _replace(partial, path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Inside, an `OSError` that names no file gets this one's name."""
    try:
        yield
    except OSError as error:
        # numpy says nothing but "9 requested and 4 written" of a write that was cut short.
        if error.errno is None and "requested and" in str(error):
            number = errno.ENOSPC
            raise OSError(number, os.strerror(number), str(path)) from error
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a file or folder inside, under whatever name; yields whether it was got.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        yield _lock(handle, wait=wait)
    finally:
        os.close(handle)


def _lock(handle: int, *, wait: bool) -> bool:
    if fcntl is None:
        return False
    # Held by another process, or a file system without locks.
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False


@contextmanager
def _opened_alone(path: Path) -> Iterator[BinaryIO]:
    """An empty file that no other process of ours writes into."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        with os.fdopen(handle, "wb") as file:
            _lock(handle, wait=True)
            # Whoever held it before has given it its final name, or removed it.
            if not path.exists() or not os.path.samestat(os.fstat(handle), path.stat()):
                continue
            file.truncate(0)
            yield file
            return


def _replace(partial: Path, path: Path) -> None:
    if not path.exists():
        os.replace(partial, path)
        return
    former = partial.with_name(f"{partial.name}{_FORMER}")
    with locked(path):
        os.replace(path, former)
        os.replace(partial, path)
        shutil.rmtree(former)


def _check_free(path: Path, overwrite: bool, is_ours: Callable[[Path], bool]) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_ours(path):
        raise DataError(
            f"{path} exists and is no training store",
            expected="a name that is free",
            fix="choose another --out",
        )
    if not overwrite:
        raise DataError(
            f"{path} exists", expected="a name that is free", fix="--overwrite, or another --out"
        )


def _remove_leftovers(
    parent: Path, ours: re.Pattern[str], remove: Callable[[Path], object]
) -> None:
    for leftover in parent.glob(".*"):
        if not ours.fullmatch(leftover.name):
            continue
        # Another process may remove it meanwhile, or another user may own it: then it is left.
        with contextlib.suppress(OSError), locked(leftover, wait=False) as abandoned:
            # An empty folder may be so new that its process has not locked it yet.
            if abandoned and (leftover.is_file() or any(leftover.iterdir())):
                remove(leftover)


def _clear(folder: Path, path: Path) -> None:
    if folder.name.endswith(_FORMER) and not path.exists():
        os.replace(folder, path)  # killed while it replaced it
    else:
        _remove(folder)


def _remove(leftover: Path) -> None:
    if leftover.is_dir():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink()


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

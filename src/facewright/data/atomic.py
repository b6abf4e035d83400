"""Folders that appear whole or not at all."""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facewright.errors import DataError

_FORMER = "-former"


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A folder to write into, which takes the name `path` when the block ends well.

    After an error or an interrupt nothing is left; what a killed process left is removed
    by the next one. A folder in work is known by a lock on it, which the system gives up
    when its process ends; on a file system without locks, leftovers stay.

    Args:
        path: the name in the end, absolute.
        overwrite: whether a folder of that name is replaced, in the last moment.
        is_ours: which folders may be replaced at all.

    Raises:
        DataError: `path` exists and may not be replaced.
        OSError: something cannot be written.
    """
    _remove_leftovers(path)
    _check_free(path, overwrite, is_ours)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{_prefix(path)}{secrets.token_hex(4)}")
    partial.mkdir()
    try:
        with _locked(partial):
            yield partial
            for file in partial.iterdir():
                _to_disk(file)
            _to_disk(partial)
            _check_free(path, overwrite, is_ours)
            _replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, path: Path) -> None:
    if not path.exists():
        os.replace(partial, path)
        return
    former = partial.with_name(f"{partial.name}{_FORMER}")
    with _locked(path):
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


def _prefix(path: Path) -> str:
    return f".{path.name}.partial-"


def _remove_leftovers(path: Path) -> None:
    ours = re.compile(f"{re.escape(_prefix(path))}[0-9a-f]{{8}}({_FORMER})?")
    for folder in path.parent.glob(".*"):
        if not ours.fullmatch(folder.name):
            continue
        # Another process may remove it meanwhile, or another user may own it: then it is left.
        with contextlib.suppress(OSError), _locked(folder, wait=False) as abandoned:
            # An empty one may be so new that its process has not locked it yet.
            if abandoned and any(folder.iterdir()):
                _clear(folder, path)


def _clear(folder: Path, path: Path) -> None:
    if folder.name.endswith(_FORMER) and not path.exists():
        os.replace(folder, path)  # killed while it replaced it
    else:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a folder inside, under whatever name; yields whether it was got."""
    handle = os.open(folder, os.O_RDONLY)
    got = False
    try:
        with contextlib.suppress(
            OSError
        ):  # held by another process, or a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            got = True
        yield got
    finally:
        os.close(handle)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

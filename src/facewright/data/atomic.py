"""Folders that appear whole or not at all."""

import glob
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facewright.errors import DataError

_FORMER = "-former"


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """A folder to write into, which takes the name `path` when the block ends well.

    After an error or an interrupt nothing is left; what a killed process left is removed
    by the next one.

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
    partial = path.with_name(f"{_prefix(path)}{os.getpid()}")
    partial.mkdir()
    try:
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
    return f".{path.name}.partial-{socket.gethostname()}-"


def _remove_leftovers(path: Path) -> None:
    for folder in path.parent.glob(f"{glob.escape(_prefix(path))}*"):
        owner = folder.name.removeprefix(_prefix(path)).removesuffix(_FORMER)
        if not owner.isdigit() or _alive(int(owner)):
            continue
        if folder.name.endswith(_FORMER) and not path.exists():
            os.replace(folder, path)  # killed in the very moment of replacing it
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, but is somebody else's
        return True
    return True


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

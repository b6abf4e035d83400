"""Folders that appear whole or not at all."""

import glob
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facewright.errors import DataError


@contextmanager
def whole_folder(path: Path, *, overwrite: bool, marker: str) -> Iterator[Path]:
    """A folder to write into, which takes the name `path` when the block ends well.

    After an error or an interrupt nothing is left; what a killed process left is removed
    by the next one.

    Args:
        path: the name in the end.
        overwrite: whether a folder of that name is replaced, in the last moment.
        marker: a file that shows that a folder is one of ours and may be replaced.

    Raises:
        DataError: `path` exists and may not be replaced.
        OSError: something cannot be written.
    """
    _check_free(path, overwrite, marker)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    partial = path.with_name(f"{_prefix(path)}{os.getpid()}")
    partial.mkdir()
    try:
        yield partial
        for file in partial.iterdir():
            _to_disk(file)
        _to_disk(partial)
        _check_free(path, overwrite, marker)
        _replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, path: Path) -> None:
    if not path.exists():
        os.replace(partial, path)
        return
    former = partial.with_name(partial.name + "-former")
    os.replace(path, former)
    os.replace(partial, path)
    shutil.rmtree(former)


def _check_free(path: Path, overwrite: bool, marker: str) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / marker).is_file():
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
        owner = folder.name.removeprefix(_prefix(path)).removesuffix("-former")
        if owner.isdigit() and not _alive(int(owner)):
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

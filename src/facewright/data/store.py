"""A training store: photos of one size, ready to be read as plain arrays."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from facewright.data.labels import LabelColumn
from facewright.data.mapped import mapped
from facewright.errors import DataError, quoted
from facewright.schema import Bound, Wording, parsed

FORMAT = "facewright-store-1"
"""Written into every manifest; another value is another layout."""

ARRAYS = ("train", "val", "labels")
"""The arrays that the content hash covers, in this order; labels may be missing."""

AGAIN = "run `facewright prepare` again"

_HASH_BYTES = 1 << 22


@dataclass(frozen=True)
class Store:
    """Photos on disk, of which only those in use occupy memory.

    Args:
        path: the folder written by `facewright prepare`.
        manifest: what is in it and where it came from.
        train: (N, H, W, C) uint8, memory-mapped.
        val: (M, H, W, C) uint8, memory-mapped; held out, no near twin of it is in `train`.
        labels: (N + M, K) float32, rows of `train` then of `val`; NaN where unknown; None
            where the source has no labels. `manifest["labels"]` describes the columns.
    """

    path: Path
    manifest: dict[str, Any] = field(repr=False)
    train: np.ndarray = field(repr=False)
    val: np.ndarray = field(repr=False)
    labels: np.ndarray | None = field(repr=False)

    @classmethod
    def open(cls, path: Path | str) -> "Store":
        """The store in a folder, without reading its pixels.

        Raises:
            DataError: the folder is missing, is no store, or is damaged; pixels that
                changed are found by `verify`, not here.
        """
        path = Path(path)
        manifest = _read_manifest(path)
        train, val = _map(path / "train.npy", shuffled=True), _map(path / "val.npy")
        labels = _map(path / "labels.npy") if manifest["labels"] else None
        row = (*manifest["size"], manifest["channels"])
        promised = {
            "train": (manifest["counts"]["train"], *row),
            "val": (manifest["counts"]["val"], *row),
            "labels": (len(train) + len(val), len(manifest["labels"])),
        }
        for name, array in (("train", train), ("val", val), ("labels", labels)):
            if array is None:
                continue
            file, kind = path / f"{name}.npy", "float32" if name == "labels" else "uint8"
            if array.dtype != kind:
                raise _damaged(file, f"has type {array.dtype}", kind)
            if array.shape != promised[name]:
                raise _damaged(file, f"has shape {array.shape}", promised[name])
        return cls(path, manifest, train, val, labels)

    def __reduce__(self) -> tuple[Callable[[Path], "Store"], tuple[Path]]:
        """Another process opens the same folder: memory-mapped pixels would be sent one by one."""
        return Store.open, (self.path,)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image, as the networks see it."""
        height, width, channels = self.train.shape[1:]
        return channels, height, width

    @property
    def content_hash(self) -> str:
        """Which pixels and labels are these? Hex SHA-256, as recorded when it was written."""
        return self.manifest["content_hash"]

    @property
    def crop(self) -> str:
        """Name of the crop that the photos were prepared with; "none" where it is not said."""
        return self.manifest.get("crop", {}).get("name", "none")

    def verify(self) -> None:
        """Are the pixels and labels still those that were written?

        Reads the whole store once.

        Raises:
            DataError: something changed since.
        """
        stamps = tuple(_stamp(self.path / f"{name}.npy") for name in ARRAYS)
        found = _hash_of(self.path.resolve(), stamps)
        if found != self.content_hash:
            raise DataError(
                f"{self.path} was changed after it was written",
                expected=f"content hash {self.content_hash[:16]}, found {found[:16]}",
                fix=AGAIN,
            )


@dataclass(frozen=True)
class _Described:
    """The entries of a manifest without which a store cannot be read."""

    channels: Annotated[int, Bound(1)]
    content_hash: str
    counts: dict[str, int]
    labels: tuple[LabelColumn, ...]
    size: tuple[int, int]


def is_store(path: Path) -> bool:
    """Was this folder written by `facewright prepare`, in whatever state it is now?"""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest["format"]).startswith(FORMAT.rstrip("0123456789"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _stamp(file: Path) -> tuple[int, int]:
    """Changes when a file is written."""
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


@lru_cache(maxsize=8)
def _hash_of(path: Path, _stamps: tuple[tuple[int, int], ...]) -> str:
    """Computed once in a process unless a file changes: large stores take minutes."""
    return content_hash(path)


def content_hash(path: Path) -> str:
    """SHA-256 over shape, type and bytes of every array of a store, in constant memory."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        file = path / f"{name}.npy"
        if name == "labels" and not file.exists():
            continue
        array = _map(file)
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        rows = max(1, _HASH_BYTES // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            digest.update(np.ascontiguousarray(array[start : start + rows]).data)
    return digest.hexdigest()


def _map(file: Path, *, shuffled: bool = False) -> np.ndarray:
    try:
        return mapped(file, shuffled=shuffled)
    except FileNotFoundError:
        raise _damaged(file, "is missing", "the store's own file") from None
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(file, f"cannot be read ({error})", "a whole .npy file") from None


def _read_manifest(path: Path) -> dict[str, Any]:
    # What is there may well be the photos.
    photos, out = (quoted(path), "stores/NAME") if path.exists() else ("PHOTOS", quoted(path))
    foreign = DataError(
        f"{path} is no training store" if path.exists() else f"{path} does not exist",
        expected="a folder written by `facewright prepare`",
        fix=f"facewright prepare {photos} --out {out} --size 28",
    )
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise foreign from None
    except (OSError, ValueError) as error:
        raise _damaged(path / "manifest.json", f"cannot be read ({error})", "JSON") from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise foreign
    if manifest["format"] != FORMAT:
        raise DataError(
            f"{path} has the format {manifest['format']}",
            expected=FORMAT,
            fix="run `facewright prepare` again with this version",
        )
    used = {field.name for field in fields(_Described)} & manifest.keys()
    wording = Wording(DataError, fix=AGAIN)
    parsed(_Described, {key: manifest[key] for key in used}, f"{path}/manifest.json", wording)
    return manifest


def _damaged(file: Path, found: str, expected: object) -> DataError:
    return DataError(f"{file} {found}", expected=str(expected), fix=AGAIN)


def refuse_without_held_out(store: Store) -> None:
    """Some numbers need photos that nobody trained on.

    Raises:
        DataError: the store has none.
    """
    if len(store.val) < 2:
        raise DataError(
            f"{store.path} has {len(store.val)} held-out photos",
            expected="photos that nobody trained on",
            fix=f"facewright prepare PHOTOS --out {quoted(store.path)} --val-fraction 0.1 ...",
        )

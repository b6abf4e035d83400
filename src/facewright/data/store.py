"""A training store: photos of one size, ready to be read as plain arrays."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np

from facewright import outside
from facewright.data.mapped import mapped
from facewright.errors import DataError, quoted
from facewright.schema import Bound, WholeNumber, Wording, parsed

FORMAT = "facewright-store-1"
"""Written into every manifest; another value is another layout."""

ARRAYS = ("train", "val", "labels")
"""The arrays that the content hash covers, in this order; labels may be missing."""

AGAIN = "run `facewright prepare` again"

DAMAGED = Wording(DataError, fix=AGAIN)

Side = Annotated[int, Bound(1, at_most=1 << 16)]

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
        if labels is not None:
            _refuse_other_values(labels, manifest["labels"], path / "labels.npy")
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

    def stamps(self) -> tuple[tuple[int, int], ...]:
        """Size and time of each array's file, which change when it is written; 0 where it is not.

        Those of the files that have the names now, even if others are in use under no name.
        """
        return tuple(_stamp(self.path / f"{name}.npy") for name in ARRAYS)

    def verify(self) -> None:
        """Are the pixels and labels still those that were written?

        Reads the whole store once.

        Raises:
            DataError: something changed since.
        """
        found = _hash_of(self.path.resolve(), self.stamps())
        if found != self.content_hash:
            raise DataError(
                f"{self.path} was changed after it was written",
                expected=f"content hash {self.content_hash[:16]}, found {found[:16]}",
                fix=AGAIN,
            )


class _Counts(TypedDict):
    train: WholeNumber
    val: WholeNumber


class _Column(TypedDict):
    """`LabelColumn` as JSON."""

    name: str
    kind: Literal["binary", "number", "class"]
    classes: NotRequired[list[str]]
    meaning: NotRequired[str]


class _Named(TypedDict):
    name: str


class _Origin(_Named):
    kind: str


class _Manifest(TypedDict):
    """What is read of a manifest again."""

    channels: Literal[1, 3]
    content_hash: str
    counts: _Counts
    crop: NotRequired[_Named]
    labels: list[_Column]
    licence: NotRequired[str]
    size: tuple[Side, Side]
    source: NotRequired[_Origin]


def is_store(path: Path) -> bool:
    """Was this folder written by `facewright prepare`, in whatever state it is now?"""
    try:
        manifest = outside.json_of(path / "manifest.json", DAMAGED)
    except (FileNotFoundError, DataError):
        return False
    found = manifest.get("format") if isinstance(manifest, dict) else None
    return str(found).startswith(FORMAT.rstrip("0123456789"))


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
    except DataError as error:
        raise DataError(error.what, expected=error.expected, fix=AGAIN) from None


def _read_manifest(path: Path) -> dict[str, Any]:
    # What is there may well be the photos.
    photos, out = (quoted(path), "stores/NAME") if path.exists() else ("PHOTOS", quoted(path))
    foreign = DataError(
        f"{path} is no training store" if path.exists() else f"{path} does not exist",
        expected="a folder written by `facewright prepare`",
        fix=f"facewright prepare {photos} --out {out} --size 28",
    )
    try:
        manifest = outside.json_of(path / "manifest.json", DAMAGED)
    except FileNotFoundError:
        raise foreign from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise foreign
    if manifest["format"] != FORMAT:
        raise DataError(
            f"{path} has the format {str(manifest['format'])[:60]}",
            expected=FORMAT,
            fix="run `facewright prepare` again with this version",
        )
    parsed(_Manifest, manifest, f"{path}/manifest.json", DAMAGED)
    return manifest


def _refuse_other_values(labels: np.ndarray, columns: list[_Column], file: Path) -> None:
    """Each column holds what its kind says, or NaN."""
    for values, column in zip(labels.T, columns, strict=True):
        known = values[~np.isnan(values)]
        classes = len(column.get("classes", ()))
        if column["kind"] == "number":
            fine, expected = np.isfinite(known), "finite numbers"
        elif column["kind"] == "binary":
            fine, expected = np.isin(known, (0, 1)), "0 and 1"
        else:
            fine, expected = np.isin(known, np.arange(classes)), f"0 to {classes - 1}"
        if not fine.all():
            strange = known[~fine][0]
            raise _damaged(file, f"has {strange:g} in {column['name'][:60]}", expected)


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

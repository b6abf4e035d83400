"""From any source of photos to a training store."""

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from facewright.data.atomic import whole_folder
from facewright.data.crops import Crop, CropName, crop_named
from facewright.data.foreign import remedy
from facewright.data.manifest import (
    duplicate_entries,
    set_aside_entries,
    source_entries,
    write_manifest,
)
from facewright.data.photo_worker import Fault, Shrinker, Task, TaskResult
from facewright.data.sources.source import EXPECTED, NAME_THE_FOLDER, SetAside, Source
from facewright.data.split import DedupeName, Groups
from facewright.data.store import Store, content_hash, is_store
from facewright.data.workers import parallel_map
from facewright.errors import DataError
from facewright.text import printable

OnFault = Literal["ask", "skip"]

MOST_FAULTS = 0.05
"""Share of photos with one unforeseen fault above which the photos are hardly to blame."""

_PHOTOS_IN_A_TASK = 64  # small enough for an even load, large enough to hide the pipe
_COPY_BYTES = 1 << 22


@dataclass(frozen=True)
class StoreSpec:
    """How photos become a store.

    Args:
        size: (height, width) in pixels.
        channels: 1 or 3.
        crop: which part of a photo is kept.
        val_fraction: share of the photos that is held out, 0 to below 1.
        dedupe: which copies are dropped.
        on_fault: what to do when photos cannot be processed and the fault may be ours.
    """

    size: tuple[int, int]
    channels: int = 3
    crop: CropName = "center"
    val_fraction: float = 0.1
    dedupe: DedupeName = "off"
    on_fault: OnFault = "ask"


@dataclass
class _Photos:
    """What the workers found out about every photo of the source."""

    digests: np.ndarray
    hashes: np.ndarray
    faults: dict[int, Fault] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: TaskResult) -> None:
        rows = slice(outcome.start, outcome.start + len(outcome.hashes))
        self.digests[rows], self.hashes[rows] = outcome.digests, outcome.hashes
        self.faults |= outcome.faults
        self.seconds.update(outcome.seconds)


def prepare(
    source: Source,
    out: Path,
    spec: StoreSpec,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: Callable[[int], None] = lambda photos: None,
) -> tuple[Store, dict[str, float]]:
    """Write the store of a source, whole or not at all.

    The result depends on the photos, their names and the spec alone, neither on the number
    of workers nor on the order of files on disk.

    Args:
        source: of the photos.
        out: the store's folder.
        spec: size, crop, split.
        workers: processes; 1 works in this one.
        overwrite: replace a store that is already there, in the last moment.
        on_progress: told how many photos were just finished.

    Returns:
        The store, and the seconds that all workers together spent in each stage.

    Raises:
        DataError: nothing to read, nowhere to write, or no photo was usable.
    """
    _check(source, spec)
    crop = crop_named(spec.crop, spec.size)
    out = out.resolve()  # so that "." has a name, and keeps it
    try:
        with whole_folder(out, overwrite=overwrite, is_ours=is_store) as folder:
            rows = folder / "rows.tmp"
            shrink = Shrinker(source.read, crop, spec.size, spec.channels, rows)
            photos = _shrink_all(source, shrink, workers, on_progress)
            if spec.on_fault == "ask":
                _ask(source, photos.faults.values())
            _finish(source, spec, crop, photos, folder)
    except OSError as error:
        raise DataError(
            f"{out} cannot be written: {error.strerror}",
            expected="a folder that may be written, and room for twice the store",
            fix="free some space, or choose another --out",
        ) from None
    return Store.open(out), dict(photos.seconds)


def _check(source: Source, spec: StoreSpec) -> None:
    if not 0 <= spec.val_fraction < 1:
        raise DataError(
            f"--val-fraction {spec.val_fraction}", expected="0 or more, and below 1", fix="0.1"
        )
    if not len(source.names):
        raise DataError(
            f"no photos in {source.place}{_summary(source.set_aside)}",
            expected=EXPECTED,
            fix=remedy(entry.reason for entry in source.set_aside) or NAME_THE_FOLDER,
        )


def _shrink_all(
    source: Source, shrink: Shrinker, workers: int, on_progress: Callable[[int], None]
) -> _Photos:
    """Every photo's pixels into `shrink.rows`, and what the workers found out about it."""
    count = len(source.names)
    with shrink.rows.open("wb") as file:
        file.truncate(count * shrink.row_bytes)
    photos = _Photos(np.zeros((count, 32), np.uint8), np.zeros(count, np.uint64))
    for outcome in parallel_map(shrink, _tasks(source), workers):
        photos.add(outcome)
        on_progress(len(outcome.hashes))
    return photos


def _ask(source: Source, faults: Iterable[Fault]) -> None:
    """Stop where a fault that nobody foresaw would cost more than a photo here and there."""
    unforeseen = [fault for fault in faults if fault.detail]
    total = len(source.names)
    for reason, count in Counter(fault.reason for fault in unforeseen).most_common(1):
        if count > max(1, MOST_FAULTS * total):
            first = next(fault.detail for fault in unforeseen if fault.reason == reason)
            raise DataError(
                f"{count:,} of {total:,} photos {reason}: leave them all out?",
                expected=f"few of them; this may be a fault of Facewright: {first}",
                fix="--on-fault skip to leave them out, or another --size or --crop",
            )


def _tasks(source: Source) -> Iterator[Task]:
    for start in range(0, len(source.names), _PHOTOS_IN_A_TASK):
        yield Task(start, source.addresses[start : start + _PHOTOS_IN_A_TASK])


def _finish(source: Source, spec: StoreSpec, crop: Crop, photos: _Photos, folder: Path) -> None:
    """Split, arrange and describe what the workers made."""
    usable = np.setdiff1d(np.arange(len(source.names)), list(photos.faults))
    set_aside = [
        *source.set_aside,
        *(
            SetAside(source.names[i], fault.reason, fault.detail)
            for i, fault in sorted(photos.faults.items())
        ),
    ]
    if not len(usable):
        raise DataError(
            f"no usable photo in {source.place}{_summary(set_aside)}",
            expected="JPEG, PNG or other common photos",
            fix=remedy(entry.reason for entry in set_aside) or NAME_THE_FOLDER,
        )
    groups = Groups.of(photos.digests[usable], photos.hashes[usable])
    held_out, kept = groups.held_out(spec.val_fraction), groups.kept(spec.dedupe)
    train, val = usable[kept & ~held_out], usable[kept & held_out]
    _arrange(folder, {"train": train, "val": val}, (*spec.size, spec.channels))
    order: list[int] = np.concatenate([train, val]).tolist()
    labels = replace(source.labels, values=source.labels.values[order])
    if labels.columns:
        np.save(folder / "labels.npy", labels.values)
    source = replace(source, notes=(*source.notes, *labels.unknown()))
    names = "".join(f"{printable(source.names[i])}\n" for i in order)
    (folder / "names.txt").write_text(names, encoding="utf-8")
    used: list[int] = usable.tolist()
    dropped = int((~kept).sum())
    duplicates = duplicate_entries(groups, [source.names[i] for i in used], dropped)
    entries = {
        "counts": {
            "found": len(source.names) + len(source.set_aside),
            "train": len(train),
            "val": len(val),
            "quarantined": len(set_aside),
            "dropped": duplicates["dropped"],
            "hidden": source.hidden,
            "exact_copies": duplicates["exact_copies"],
            "near_groups": duplicates["near_groups"],
            "in_chains": duplicates["in_chains"],
        },
        "size": list(spec.size),
        "channels": spec.channels,
        "crop": crop.description,
        "val_fraction": spec.val_fraction,
        "dedupe": spec.dedupe,
        "content_hash": content_hash(folder),
        **source_entries(source),
        "quarantined": set_aside_entries(set_aside),
        "duplicates": duplicates,
    }
    write_manifest(folder / "manifest.json", entries)


def _arrange(folder: Path, parts: dict[str, np.ndarray], shape: tuple[int, int, int]) -> None:
    """Deal the rows out to one array for each part, in one pass and constant memory."""
    rows, row_bytes = folder / "rows.tmp", math.prod(shape)
    block = max(1, _COPY_BYTES // row_bytes)
    with contextlib.ExitStack() as open_files:
        source = open_files.enter_context(rows.open("rb"))
        targets = {}
        for name, indices in parts.items():
            targets[name] = open_files.enter_context((folder / f"{name}.npy").open("wb"))
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(indices), *shape)}
            np.lib.format.write_array_header_1_0(targets[name], header)
        start = 0
        while content := source.read(block * row_bytes):
            pixels = np.frombuffer(content, np.uint8).reshape(-1, *shape)
            for name, indices in parts.items():
                first, last = np.searchsorted(indices, (start, start + len(pixels)))
                targets[name].write(pixels[indices[first:last] - start])
            start += len(pixels)
    rows.unlink()


def _summary(set_aside: Iterable[SetAside]) -> str:
    reasons = Counter(entry.reason for entry in set_aside)
    return "".join(f"; {count} x {reason}" for reason, count in reasons.most_common())

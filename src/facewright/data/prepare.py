"""From any source of photos to a training store."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from facewright.atomic import whole_folder
from facewright.data.arrange import ROWS, arrange
from facewright.data.crops import NO_FACE, Crop, CropName, FacesName, crop_named
from facewright.data.foreign import remedy
from facewright.data.manifest import (
    duplicate_entries,
    enlarged_notes,
    set_aside_entries,
    source_entries,
    write_manifest,
)
from facewright.data.photo_worker import SMALLER, TOO_SMALL, Fault, Shrinker, Task, TaskResult
from facewright.data.preview import PREVIEW, draw_set_aside, store_sheet
from facewright.data.sources.source import EXPECTED, NAME_THE_FOLDER, SetAside, Source
from facewright.data.split import DedupeName, Groups
from facewright.data.store import Store, content_hash, is_store
from facewright.data.workers import parallel_map
from facewright.errors import DataError
from facewright.images import save_png
from facewright.text import printable

OnFault = Literal["ask", "skip"]
Enlarge = Literal["allow", "refuse"]

MOST_FAULTS = 0.05
"""Share of photos with one unforeseen fault above which the photos are hardly to blame."""

_REMEDIES = {
    TOO_SMALL: "a smaller --size",
    SMALLER: "--enlarge allow, or a smaller --size",
    NO_FACE: "--crop center, if the faces are already in the middle",
}

_PHOTOS_IN_A_TASK = 64  # small enough for an even load, large enough to hide the pipe


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
        margin: more of the photo or less, see `crop_named`.
        faces: of each photo, for the crop `face`.
        enlarge: whether photos with fewer pixels than `size` are used.
    """

    size: tuple[int, int]
    channels: int = 3
    crop: CropName = "center"
    val_fraction: float = 0.1
    dedupe: DedupeName = "off"
    on_fault: OnFault = "ask"
    margin: float = 0.0
    faces: FacesName = "one"
    enlarge: Enlarge = "allow"


@dataclass
class _Photos:
    """What the workers found out about every photo of the source."""

    digests: np.ndarray
    hashes: np.ndarray
    pictures: np.ndarray
    enlarged: dict[int, np.ndarray] = field(default_factory=dict)
    left_out: int = 0
    faults: dict[int, Fault] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)

    @classmethod
    def none_yet(cls, count: int) -> "_Photos":
        hashes = np.zeros(count, np.uint64)
        return cls(np.zeros((count, 32), np.uint8), hashes, np.zeros(count, np.int64))

    def add(self, outcome: TaskResult) -> None:
        rows = slice(outcome.start, outcome.start + len(outcome.hashes))
        self.digests[rows], self.hashes[rows] = outcome.digests, outcome.hashes
        self.pictures[rows], self.enlarged[outcome.start] = outcome.pictures, outcome.enlarged
        self.left_out += outcome.left_out
        self.faults |= outcome.faults
        self.seconds.update(outcome.seconds)

    def enlarged_in_order(self) -> np.ndarray:
        """How much each picture was enlarged, in the order of the photos."""
        return np.concatenate([self.enlarged[start] for start in sorted(self.enlarged)])


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
    crop = crop_named(spec.crop, spec.size, margin=spec.margin, faces=spec.faces)
    out = out.resolve()  # so that "." has a name, and keeps it
    try:
        with whole_folder(out, overwrite=overwrite, is_ours=is_store) as folder:
            rows = folder / ROWS
            rows.mkdir()
            enlarge = spec.enlarge == "allow"
            shrink = Shrinker(source.read, crop, spec.size, spec.channels, rows, enlarge)
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
    """Every photo's pictures into `shrink.rows`, and what the workers found out about it."""
    photos = _Photos.none_yet(len(source.names))
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
        reasons = [one for one, _ in Counter(fault.reason for fault in set_aside).most_common()]
        raise DataError(
            f"no usable photo in {source.place}{_summary(set_aside)}",
            expected="JPEG, PNG or other common photos, with as many pixels as --size asks for",
            fix=_REMEDIES.get(next(iter(reasons), "")) or remedy(reasons) or NAME_THE_FOLDER,
        )
    groups = Groups.of(photos.digests[usable], photos.hashes[usable])
    held_out, kept = groups.held_out(spec.val_fraction), groups.kept(spec.dedupe)
    # A photo's pictures lie on its side, one after another.
    photo_of = np.repeat(np.arange(len(source.names)), photos.pictures)
    train, val = (
        np.flatnonzero(np.isin(photo_of, usable[kept & side])) for side in (~held_out, held_out)
    )
    shape = (*spec.size, spec.channels)
    arrange(folder / ROWS, folder, {"train": train, "val": val}, shape)
    order = np.concatenate([train, val])
    photos_in_order: list[int] = photo_of[order].tolist()
    labels = replace(source.labels, values=source.labels.values[photos_in_order])
    if labels.columns:
        np.save(folder / "labels.npy", labels.values)
    before = (np.arange(len(photo_of)) - np.searchsorted(photo_of, photo_of))[order]
    names = [
        printable(source.names[i]) + (f"#{faces + 1}" if faces else "")
        for i, faces in zip(photos_in_order, before.tolist(), strict=True)
    ]
    (folder / "names.txt").write_text("".join(f"{n}\n" for n in names), encoding="utf-8")
    enlarged = photos.enlarged_in_order()[order]
    kind = "faces" if spec.crop == "face" else "pictures"
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
            "further_faces": int((before > 0).sum()),
            "faces_left_out": photos.left_out,
            "enlarged": int((enlarged > 1).sum()),
        },
        "size": list(spec.size),
        "channels": spec.channels,
        "crop": crop.description,
        "val_fraction": spec.val_fraction,
        "dedupe": spec.dedupe,
        "content_hash": content_hash(folder),
        "enlarge": spec.enlarge,
        **source_entries(source),
        "notes": [
            *map(printable, (*source.notes, *labels.unknown())),  # they name files
            *enlarged_notes(enlarged, names, kind),
        ],
        "quarantined": set_aside_entries(set_aside),
        "duplicates": duplicates,
    }
    write_manifest(folder / "manifest.json", entries)
    reasons = {i: fault.reason for i, fault in photos.faults.items()}
    draw_set_aside(folder, source, reasons, spec.size)
    save_png(store_sheet(Store.open(folder)), folder / PREVIEW)


def _summary(set_aside: Iterable[SetAside]) -> str:
    reasons = Counter(entry.reason for entry in set_aside)
    return "".join(f"; {count} x {reason}" for reason, count in reasons.most_common())

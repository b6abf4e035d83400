"""Any photos become a training store."""

import math
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facewright.actions.events import Note, OnEvent, Progress, Tally, ignore
from facewright.data.crops import CropName, FacesName
from facewright.data.download import Listener
from facewright.data.foreign import remedy
from facewright.data.manifest import told_by
from facewright.data.prepare import Enlarge, OnFault, StoreSpec
from facewright.data.prepare import prepare as write_store
from facewright.data.preview import PREVIEW
from facewright.data.sources.find import find_source
from facewright.data.split import FEWEST, DedupeName, share_for
from facewright.data.store import Store
from facewright.errors import DataError
from facewright.machine import cores

LARGEST_SIDE = 1024


@dataclass(frozen=True)
class Prepared:
    """What `facewright prepare` made.

    Args:
        store: the new store.
        images: how many files were looked at.
        seconds: how long it took.
        stage_seconds: what the workers spent their time on, added up over all of them.
    """

    store: Store
    images: int
    seconds: float
    stage_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def preview(self) -> Path:
        """The sheet that shows some pictures of the store."""
        return self.store.path / PREVIEW

    @property
    def labels(self) -> list[str]:
        """Names of the labels that photos have."""
        return [label["name"] for label in self.store.manifest["labels"]]

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on."""
        manifest = self.store.manifest
        return {
            "store": str(self.store.path),
            **manifest["counts"],
            "size": manifest["size"],
            "channels": manifest["channels"],
            "content_hash": manifest["content_hash"],
            "labels": self.labels,
            "notes": manifest["notes"],
            "preview": str(self.preview),
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.images / self.seconds, 1),
        }


def prepare(
    source: str,
    /,
    *,
    out: Path,
    size: int | str,
    crop: CropName = "center",
    val_fraction: float = 0.1,
    dedupe: DedupeName = "off",
    channels: int | None = None,
    labels: tuple[Path, ...] = (),
    name_column: str = "",
    only: tuple[str, ...] = (),
    count: int | None = None,
    seed: int = 0,
    workers: int = 0,
    overwrite: bool = False,
    on_fault: OnFault = "ask",
    margin: float = 0.0,
    faces: FacesName = "one",
    enlarge: Enlarge = "allow",
    on_event: OnEvent = ignore,
) -> Prepared:
    """Make a training store of any photos.

    Files that are no usable photo are listed in the store's manifest.json with the reason;
    none of them stops the work. The held-out photos are chosen by content: a photo stays on
    its side for every size and crop, and near twins are never on both sides. Chains of twins
    of twins that join more than 100 different photos are no copies of one photo: their members
    are chosen one by one.

    Examples:
        facewright prepare ~/Photos --out stores/mine --size 28 --crop face
        facewright prepare celeba.zip --out stores/celeba28 --size 28 --crop celeba-108
        facewright prepare facewright-faces --out stores/faces --size 28

    Args:
        source: a folder, zip or tar of photos (StyleGAN's and WebDataset's with their labels),
            or a folder of these; CelebA, CelebAMask-HQ, UTKFace or LFW as they are published;
            .npy or .npz of images, uint8 (N,H,W,C); IDX, parquet or arrow files; hub:OWNER/NAME on
            the Hugging Face hub; or one of: drawn; facewright-faces (generated, they come with
            Facewright); celeba, lfw, mnist (downloaded); stacked:SOURCE (three gray images at
            random, one in each colour).
        out: folder of the store; must not exist.
        size: side in pixels, or HEIGHTxWIDTH.
        crop: which part of a photo is kept. center: the largest centred part of the right
            shape; celeba-108, celeba-128: the usual boxes in CelebA's aligned frame, scaled
            with the photo; face: the main face, detected and aligned; none: everything.
        val_fraction: share of the photos that is held out.
        dedupe: drop copies: exact ones, or all but one of photos that nearly agree.
        channels: 3 for colour, 1 for gray; 3 if not given, 1 for IDX files.
        labels: CSV or JSON lines file with labels of each photo, such as file,age; may be given
            several times. The column that names the photos is found by what its cells say.
        name_column: title of that column, where several could be meant.
        only: take the photos whose paths in the source fit this pattern, such as 'train/*'; may be
            given several times.
        count: how many photos to take, drawn by chance; all if not given. How many faces to
            draw or images to stack; 5,000 if not given.
        seed: which photos, drawings or stacks.
        workers: processes; as many as there are processors if 0.
        overwrite: replace the store that is there, once the new one is complete.
        on_fault: when more than one photo in twenty cannot be processed for one reason that
            nobody foresaw: `ask`, and write nothing; or `skip` them.
        margin: center: share of the sides that is left out at each end, so that 0.1 keeps the
            middle 80 %; face: share of the frame that is added at each end, so that 0.1 shows
            120 % of it, and -0.1 comes nearer.
        faces: of each photo, for --crop face: the main one, or all, each as a picture of its own
            that has the labels of its photo.
        enlarge: use photos in which fewer pixels than --size show what is kept, up to a quarter
            of it on each side; or refuse them. They are counted in any case.
        on_event: hears of progress, and what was found besides good photos.

    Raises:
        DataError: the source cannot be read, or the store cannot be written.
        MissingExtraError: the source or the crop needs an extra.
    """
    height, width = _parse_size(size)
    if channels not in (None, 1, 3):
        raise DataError(
            f"--channels {channels}", expected="1 (gray) or 3 (colour)", fix="--channels 3"
        )
    if count is not None and count < 1:
        raise DataError(f"--count {count}", expected="1 or more", fix="--count 1000")
    if workers < 0:
        raise DataError(
            f"--workers {workers}", expected="1 or more, or 0 for all processors", fix="--workers 0"
        )
    start, tally = time.perf_counter(), Tally(on_event)
    listener = Listener(
        tell=lambda sentence: on_event(Note(sentence)),
        on_bytes=lambda name, have, total: on_event(Progress(f"{name}, bytes", have, total)),
    )
    photos = find_source(
        source,
        size=(height, width),
        count=count,
        seed=seed,
        labels=(labels,) if isinstance(labels, Path) else labels,
        name_column=name_column,
        only=only,
        listener=listener,
    )
    images = len(photos.names)
    spec = StoreSpec(
        (height, width),
        channels or photos.channels,
        crop,
        val_fraction,
        dedupe,
        on_fault,
        margin,
        faces,
        enlarge,
    )
    with _terminated_like_interrupted():
        store, stages = write_store(
            photos,
            out,
            spec,
            workers=workers or cores(),
            overwrite=overwrite,
            on_progress=lambda more: tally("preparing", more, images),
        )
    for sentence in _besides_photos(store):
        on_event(Note(sentence))
    return Prepared(store, images, time.perf_counter() - start, stages)


def _parse_size(size: int | str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", str(size))
    sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise DataError(
            f"--size {size}",
            expected=f"pixels as S or HEIGHTxWIDTH, up to {LARGEST_SIDE}",
            fix="--size 28, or --size 64x48",
        )
    return sides


def remarks(store: Store) -> Iterator[str]:
    """What was found besides good photos when a store was made.

    Raises:
        DataError: the manifest tells it in another form.
    """
    counts, told = store.manifest["counts"], told_by(store)
    reasons = Counter(entry.reason for entry in told.quarantined)
    for reason, number in reasons.most_common():
        helps = remedy([reason])
        yield f"{number:,} set aside: {reason}" + (f"; {helps}" if helps else "")
    for key, one, many, more in (
        ("hidden", "hidden file", "hidden files", " passed over"),
        ("exact_copies", "exact copy", "exact copies", ""),
        ("near_groups", "group", "groups", " of near twins"),
        (
            "in_chains",
            "photo",
            "photos",
            " in long chains of near twins, held out one by one or not",
        ),
        ("dropped", "photo", "photos", " dropped as copies"),
        ("further_faces", "picture", "pictures", " of further faces in the same photos"),
        ("faces_left_out", "further face", "further faces", " left out as too small"),
    ):
        if count := counts.get(key):
            yield f"{count:,} {one if count == 1 else many}{more}"
    yield from told.notes
    if told.quarantined:
        yield f"which were set aside: {store.path / 'manifest.json'}, quarantined"


def _besides_photos(store: Store) -> Iterator[str]:
    """What was found besides good photos, and what the split is worth."""
    yield from remarks(store)
    counts, manifest = store.manifest["counts"], store.manifest
    if counts["quarantined"] > counts["found"] / 2:
        # Only what a crop says of photos speaks against the crop.
        reasons = Counter(entry.reason for entry in told_by(store).quarantined)
        (reason, _), *_ = reasons.most_common(1)
        blames_crop = reason.startswith(("no face found", "not the "))
        ask = "is this the right --crop for them?" if blames_crop else "is this a folder of photos?"
        yield f"most of what is there is set aside: {ask}"
    total, asked = counts["train"] + counts["val"], manifest["val_fraction"]
    if counts["val"] < FEWEST:
        share = share_for(FEWEST, total)
        yield (
            f"held out: {counts['val']}, too few for augmentation that adapts and for the doctor, "
            f"which want {FEWEST}: "
            + (f"--val-fraction {share}, or more photos" if share > asked else "more photos")
        )
    if _far_from(counts["val"], total, asked):
        yield (
            f"{counts['val']:,} of {total:,} photos are held out where {asked * total:,.0f} were "
            "asked for: groups of near twins are never divided"
        )


def _far_from(held_out: int, total: int, fraction: float) -> bool:
    """Is the count further off than a fair draw of single photos would bring it?"""
    expected = fraction * total
    chance = 3 * math.sqrt(expected * (1 - fraction))  # three standard deviations
    return abs(held_out - expected) > max(chance, 0.2 * expected)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change what a signal does
        return

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

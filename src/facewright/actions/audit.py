"""Does a generator invent faces, or replay those it was shown?"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from facewright.actions.events import OnEvent, ignore
from facewright.actions.features import Features
from facewright.actions.keeping import kept
from facewright.choices import Choice
from facewright.data.store import Store, refuse_without_held_out
from facewright.errors import DataError, FacewrightError, quoted
from facewright.images import save_png
from facewright.metrics.audit import audit as examine
from facewright.metrics.audit_result import Audit
from facewright.metrics.closeness import AuditSpace, pixel_space
from facewright.metrics.pairs import pairs_sheet
from facewright.records import environment
from facewright.sampling.image_source import GeneratedImages, ImageSource

Mirror = Literal["auto", "yes", "no"]


@dataclass(frozen=True)
class Audited:
    """The verdict, and where the closest pairs can be looked at."""

    audit: Audit
    sheet: Path | None

    @property
    def exit_status(self) -> int:
        """1 where copies were found."""
        return int(self.audit.verdict == "copies found")

    def as_json(self) -> dict[str, Any]:
        """The verdict, the evidence, and the sheet."""
        return {**self.audit.as_json(), "sheet": str(self.sheet) if self.sheet else None}


def audit(
    model: Path,
    *,
    data: Path,
    count: int | None = None,
    out: Path | None = None,
    checkpoint: Choice = "newest",
    mirror: Mirror = "auto",
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Audited:
    """Look for training photos among generated images.

    Compares how close generated images come to the photos trained on with how close held-out
    photos come, in pixels and in the features of a face network. Exit status 1: copies found.

    Examples:
        facewright audit runs/mine --data stores/mine
        facewright audit faces-28 --data stores/mine --out closest.png

    Args:
        model: run folder, bundle or name of a bundled model; or images: a folder, zip,
            tar, .npy or .npz, uint8 (N,H,W,C).
        data: the store that the generator was trained on.
        count: images; 10,000 of a model and all of a given set if not said.
        out: PNG of the 16 closest pairs; audit.png in the run folder if not said. It shows
            photos of people and stays on this machine.
        checkpoint: of a run.
        mirror: does a mirrored photo count as a photo? auto: yes, but not for digits.
        seed: of the latents and of resampling.
        on_event: hears how far features have come.

    Raises:
        FacewrightError: images that cannot be compared with the photos.
    """
    store, source = Store.open(data), ImageSource.open(model, checkpoint)
    _refuse_early(source, store, out)
    (images,) = source.images(store, count=count, seed=seed)
    found = audit_images(images, Features(store, on_event), mirror=mirror, seed=seed)
    sheet = out or (source.run / "audit.png" if source.run else None)
    if sheet is not None:
        pairs = pairs_sheet(images.pixels, store.train, found.pairs)
        if not kept(partial(save_png, pairs, sheet), "the closest pairs are", "--out PAIRS.png"):
            sheet = None
    return Audited(found, sheet)


def audit_images(
    images: GeneratedImages, computed: Features, *, mirror: Mirror = "auto", seed: int = 0
) -> Audit:
    """The verdict on one set of images.

    Args:
        images: to look for photos in.
        computed: knows the photos.
        mirror, seed: as of `audit`.

    Raises:
        MetricError: too few images or photos.
    """
    store, extractor = computed.store, computed.usual_extractor
    both_ways = mirror == "yes" or (mirror == "auto" and computed.usual != "digits")
    mirrored = computed.of("mirrored photos", store.train[:, :, ::-1])
    spaces = {
        "pixels": pixel_space(store.train, store.val, images.pixels, mirror=both_ways),
        f"{computed.usual} features": AuditSpace(
            computed.train.features(extractor),
            computed.val.features(extractor),
            computed.of(images.name, images.pixels).features(extractor),
            mirrored.features(extractor) if both_ways else None,
        ),
    }
    return examine(spaces, seed=seed)


def _refuse_early(source: ImageSource, store: Store, out: Path | None) -> None:
    """What would otherwise come out after minutes of work, or be answered wrongly."""
    refuse_without_held_out(store)
    if out is not None and (out.suffix != ".png" or out.is_dir()):
        raise FacewrightError(f"--out {out}", expected="a .png file", fix="--out pairs.png")
    if source.is_of_other_photos(store):
        run = source.model.run if source.model else None
        known = environment.read(run)["store"].get("path", "STORE") if run else "STORE"
        raise DataError(
            f"{source.path} was not trained on {store.path}",
            expected="the photos that it could have memorised",
            fix=f"facewright audit {quoted(source.path)} --data {quoted(Path(known))}",
        )

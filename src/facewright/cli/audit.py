"""`facewright audit`: does a generator invent faces, or replay those it was shown?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from rich.console import Group
from rich.text import Text
from torch import Tensor

from facewright.cache import cache_folder
from facewright.cli.feature_progress import feature_progress
from facewright.cli.subject import is_run, refuse_without_held_out, subjects, trained_on
from facewright.data.store import Store
from facewright.errors import DataError, FacewrightError
from facewright.images import save_png
from facewright.metrics.audit import audit as examine
from facewright.metrics.audit_result import Audit
from facewright.metrics.closeness import AuditSpace, pixel_space
from facewright.metrics.domain import usual_features
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.image_set import ImageSet
from facewright.metrics.pairs import pairs_sheet
from facewright.records import environment
from facewright.records.checkpoints import Which
from facewright.records.run_folder import RunFolder


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

    def __rich__(self) -> Group:
        where = (
            f"the {len(self.audit.pairs)} closest pairs: {self.sheet}\n"
            "generated left, photo right (m: mirrored); the number is the distance over that to "
            "other photos, copies are below 0.5. It shows photos: not for publication."
        )
        return Group(self.audit, Text(where if self.sheet else "no sheet of pairs: --out FILE.png"))


def audit(
    model: Annotated[Path, tyro.conf.Positional],
    *,
    data: Path,
    count: int | None = None,
    out: Path | None = None,
    checkpoint: Which = "newest",
    mirror: Literal["auto", "yes", "no"] = "auto",
    seed: int = 0,
) -> Audited:
    """Look for training photos among generated images.

    Compares how close generated images come to the photos trained on with how close held-out
    photos come, in pixels and in the features of a face network. Exit status 1: copies found.

    Args:
        model: run folder, bundle or name of a bundled model; or a folder, .zip or .npy of
            images, uint8 (N,H,W,C).
        data: the store that the generator was trained on.
        count: images; 10,000 of a model and all of a given set if not said.
        out: PNG of the 16 closest pairs; audit.png in the run folder if not said. It shows
            photos of people and stays on this machine.
        checkpoint: of a run.
        mirror: does a mirrored photo count as a photo? auto: yes, but not for digits.
        seed: of the latents and of resampling.

    Raises:
        FacewrightError: images that cannot be compared with the photos.
    """
    store, kept = Store.open(data), FeatureCache(cache_folder("features"))
    _refuse_early(model, store, out)
    (subject,) = subjects(model, store, count=count, seed=seed, checkpoint=checkpoint)
    own = usual_features(store.train)
    both_ways = mirror == "yes" or (mirror == "auto" and own != "digits")
    extractor = build_extractor(own, crop=store.crop)
    with feature_progress() as tell:

        def features(label: str, pixels: np.ndarray) -> Tensor:
            return ImageSet(label, pixels, kept, tell).features(extractor)

        spaces = {
            "pixels": pixel_space(store.train, store.val, subject.pixels, mirror=both_ways),
            f"{own} features": AuditSpace(
                features("photos", store.train),
                features("held-out photos", store.val),
                features(subject.name, subject.pixels),
                features("mirrored photos", store.train[:, :, ::-1]) if both_ways else None,
            ),
        }
    found = examine(spaces, seed=seed)
    sheet = out or (model / "audit.png" if is_run(model) else None)
    if sheet is not None:
        save_png(pairs_sheet(subject.pixels, store.train, found.pairs), sheet)
    return Audited(found, sheet)


def _refuse_early(model: Path, store: Store, out: Path | None) -> None:
    """What would otherwise come out after minutes of work, or be answered wrongly."""
    refuse_without_held_out(store)
    if out is not None and (out.suffix != ".png" or out.is_dir()):
        raise FacewrightError(f"--out {out}", expected="a .png file", fix="--out pairs.png")
    if trained_on(model) not in ("", store.content_hash):
        known = environment.read(RunFolder(model))["store"].get("path", "STORE")
        raise DataError(
            f"{model} was not trained on {store.path}",
            expected="the photos that it could have memorised",
            fix=f"facewright audit {model} --data {known}",
        )

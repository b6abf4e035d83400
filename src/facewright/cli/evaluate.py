"""`facewright evaluate`: how good are generated images, how sure, and how good could they be?"""

from functools import cache
from pathlib import Path
from typing import Annotated

import tyro

from facewright.cache import cache_folder
from facewright.cli.feature_progress import feature_progress
from facewright.cli.measured import Evaluated, Measured
from facewright.cli.subject import (
    Checkpoints,
    is_of_another_store,
    is_run,
    refuse_without_held_out,
    subjects,
    warn_of_another_store,
)
from facewright.data.store import Store
from facewright.images import save_png
from facewright.metrics.domain import usual_features
from facewright.metrics.evaluate import evaluate as measure
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.build import Precision, build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.image_set import Against, ImageSet, ReferencePhotos
from facewright.metrics.metric import LatentGenerator
from facewright.metrics.metric_request import parse
from facewright.metrics.pairs import nearest_pairs, pairs_sheet
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.reporting.curves import save_metric_curves

SHOWN = 16
"""Generated images on the sheet of neighbours."""

USUAL = {
    "face": "fid,kid,prdc,kid@face,coverage@face",
    "digits": "fd@digits,kid@digits,prdc@digits,is",
}
"""What is measured when nobody says what. To the Inception network all digits are alike."""


def evaluate(
    model: Annotated[Path, tyro.conf.Positional],
    *,
    data: Path,
    metrics: str | None = None,
    count: int | None = None,
    against: Against = "train",
    features: str = "inception",
    precision: Precision = "fp32",
    checkpoint: Checkpoints = "newest",
    figures: Path | None = None,
    seed: int = 0,
) -> Evaluated:
    """Measure the quality of generated images.

    Every number comes with a 95 % interval and its floor: what photos score against other
    photos, at the same sizes where there are enough. Features are kept, so that a second look
    takes seconds. Numbers about a run, against the photos of its own store, are added to its
    `metrics.jsonl` and appear in its report.

    Args:
        model: run folder, bundle or name of a bundled model; or a folder, .zip or .npy of
            images, uint8 (N,H,W,C).
        data: store of the photos to compare with.
        metrics: names with commas between, each as NAME or NAME@FEATURES: fid, fid_clean,
            fid_inf, fd, kid, precision, recall, density, coverage (prdc: all four), ndb,
            birthday, vendi, is, modes, ssim, swd, parzen, path_length. Default: fid, kid, prdc,
            kid@face and coverage@face; for digits fd, kid, prdc and is on their own features.
        count: images; 10,000 of a model and all of a given set if not said; of a given set
            the first ones.
        against: the photos trained on, those held out, or all.
        features: of metrics that can use any: inception, inception-clean,
            inception-tensorflow, face, digits, dinov2:WEIGHTS, or a MODEL.onnx; inception:FILE
            names the weights.
        precision: of the networks; bf16 is faster and changes FID by less than 0.1.
        checkpoint: of a run; `all` gives curves.
        figures: folder for curves (three checkpoints or more) and for a sheet of generated
            images beside the nearest photos, which stays on this machine.
        seed: of the latents and of everything random in the metrics.

    Raises:
        FacewrightError: nothing can be measured; the message says why.
    """
    store = Store.open(data)
    _refuse_early(model, store, against, figures)
    extractor = cache(lambda name: build_extractor(name, precision, crop=store.crop))
    features_of = FeatureCache(cache_folder("features"))
    with feature_progress() as tell:
        photos = ReferencePhotos(
            ImageSet("photos", store.train, features_of, tell),
            ImageSet("held-out photos", store.val, features_of, tell),
            against,
        )
        own = usual_features(store.train)
        requests = parse(metrics or USUAL[own], features)
        noted = is_run(model) and not is_of_another_store(model, store)
        found: list[Measured] = []
        fake: ImageSet | None = None
        for subject in subjects(model, store, count=count, seed=seed, checkpoint=checkpoint):
            fake = ImageSet(subject.name, subject.pixels, features_of, tell)
            made_by = subject.generator
            generator = LatentGenerator(made_by.of_latents(), made_by.z_dim) if made_by else None
            result = measure(fake, photos, requests, extractor, generator=generator, seed=seed)
            found.append(
                Measured(subject.name, subject.images_seen, against, store.content_hash, result)
            )
            if noted:
                record.append(RunFolder(model).metrics, found[-1].rows())
    if not any(measured.evaluation.results for measured in found):
        raise found[0].evaluation.refused[0].error
    if figures is None or fake is None:
        return Evaluated(tuple(found), ())
    drawn = [_draw_neighbours(fake, photos.train, extractor(own), figures)]
    rows = [row for measured in found for row in measured.rows()]
    if save_metric_curves(rows, figures / "metrics.png"):
        drawn.append(figures / "metrics.png")
    return Evaluated(tuple(found), tuple(drawn))


def _refuse_early(model: Path, store: Store, against: Against, figures: Path | None) -> None:
    """What would otherwise come out after minutes of work."""
    if against == "val":
        refuse_without_held_out(store)
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
    warn_of_another_store(model, store)


def _draw_neighbours(fake: ImageSet, train: ImageSet, extractor: Extractor, folder: Path) -> Path:
    """The first generated images beside the training photos that are nearest to them."""
    pairs = nearest_pairs(fake.features(extractor)[:SHOWN], train.features(extractor))
    save_png(pairs_sheet(fake.pixels, train.pixels, pairs), folder / "neighbours.png")
    return folder / "neighbours.png"

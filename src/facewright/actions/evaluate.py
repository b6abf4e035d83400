"""How good are generated images, how sure, and how good could they be?"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from facewright.actions.events import OnEvent, ignore
from facewright.actions.features import Features
from facewright.actions.keeping import kept
from facewright.choices import Against, Precision
from facewright.data.store import Store, refuse_without_held_out
from facewright.images import save_png
from facewright.json_form import plain
from facewright.metrics.evaluate import Evaluation
from facewright.metrics.evaluate import evaluate as measure
from facewright.metrics.image_set import ImageSet, PhotoSets
from facewright.metrics.metric import LatentGenerator
from facewright.metrics.metric_request import Request, parse
from facewright.metrics.pairs import nearest_pairs, pairs_sheet
from facewright.records import record
from facewright.records.run_folder import RunFolder
from facewright.reporting.charts import metric_charts
from facewright.reporting.curves import save_metric_curves
from facewright.sampling.image_source import GeneratedImages, ImageSource
from facewright.sampling.sample import latents_to_images

SHOWN = 16
"""Generated images on the sheet of neighbours."""

USUAL = {
    "face": "fid,kid,prdc,kid@face,coverage@face",
    "digits": "fd@digits,kid@digits,prdc@digits,is",
}
"""What is measured when nobody says what. To the Inception network all digits are alike."""


@dataclass(frozen=True)
class Measured:
    """The numbers about one set of images.

    Args:
        name: of the set.
        images_seen: by the generator in its training; `None` for somebody's images.
        against: which photos.
        data: content hash of their store.
        evaluation: the numbers.
    """

    name: str
    images_seen: int | None
    against: Against
    data: str
    evaluation: Evaluation

    def rows(self) -> list[dict[str, Any]]:
        """Each number in the form of `metrics.jsonl`."""
        place: dict[str, Any] = {
            "subject": self.name,
            "against": self.against,
            "data": self.data[:12],
        }
        if self.images_seen is not None:
            place["images_seen"] = self.images_seen
        return [plain(dataclasses.asdict(result)) | place for result in self.evaluation.results]

    def refusals(self) -> list[dict[str, Any]]:
        """Each number that is not given, with the reason."""
        return [
            {"subject": self.name, "name": refused.name, "reason": str(refused.error)}
            for refused in self.evaluation.refused
        ]


@dataclass(frozen=True)
class Evaluated:
    """The numbers about one set of images, or about each checkpoint of a run."""

    measured: tuple[Measured, ...]
    figures: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on."""
        return {
            "metrics": [row for part in self.measured for row in part.rows()],
            "refused": [row for part in self.measured for row in part.refusals()],
            "figures": [str(figure) for figure in self.figures],
        }


def evaluate(
    model: Path,
    *,
    data: Path,
    metrics: str | None = None,
    count: int | None = None,
    against: Against = "train",
    features: str = "inception",
    precision: Precision = "fp32",
    checkpoint: Literal["newest", "best", "all"] = "newest",
    figures: Path | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Evaluated:
    """Measure the quality of generated images.

    Every number comes with a 95 % interval and its floor: what photos score against other
    photos, at the same sizes where there are enough. Features are kept, so that a second look
    takes seconds. Numbers about a run, against the photos of its own store, are added to its
    `metrics.jsonl` and appear in its report.

    Examples:
        facewright evaluate runs/mine --data stores/mine
        facewright evaluate faces.zip --data stores/mine --metrics fid,coverage@face

    Args:
        model: run folder, bundle or name of a bundled model; or images: a folder, zip,
            tar, .npy or .npz, uint8 (N,H,W,C).
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
        on_event: hears how far features have come.

    Raises:
        FacewrightError: nothing can be measured; the message says why.
    """
    return evaluate_opened(
        ImageSource.open(model, checkpoint),
        Store.open(data),
        metrics=metrics,
        count=count,
        against=against,
        features=features,
        precision=precision,
        figures=figures,
        seed=seed,
        on_event=on_event,
    )


def evaluate_opened(
    source: ImageSource,
    store: Store,
    *,
    metrics: str | None = None,
    count: int | None = None,
    against: Against = "train",
    features: str = "inception",
    precision: Precision = "fp32",
    figures: Path | None = None,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Evaluated:
    """The same, of a model and a store that are open already.

    Args:
        source: of the images, with its choice of a checkpoint.
        store: of the photos to compare with.
        metrics, count, against, features, precision, figures, seed, on_event: as of `evaluate`.

    Raises:
        FacewrightError: nothing can be measured; the message says why.
    """
    # What would otherwise come out after minutes of work.
    if against == "val":
        refuse_without_held_out(store)
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
    source.warn_of_other_photos(store)
    computed = Features(store, on_event, precision)
    noted = source.run if not source.is_of_other_photos(store) else None
    requests = requested(computed, metrics, features)
    found: list[Measured] = []
    fake: ImageSet | None = None
    for images in source.images(store, count=count, seed=seed):
        measured, fake = measure_images(images, computed, requests, against=against, seed=seed)
        found.append(measured)
        if noted is not None:
            add = partial(record.append, RunFolder(noted).metrics, measured.rows())
            kept(add, "the numbers about the run are")
    if not any(measured.evaluation.results for measured in found):
        raise found[0].evaluation.refused[0].error
    if figures is None or fake is None:
        return Evaluated(tuple(found), ())
    return Evaluated(tuple(found), tuple(_drawn(found, fake, computed, figures)))


def requested(
    computed: Features, metrics: str | None, features: str = "inception"
) -> list[Request]:
    """What `--metrics` says, or what is usual for such photos.

    Args:
        computed: knows the photos.
        metrics, features: as of `evaluate`.

    Raises:
        MetricError: a metric that there is not.
    """
    return parse(metrics or USUAL[computed.usual], features)


def measure_images(
    images: GeneratedImages,
    computed: Features,
    requests: Sequence[Request],
    *,
    against: Against = "train",
    seed: int = 0,
) -> tuple[Measured, ImageSet]:
    """The numbers about one set of images, and the set with its features.

    Args:
        images: to measure.
        computed: knows the photos.
        requests: what to measure.
        against, seed: as of `evaluate`.
    """
    fake, made_by = computed.of(images.name, images.pixels), images.model
    generator = (
        LatentGenerator(latents_to_images(made_by), made_by.architecture.z_dim) if made_by else None
    )
    result = measure(
        fake,
        PhotoSets(computed.train, computed.val, against),
        requests,
        computed.extractor,
        generator=generator,
        seed=seed,
    )
    content = computed.store.content_hash
    return Measured(images.name, images.images_seen, against, content, result), fake


def _drawn(
    found: Sequence[Measured], fake: ImageSet, computed: Features, folder: Path
) -> list[Path]:
    """The figures that there is something to draw for, and room."""
    sheet, curves = folder / "neighbours.png", folder / "metrics.png"
    drawn = []
    if kept(partial(_draw_neighbours, fake, computed, sheet), "the sheet of neighbours is"):
        drawn.append(sheet)
    rows = [row for measured in found for row in measured.rows()]
    if metric_charts(rows) and kept(partial(save_metric_curves, rows, curves), "the curves are"):
        drawn.append(curves)
    return drawn


def _draw_neighbours(fake: ImageSet, computed: Features, path: Path) -> None:
    """The first generated images beside the training photos that are nearest to them."""
    extractor, train = computed.usual_extractor, computed.train
    pairs = nearest_pairs(fake.features(extractor)[:SHOWN], train.features(extractor))
    save_png(pairs_sheet(fake.pixels, train.pixels, pairs), path)

"""Every requested number about one set of images, with its interval and its floor."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facewright.errors import FacewrightError, MetricError
from facewright.metrics.estimate import check_counts
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.frechet import frechet_floor_at
from facewright.metrics.image_set import ImageSet, PhotoSets, View
from facewright.metrics.metric import LatentGenerator, Metric, MetricInputs
from facewright.metrics.metric_request import Request


@dataclass(frozen=True)
class MetricResult:
    """One metric of one set of generated images.

    Args:
        name: for example "fid"; with "@extractor" where the name alone does not say it.
        value: the number.
        interval: 95 %, over what chance in the samples may have done.
        floor: what photos score against other photos (for a metric of one set: what photos
            score) at the same sample sizes; no generator is expected to do better.
        lower_is_better: `None` when closest to the floor is best.
        n_real: photos compared with.
        n_fake: generated images.
        features: identity of the extractor, or "pixels".
        seconds: that it took, features included where it was the first to need them.
        note: what one must know to read it; "" if nothing.
        floor_n: sizes of the two sets of photos that the floor was measured on.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    floor: float | None
    lower_is_better: bool | None
    n_real: int
    n_fake: int
    features: str
    seconds: float
    note: str = ""
    floor_n: tuple[int, int] | None = None


@dataclass(frozen=True)
class Refused:
    """A number that is not given, and why."""

    name: str
    error: FacewrightError


@dataclass(frozen=True)
class Evaluation:
    """All results about one set of images."""

    results: tuple[MetricResult, ...]
    refused: tuple[Refused, ...]


def evaluate(
    fake: ImageSet,
    photos: PhotoSets,
    requests: Sequence[Request],
    extractor: Callable[[str], Extractor],
    *,
    generator: LatentGenerator | None = None,
    seed: int = 0,
) -> Evaluation:
    """Compute every requested number, each metric once.

    Args:
        fake: generated images, of the photos' size.
        photos: to compare with.
        requests: from `parse`.
        extractor: from the name of an extractor to the extractor.
        generator: that made `fake`, if there is one.
        seed: of everything random.

    Returns:
        Results in the order of the requests; what cannot be computed is listed with the reason.

    Raises:
        MetricError: images that cannot be compared with the photos, or that show nothing.
    """
    _check(fake, photos)
    inputs = MetricInputs(photos.real, View(fake), View(photos.val), None, generator, seed)
    extractor = _failing_once(extractor)
    results, refused = [], []
    known: dict[tuple[tuple[str, ...], str], Mapping[str, MetricResult] | FacewrightError] = {}
    for request in requests:
        key = (request.metric.names, request.features)
        if key not in known:
            try:
                _check_counts(request.metric, inputs)
                chosen = extractor(request.features) if request.features else None
                known[key] = _measured(
                    request, dataclasses.replace(inputs, extractor=chosen), photos
                )
            except FacewrightError as error:
                known[key] = error
        outcome = known[key]
        if isinstance(outcome, FacewrightError):
            refused.append(Refused(request.label, outcome))
        else:
            named = dataclasses.replace(outcome[request.name], name=request.label)
            results.append(named)
    return Evaluation(tuple(results), tuple(refused))


def _measured(request: Request, inputs: MetricInputs, photos: PhotoSets) -> dict[str, MetricResult]:
    """All numbers of one metric."""
    metric, started = request.metric, time.perf_counter()
    given, inputs = inputs, _limited(metric, inputs)
    values = metric.measure(inputs)
    n_real, n_fake = len(inputs.real) if metric.compares else 0, len(inputs.fake)
    floors, floor_n = _floors(metric, inputs, photos)
    seconds = round(time.perf_counter() - started, 3)
    return {
        name: MetricResult(
            name=name,
            value=estimate.value,
            interval=estimate.interval,
            floor=floors.get(name),
            lower_is_better=metric.lower_is_better,
            n_real=n_real,
            n_fake=n_fake,
            features=inputs.extractor.identity if inputs.extractor else "pixels",
            seconds=seconds,
            note=_note(metric, inputs, given),
            floor_n=floor_n if name in floors else None,
        )
        for name, estimate in values.items()
    }


def _check_counts(metric: Metric, inputs: MetricInputs) -> None:
    """Refuse too few images, before minutes of work.

    Raises:
        MetricError: fewer than the metric takes.
    """
    check_counts(len(inputs.real), len(inputs.fake), at_least=metric.at_least)


def _failing_once(make: Callable[[str], Extractor]) -> Callable[[str], Extractor]:
    """The same, but an extractor that could not be built is not tried again."""
    missing: dict[str, FacewrightError] = {}

    def extractor(name: str) -> Extractor:
        if name in missing:
            raise missing[name]
        try:
            return make(name)
        except FacewrightError as error:
            missing[name] = error
            raise

    return extractor


def _limited(metric: Metric, inputs: MetricInputs) -> MetricInputs:
    """As many images as the metric takes."""
    most = metric.at_most or max(len(inputs.real), len(inputs.fake))
    if metric.equally_many:
        most = min(most, len(inputs.real), len(inputs.fake))
    real, fake = (side.some(most, inputs.seed) for side in (inputs.real, inputs.fake))
    return dataclasses.replace(inputs, real=real, fake=fake)


def _note(metric: Metric, inputs: MetricInputs, given: MetricInputs) -> str:
    for kind, used, there in (
        ("photos", inputs.real, given.real),
        ("images", inputs.fake, given.fake),
    ):
        if metric.compares and not metric.equally_many and len(used) < len(there):
            return f"from {len(used):,} of {len(there):,} {kind}, drawn at random"
    few = min(len(inputs.real), len(inputs.fake))
    if metric.floor_at.get(metric.names[0]) is frechet_floor_at and few <= _width(inputs):
        return (
            f"with {few:,} images for {_width(inputs):,} features most of it is an excess that "
            "more images would remove: compare it with what photos score, and at equal numbers"
        )
    return metric.note


def _width(inputs: MetricInputs) -> int:
    return inputs.extractor.width if inputs.extractor else 0


def _floors(
    metric: Metric, inputs: MetricInputs, photos: PhotoSets
) -> tuple[dict[str, float], tuple[int, int]]:
    """What photos score in place of the generated images, and on how many of them."""
    n_real, n_fake = len(inputs.real), len(inputs.fake)
    if not metric.has_floor:
        return {}, (n_real, n_fake)
    if metric.compares:
        real, fake = photos.halves(n_real, n_fake, inputs.seed)
    else:
        real, fake = inputs.real, View(photos.train).some(n_fake, inputs.seed)
    photos_instead = _limited(
        metric, dataclasses.replace(inputs, real=real, fake=fake, generator=None)
    )
    sizes = (len(photos_instead.real) if metric.compares else 0, len(photos_instead.fake))
    try:
        _check_counts(metric, photos_instead)
        values = metric.measure(photos_instead)
    except MetricError:  # a generator is needed, or there are too few photos
        return {}, sizes
    floors = {name: estimate.value for name, estimate in values.items()}
    for name, floor_at in metric.floor_at.items():
        # This law holds for more images than features; else the floor stays as measured.
        if floor_at is not frechet_floor_at or min(sizes) > _width(inputs):
            floors[name] = floor_at(floors[name], *sizes, n_real, n_fake)
    return floors, sizes


def _check(fake: ImageSet, photos: PhotoSets) -> None:
    """Refuse images that are not comparable with the photos, or show nothing."""
    if fake.pixels.shape[1:] != photos.train.pixels.shape[1:]:
        raise MetricError(
            f"generated images of {_size(fake)} and photos of {_size(photos.train)}",
            expected="images of one size; resizing would change the numbers",
            fix=f"a store of the images' size: facewright prepare PHOTOS --out STORE "
            f"--size {fake.pixels.shape[1]}x{fake.pixels.shape[2]}",
        )
    if len(fake) < 2:
        raise MetricError(
            f"{len(fake)} generated images", expected="at least 2", fix="--count 10000"
        )
    for images in (fake, photos.train):
        if not _shows_something(images):
            raise MetricError(
                f"{images.label}: every image is of one single colour",
                expected="images that show something",
                fix="look at some of them; a generator that gives this was never trained, or "
                "has diverged",
            )


def _shows_something(images: ImageSet) -> bool:
    """Is there an image of more than one colour? The first one nearly always is."""
    for start in range(0, len(images), 256):
        some = images.pixels[start : start + 256]
        if (some.max(axis=(1, 2)) != some.min(axis=(1, 2))).any():
            return True
    return False


def _size(images: ImageSet) -> str:
    return "x".join(map(str, images.pixels.shape[1:]))

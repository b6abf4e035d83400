"""Every requested number about one set of images, with its interval and its floor."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facewright.errors import FacewrightError, MetricError
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.frechet import frechet_floor_at
from facewright.metrics.image_set import ImageSet, View
from facewright.metrics.metric import Generator, Metric, Sides
from facewright.metrics.metric_request import Request
from facewright.metrics.photos import Photos
from facewright.metrics.result import MetricResult


@dataclass(frozen=True)
class Refused:
    """A number that is not given, and why."""

    name: str
    error: FacewrightError


@dataclass(frozen=True)
class Evaluation:
    """What was found out about one set of images."""

    results: tuple[MetricResult, ...]
    refused: tuple[Refused, ...]


def evaluate(
    fake: ImageSet,
    photos: Photos,
    requests: Sequence[Request],
    extractor: Callable[[str], Extractor],
    *,
    generator: Generator | None = None,
    seed: int = 0,
) -> Evaluation:
    """Everything that is asked for, each metric computed once.

    Args:
        fake: generated images, of the photos' size.
        photos: to compare with.
        requests: from `parse`.
        extractor: from the name of an extractor to the extractor.
        generator: behind `fake`, if known.
        seed: of everything random.

    Returns:
        Results in the order of the requests; what cannot be computed is listed with the reason.

    Raises:
        MetricError: images that nothing can be said of.
    """
    _check(fake, photos)
    sides = Sides(photos.real, View(fake), View(photos.val), None, generator, seed)
    extractor = _asked_once(extractor)
    results, refused = [], []
    known: dict[tuple[tuple[str, ...], str], Mapping[str, MetricResult] | FacewrightError] = {}
    for request in requests:
        key = (request.metric.names, request.features)
        if key not in known:
            try:
                chosen = extractor(request.features) if request.features else None
                known[key] = _measured(
                    request, dataclasses.replace(sides, extractor=chosen), photos
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


def _measured(request: Request, sides: Sides, photos: Photos) -> dict[str, MetricResult]:
    """All numbers of one metric."""
    metric, started = request.metric, time.perf_counter()
    given, sides = sides, _limited(metric, sides)
    values = metric.measure(sides)
    n_real, n_fake = len(sides.real) if metric.compares else 0, len(sides.fake)
    floors, floor_n = _floors(metric, sides, photos)
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
            features=sides.extractor.identity if sides.extractor else "pixels",
            seconds=seconds,
            note=_note(metric, sides, given),
            floor_n=floor_n if name in floors else None,
        )
        for name, estimate in values.items()
    }


def _asked_once(make: Callable[[str], Extractor]) -> Callable[[str], Extractor]:
    """The same, but an extractor that could not be had is not looked for again."""
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


def _limited(metric: Metric, sides: Sides) -> Sides:
    """As many images as the metric takes."""
    most = metric.at_most or max(len(sides.real), len(sides.fake))
    if metric.equally_many:
        most = min(most, len(sides.real), len(sides.fake))
    real, fake = (side.some(most, sides.seed) for side in (sides.real, sides.fake))
    return dataclasses.replace(sides, real=real, fake=fake)


def _note(metric: Metric, sides: Sides, given: Sides) -> str:
    for kind, used, there in (
        ("photos", sides.real, given.real),
        ("images", sides.fake, given.fake),
    ):
        if metric.compares and not metric.equally_many and len(used) < len(there):
            return f"from {len(used):,} of {len(there):,} {kind}, drawn at random"
    few = min(len(sides.real), len(sides.fake))
    if metric.floor_at.get(metric.names[0]) is frechet_floor_at and few <= _width(sides):
        return (
            f"with {few:,} images for {_width(sides):,} features most of it is an excess that "
            "more images would remove: compare it with what photos score, and at equal numbers"
        )
    return metric.note


def _width(sides: Sides) -> int:
    return sides.extractor.width if sides.extractor else 0


def _floors(
    metric: Metric, sides: Sides, photos: Photos
) -> tuple[dict[str, float], tuple[int, int]]:
    """What photos score in place of the generated images, and on how many of them."""
    n_real, n_fake = len(sides.real), len(sides.fake)
    if not metric.has_floor:
        return {}, (n_real, n_fake)
    if metric.compares:
        real, fake = photos.halves(n_real, n_fake, sides.seed)
    else:
        real, fake = sides.real, View(photos.train).some(n_fake, sides.seed)
    photos_instead = _limited(
        metric, dataclasses.replace(sides, real=real, fake=fake, generator=None)
    )
    sizes = (len(photos_instead.real) if metric.compares else 0, len(photos_instead.fake))
    try:
        values = metric.measure(photos_instead)
    except MetricError:  # a generator is needed, or there are too few photos
        return {}, sizes
    floors = {name: estimate.value for name, estimate in values.items()}
    for name, floor_at in metric.floor_at.items():
        # This law holds for more images than features; else the floor stays as measured.
        if floor_at is not frechet_floor_at or min(sizes) > _width(sides):
            floors[name] = floor_at(floors[name], *sizes, n_real, n_fake)
    return floors, sizes


def _check(fake: ImageSet, photos: Photos) -> None:
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

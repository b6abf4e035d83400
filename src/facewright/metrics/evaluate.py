"""Every requested number about one set of images, with its interval and its floor."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facewright.errors import FacewrightError, MetricError
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.photos import Photos
from facewright.metrics.request import Request
from facewright.metrics.result import MetricResult
from facewright.metrics.table import Generator, Metric, Sides
from facewright.metrics.view import ImageSet, View


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
    results, refused = [], []
    known: dict[tuple[Metric, str], Mapping[str, MetricResult] | FacewrightError] = {}
    for request in requests:
        key = (request.metric, request.features)
        if key not in known:
            try:
                chosen = extractor(request.features) if request.features else None
                sides = Sides(photos.real, View(fake), View(photos.val), chosen, generator, seed)
                known[key] = _measured(request, sides, photos)
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
    if metric.at_most is not None:
        real, fake = (side.some(metric.at_most, sides.seed) for side in (sides.real, sides.fake))
        sides = dataclasses.replace(sides, real=real, fake=fake)
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
            note=metric.note,
            floor_n=floor_n if name in floors else None,
        )
        for name, estimate in values.items()
    }


def _floors(
    metric: Metric, sides: Sides, photos: Photos
) -> tuple[dict[str, float], tuple[int, int]]:
    """What photos score in place of the generated images, and on how many of them."""
    n_real, n_fake = len(sides.real), len(sides.fake)
    if metric.compares:
        real, fake = photos.halves(n_real, n_fake, sides.seed)
    else:
        real, fake = sides.real, View(photos.train).some(n_fake, sides.seed)
    sizes = (len(real) if metric.compares else 0, len(fake))
    try:
        photos_instead = dataclasses.replace(sides, real=real, fake=fake, generator=None)
        values = metric.measure(photos_instead)
    except MetricError:  # a generator is needed, or there are too few photos
        return {}, sizes
    if metric.floor_at is None:
        return {name: estimate.value for name, estimate in values.items()}, sizes
    brought = {
        name: metric.floor_at(estimate.value, *sizes, n_real, n_fake)
        for name, estimate in values.items()
    }
    return brought, sizes


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
        raise MetricError(f"{len(fake)} generated images", expected="at least 2")
    for images in (fake, photos.train):
        first = images.pixels[:1]
        if not first.std() and (images.pixels == first).all():
            raise MetricError(
                f"{images.label} are of one single colour", expected="images that show something"
            )


def _size(images: ImageSet) -> str:
    return "x".join(map(str, images.pixels.shape[1:]))

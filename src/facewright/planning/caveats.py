"""What limits a plan: its caveats, in sentences."""

from collections.abc import Iterator

from facewright.config import Config
from facewright.data.split import FEWEST, share_for
from facewright.planning.fit import Fit
from facewright.planning.measured import Entry
from facewright.planning.pace import HOUR, hours_for
from facewright.planning.quality import ExpectedQuality, best_point
from facewright.planning.request import Candidate, PlanRequest
from facewright.reporting.words import duration

FEW = 5_000
"""Photos below which a discriminator is likely to memorise them. A judgement; what would settle it
are trainings on 1,000 to 20,000 photos of one kind, with and without adaptive distortions."""
EASY = 64
"""Pixels on a side up to which a CPU trains in hours."""
LIKE = 2.0
"""Ratio of two numbers of photos up to which a curve measured on one is used for the other."""
WIDE = 0.25
"""Range of the speeds, as a share of their median, above which other programs must have run."""


def about(
    candidate: Candidate,
    request: PlanRequest,
    fitting: Fit,
    quality: ExpectedQuality | None,
    config: Config,
) -> tuple[str, ...]:
    """Everything that limits what a plan says.

    Args:
        candidate: the recipe.
        request: what was asked for.
        fitting: its batch.
        quality: to be expected.
        config: all settings of the plan.
    """
    return (
        *_of_the_size(candidate, request, fitting),
        *_of_the_quality(candidate, request, fitting, quality),
        *_of_few_photos(candidate, request, config),
        *_of_the_batch(candidate, request, fitting),
        *_of_the_speed(request, fitting),
    )


def rival(recipe: str, quality: ExpectedQuality | None) -> str:
    """Another recipe that would suit, and what it would give in the same time."""
    if quality is None:
        return f"{recipe} would suit, too; its quality here was not measured."
    photos = " and ".join(quality.data)
    if quality.bound == "not as good":
        return (
            f"{recipe} would suit, too, but the time is too short for the fewest images of it that "
            f"were ever measured: {quality.images:,}, after which FID on {photos} was "
            f"{quality.fid:.1f}."
        )
    return f"{recipe} would suit, too, and give {in_words(quality)} on {photos} in the same time."


def in_words(quality: ExpectedQuality) -> str:
    """The band in words, which differ where it was not read between two measurements."""
    band = f"{quality.low:.1f} to {quality.high:.1f}"
    images = f"{quality.images:,} images"
    return {
        "between": f"FID {band}",
        "never so long": f"FID {band}, as after {images} (longer was never measured)",
        "not as good": f"FID above {quality.low:.1f}, which takes {images}",
    }[quality.bound]


def _of_the_size(candidate: Candidate, request: PlanRequest, fitting: Fit) -> Iterator[str]:
    entry, photos = candidate.entry, request.photos
    _, height, width = photos.shape
    if not entry.is_for(photos.shape):
        loss = candidate.config.loss
        yield (
            f"No recipe that suits this {_named(request.device)} is made for {height}x{width}: "
            f"{entry.name} is for {entry.size} px. Its networks fit, but their quality at this "
            "size was never measured"
            + (", and its penalty is scaled by a rule." if loss.r1 or loss.r2 else ".")
        )
    if entry.device != request.suited_to:
        yield f"{entry.name} is made for a {_named(entry.device)}."
    if request.device == "cpu" and photos.size > EASY:
        images = candidate.config.train.images
        takes = hours_for(images, fitting.speed.images_per_second, candidate.config.record)
        yield (
            f"{height}x{width} is much for a CPU: all {images:,} images of the recipe would take "
            f"{duration(HOUR * takes)} here. At 28 px, which `facewright prepare ... --size 28` "
            f"makes, an image has {(photos.size / 28) ** 2:.0f} times fewer pixels."
        )


def _of_the_quality(
    candidate: Candidate, request: PlanRequest, fitting: Fit, quality: ExpectedQuality | None
) -> Iterator[str]:
    entry, count = candidate.entry, request.photos.count
    if quality is None:
        if entry.is_for(request.photos.shape):
            yield f"The quality of {entry.name} was {_promises_nothing(entry, count)}."
        return
    photos = quality.photos[0]
    alike = 1 / LIKE <= count / photos <= LIKE
    trainings = "one training" if quality.trainings == 1 else f"{quality.trainings} trainings"
    yield (
        f"FID was measured of {trainings} on {' and '.join(quality.data)}, {photos:,} photos: "
        f"{quality.protocol}. Another training or other photos give other numbers"
        + ("." if alike else f", and so does another number of them: yours are {count:,}.")
    )
    best = best_point(entry, count)
    if best is not None and quality.images >= best.images:
        takes = hours_for(best.images, fitting.speed.images_per_second, candidate.config.record)
        yield (
            f"The best that was measured, FID {best.fid:.1f}, took {best.images:,} images, which "
            f"are {duration(HOUR * takes)} here; no gain from more hours is known."
        )


def _promises_nothing(entry: Entry, count: int) -> str:
    if not entry.curves:
        return "never measured in numbers that could be promised"
    fewest = min(curve.photos for curve in entry.curves)
    return f"measured on {fewest:,} photos or more; of {count:,} nothing can be promised"


def _of_few_photos(candidate: Candidate, request: PlanRequest, config: Config) -> Iterator[str]:
    count, augment = request.photos.count, config.augment
    if candidate.config.augment.adaptive and not augment.adaptive:
        yield (
            f"The recipe's distortions adapt by {FEWEST} held-out photos or more, and there are "
            f"{request.photos.held_out}: hence a fixed probability, {augment.probability}, which "
            f"was not measured. Better: {_held_out(request)}."
        )
    if count >= FEW:
        return
    caution = f"{count:,} photos are few: the discriminator may memorise them"
    if augment.adaptive:
        yield f"{caution}; the recipe's adaptive distortions are there to prevent it."
        return
    if candidate.config.augment.adaptive:
        yield f"{caution}. Afterwards: facewright audit."
        return
    remedy = "--set augment.adaptive=true"
    if config.schedule.augment_from != 1:
        remedy += " --set schedule.augment_from=1"
    if request.photos.held_out < FEWEST:
        remedy += f", with held-out photos ({_held_out(request)})"
    yield f"{caution}. Against it: {remedy}; and afterwards facewright audit."


def _held_out(request: PlanRequest) -> str:
    share = share_for(FEWEST, request.photos.count + request.photos.held_out)
    return f"facewright prepare ... --val-fraction {share}"


def _of_the_batch(candidate: Candidate, request: PlanRequest, fitting: Fit) -> Iterator[str]:
    own, measured = candidate.config.train.batch, fitting.speed.batch
    if fitting.lacking:
        assert request.available_memory is not None
        need, available = fitting.lacking / 2**20, request.available_memory / 2**20
        yield (
            f"The recipe's batch of {own} needs {need:,.0f} MiB and there are {available:,.0f}, "
            "for all programs: "
            + (
                f"hence a smaller one, which is another training ({fitting.reason})."
                if fitting.reason
                else "hence micro-batches, which give the same updates."
            )
        )
    if measured != own:
        less = "" if fitting.lacking else " in seconds; in larger ones an image takes less"
        yield (
            f"The speed is that of batches of {measured}, the nearest that could be measured{less}."
        )


def _of_the_speed(request: PlanRequest, fitting: Fit) -> Iterator[str]:
    speed = fitting.speed
    if speed.high - speed.low > WIDE * speed.images_per_second:
        yield (
            f"The speed went from {speed.low:,.0f} to {speed.high:,.0f} images/s within seconds: "
            "other programs are running. Stop them and plan again for a better answer."
        )
    if request.device == "cuda":
        yield "What a run spends on its records was measured on a CPU; here it may be more."
    if request.device == "mps":
        yield (
            "Nothing was ever measured on an Apple GPU (mps): the recipe is one for CPUs, the "
            "speed is this machine's, and the cost of records was measured on a CPU."
        )


def _named(device: str) -> str:
    return {"cpu": "CPU", "cuda": "GPU", "mps": "GPU"}[device]

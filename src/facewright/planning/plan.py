"""What to train, for how long and with what result, decided from measurements alone."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from facewright import settings
from facewright.config import Config
from facewright.data.split import FEWEST
from facewright.objective.penalties import PENALTY_POWER
from facewright.planning import caveats
from facewright.planning.choice import StoreSummary
from facewright.planning.fit import fit
from facewright.planning.measured import Entry
from facewright.planning.pace import HOUR, hours_for, images_in
from facewright.planning.quality import ExpectedQuality, quality_after
from facewright.planning.request import Candidate, PlanRequest
from facewright.planning.shorter import schedule_for, shorter
from facewright.planning.speed import Speed
from facewright.training.adaptive_augmentation import UNSTEERED


@dataclass(frozen=True)
class Plan:
    """A training that fits into the time.

    Args:
        recipe: its name.
        config: all settings.
        changes: those that differ from the recipe's, as "section.key=value".
        speed: of the measured batch size that is nearest to the plan's.
        memory_bytes: of the whole run at its peak.
        seconds: that it takes.
        ends: when, local time.
        quality: to be expected; `None` where nothing comparable was measured.
        command: that trains it.
        notes: what to bear in mind.
        measured: all speeds.
    """

    recipe: str
    config: Config
    changes: tuple[str, ...]
    speed: Speed
    memory_bytes: int
    seconds: float
    ends: datetime
    quality: ExpectedQuality | None
    command: str
    notes: tuple[str, ...]
    measured: tuple[Speed, ...]


def plan_for(candidate: Candidate, request: PlanRequest) -> Plan:
    """The training of one recipe that fits into the time.

    Raises:
        FacewrightError: not one step fits into the time, or nothing into the memory.
    """
    entry, recipe, photos = candidate.entry, candidate.config, request.photos
    fitting = fit(candidate, request)
    speed = fitting.speed.images_per_second
    batched = settings.override(recipe, fitting.changes, origin="the plan")
    images = _images(request.hours, speed, batched)
    changes = (
        f"train.images={images}",
        *fitting.changes,
        *schedule_for(recipe, images),
        *shorter(batched, images),
        *_penalties(entry, recipe, photos.size),
        *_distortions(recipe, photos),
    )
    config = settings.override(recipe, changes, origin="the plan")
    seconds = HOUR * hours_for(images, speed, config.record)
    # FID at another size is another number.
    quality = quality_after(entry, photos.count, images) if entry.is_for(photos.shape) else None
    return Plan(
        recipe=entry.name,
        config=config,
        changes=changes,
        speed=fitting.speed,
        memory_bytes=fitting.memory_bytes,
        seconds=seconds,
        ends=request.now + timedelta(seconds=seconds),
        quality=quality,
        command=_command(entry.name, request, changes),
        notes=caveats.about(candidate, request, fitting, quality, config),
        measured=candidate.speeds,
    )


def best_of(plans: Sequence[Plan]) -> Plan:
    """The plan with the best images to be expected; its notes say what the others would give.

    Args:
        plans: one or more, for the same request. The first is taken where they cannot be
            compared, because something was not measured, or not on the same photos.
    """
    grounds = {(p.quality.data, p.quality.protocol) if p.quality else None for p in plans}
    comparable = len(grounds) == 1 and None not in grounds
    first, *others = sorted(plans, key=_promise) if comparable else plans
    rivals = tuple(caveats.rival(other.recipe, other.quality) for other in others)
    return replace(first, notes=first.notes + rivals)


def _promise(plan: Plan) -> tuple[bool, float]:
    """Lower is better; of a run that is shorter than what was measured nothing is known."""
    assert plan.quality is not None
    return plan.quality.bound == "not as good", plan.quality.fid


def _images(hours: float, images_per_second: float, config: Config) -> int:
    """Images in so many hours: the fewer they are, the more often records interrupt them."""
    images = images_in(hours, images_per_second, config)
    while True:
        recorded = settings.override(config, shorter(config, images), origin="the plan")
        fewer = images_in(hours, images_per_second, recorded)
        if fewer >= images:
            return images
        images = fewer


def _penalties(entry: Entry, recipe: Config, size: float) -> tuple[str, ...]:
    """Weights for another size than the recipe's."""
    if size == entry.size:
        return ()
    times = (size / entry.size) ** PENALTY_POWER
    weights = {"r1": recipe.loss.r1, "r2": recipe.loss.r2}
    return tuple(
        f"loss.{name}={float(f'{times * weight:.2g}')}"
        for name, weight in weights.items()
        if weight
    )


def _distortions(recipe: Config, photos: StoreSummary) -> tuple[str, ...]:
    """Ones that need no held-out photos, where there are too few to steer by."""
    if not recipe.augment.adaptive or photos.held_out >= FEWEST:
        return ()
    return ("augment.adaptive=false", f"augment.probability={UNSTEERED}")


def _command(recipe: str, request: PlanRequest, changes: Sequence[str]) -> str:
    """What to type, ready for a shell."""
    words = ["facewright", "train", "--recipe", recipe, "--data", str(request.photos.store)]
    words += ["--out", str(request.run), *request.options]
    words += [word for change in changes for word in ("--set", change)]
    return shlex.join(words)

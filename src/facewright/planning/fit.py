"""Does the recipe's batch fit into the memory, and if not, which one does?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from facewright.errors import RunError
from facewright.planning.request import Candidate, PlanRequest
from facewright.planning.speed import Speed
from facewright.training.memory import estimate, memory_overhead
from facewright.training.shortage import FILLED, advice


@dataclass(frozen=True)
class Fit:
    """A batch that fits.

    Args:
        changes: of the recipe's settings that it takes, as "section.key=value"; often none.
        speed: of the measured batch size that is nearest to it, or to one of its micro-batches.
        memory_bytes: of the run at its peak: as measured, or by estimate, and its overhead.
        lacking: what the recipe's own batch would need, in bytes; 0 if there is as much.
        reason: why the batch was made smaller and not divided; "" if it was not.
    """

    changes: tuple[str, ...]
    speed: Speed
    memory_bytes: int
    lacking: int = 0
    reason: str = ""


def fit(candidate: Candidate, request: PlanRequest) -> Fit:
    """The recipe's batch, whole or in micro-batches; where it cannot be divided, a smaller one.

    Raises:
        RunError: nothing fits.
    """
    config, speeds, shape = candidate.config, candidate.speeds, request.photos.shape
    beside, by_estimate = memory_overhead(request.device), estimate(config, shape).total
    seen = next((s.memory_bytes for s in speeds if s.batch == config.train.batch), None)
    need, available = (seen or by_estimate) + beside, request.available_memory
    if available is None or need <= FILLED * available:
        return Fit((), _nearest(speeds, config.train.batch), need)
    # The measurement says by how much the estimate is wrong for this recipe, on this machine.
    wrong = (need - beside) / by_estimate
    advised = advice(config, shape, 1, int(available / wrong), int(beside / wrong))
    if advised.micro_batch:
        name, images = "micro_batch", advised.micro_batch
    elif advised.batch:
        name, images = "batch", advised.batch
    else:
        raise RunError(
            f"about {need / 2**20:,.0f} MiB for a batch of {config.train.batch}",
            expected=f"at most {FILLED:.0%} of the {available / 2**20:,.0f} MiB there are",
            fix="facewright prepare PHOTOS --out STORE --size 28",
        )
    smaller = replace(config, train=replace(config.train, **{name: images}))
    return Fit(
        (f"train.{name}={images}",),
        _nearest(speeds, images),
        int(wrong * estimate(smaller, shape).total) + beside,
        need,
        advised.reason,
    )


def _nearest(speeds: Sequence[Speed], images: int) -> Speed:
    """That of the batch size nearest to so many images, by ratio."""
    return min(speeds, key=lambda speed: abs(math.log(speed.batch / images)))

"""How many images are shown in so many hours, all that a run does besides training included?"""

import math

from facewright.config import Config, RecordConfig
from facewright.errors import FacewrightError

RECORDS = {
    "snapshot_images": (0.031, 12_800),
    "equilibrium_images": (0.054, 256_000),
    "checkpoint_images": (0.024, 90_000),
}
"""What the doctor's snapshots, the equilibrium probe and the scores of checkpoints take, as a share
of training itself, and after how many images each was made when that was measured:
docs/experiments, `classic-celeba28` on two cores. Never measured on a GPU."""

HOUR = 3600.0


def overhead(record: RecordConfig) -> float:
    """What a run spends on its records, as a share of the seconds in which it trains.

    Half as often costs half as much. Wanted before other recipes rely on it: the same
    measured with theirs, and on a GPU.
    """
    wanted = {name: getattr(record, name) for name in RECORDS}
    if record.score_samples == 0:
        wanted["checkpoint_images"] = 0
    return sum(
        share * then / wanted[name] for name, (share, then) in RECORDS.items() if wanted[name]
    )


def images_in(hours: float, images_per_second: float, config: Config) -> int:
    """Images that can be shown in so many hours, rounded down to two digits.

    Args:
        hours: for all of the run; above 0.
        images_per_second: of training alone.
        config: of the run.

    Raises:
        FacewrightError: not even one step fits.
    """
    images = round_down(hours * HOUR * images_per_second / (1 + overhead(config.record)))
    step = config.train.batch * config.train.d_steps
    if images < step:
        least = hours_for(step, images_per_second, config.record)
        raise FacewrightError(
            f"--hours {hours:g}: not one step of {step} images fits into it",
            expected=f"at least {2 * least:.2g}",
            fix="--hours 0.5",
        )
    return images


def hours_for(images: int, images_per_second: float, record: RecordConfig) -> float:
    """How long it takes to show so many images."""
    return images / images_per_second * (1 + overhead(record)) / HOUR


def round_down(count: float) -> int:
    """The count with its two first digits, and zeros: 1,234,567 becomes 1,200,000."""
    if count < 100:
        return int(count)
    unit = 10 ** (math.floor(math.log10(count)) - 1)
    return int(count // unit) * unit

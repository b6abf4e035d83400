"""What changes with the length of a run, if it is not that of its recipe."""

from facewright.config import Config
from facewright.planning.pace import RECORDS, round_down

INTERVALS = ("checkpoint_images", "sample_images", "snapshot_images", "equilibrium_images")
"""What a run writes down after so many images each."""

LOOK_STEPS = 200
"""Fewest steps between two snapshots of the doctor: as many as it is silent for at first."""

LOOKS = 8
"""Snapshots of the doctor in a run of any length: a finding takes two, and at first the doctor is
silent."""

DEAREST = 0.1
"""Share of training that each kind of record may take when it is made more often. A judgement:
a record takes as long in a short run, where there is less to record."""


def shorter(config: Config, images: int) -> tuple[str, ...]:
    """The intervals of records that shrink with a run, in its proportion, as "section.key=value".

    Otherwise a short run that is stopped before its first checkpoint would lose everything.

    Args:
        config: of the recipe, with the run's batch, but the recipe's number of images.
        images: of the run.

    Returns:
        Those that change; none in a run that is as long as the recipe's, or longer.
    """
    part = images / config.train.images
    changed = []
    for name in INTERVALS:
        before = getattr(config.record, name)
        after = max(_least(config, name), round_down(part * before))
        if after < before:
            changed.append(f"record.{name}={after}")
    return tuple(changed)


def looks_in(config: Config, images: int) -> int:
    """The images between two snapshots of the doctor, of which a short run has about eight.

    Args:
        config: of the run.
        images: of the run.
    """
    return max(LOOK_STEPS * _shown(config), round_down(images / LOOKS))


def schedule_for(config: Config, images: int) -> tuple[str, ...]:
    """The schedule in the run's proportion, as "section.key=value".

    Args:
        config: of the recipe.
        images: of the run.

    Returns:
        Nothing where there is no schedule.
    """
    counts = {"after": config.schedule.after, "images": config.schedule.images}
    return tuple(
        f"schedule.{name}={max(1, round_down(count * images / config.train.images))}"
        for name, count in counts.items()
        if count
    )


def _least(config: Config, name: str) -> int:
    """How short an interval makes sense, in images."""
    step = _shown(config)
    if name == "checkpoint_images" and config.record.score_samples == 0:
        return step
    share, then = RECORDS.get(name, (0.0, 0))
    steps = LOOK_STEPS if name == "snapshot_images" else 1
    return max(steps * step, round(share * then / DEAREST))


def _shown(config: Config) -> int:
    """Images in a step."""
    return config.train.batch * config.train.d_steps

"""The settings in force, which follow from the images seen, so that no state is needed."""

import math
from dataclasses import replace
from functools import partial

from facewright.config import Config, LossConfig, ScheduleConfig
from facewright.objective.penalties import PENALTIES


def in_force(config: Config, images_seen: int) -> Config:
    """The settings of a run after so many images.

    At first both players gain by large steps and strong penalties; later those keep them from
    converging. Each scheduled setting keeps its first value for
    `schedule.after` images, goes to its last over `schedule.images` along half a cosine, flat
    at both ends, and stays there. A generator that is held has a learning rate of 0.

    Args:
        config: all settings; what `[schedule]` does not name stays as it is.
        images_seen: by the discriminator.

    Source: Huang et al. 2024, arXiv:2501.05441, whose burn-in is 20 M images long. They
    start the average's half-life at 0, so that it forgets the random weights at once.
    Adam's correction of its first steps takes beta2 for constant: in a burn-in of fewer
    updates than a few times 1 / (1 - beta2) the steps come out smaller than they should.
    Rates that fall late and briefly: Hägele et al. 2024, arXiv:2405.18392.
    """
    schedule = config.schedule
    if images_seen < config.train.hold_generator:
        # Not by leaving its updates out: its loss is recorded, and Adam's moments get to know
        # the discriminator.
        config = replace(config, optimiser=replace(config.optimiser, lr_g=0.0))
    if schedule.images == 0:
        return config
    between = partial(_between, _last_part(schedule, images_seen))
    now, loss = config.optimiser, config.loss
    lr, penalty = lr_factor(schedule, images_seen), between(1, schedule.penalty_to)
    ema, augment = between(schedule.ema_from, 1), between(schedule.augment_from, 1)
    beta2 = between(now.beta2, schedule.beta2_to or now.beta2)
    return replace(
        config,
        optimiser=replace(now, lr_g=lr * now.lr_g, lr_d=lr * now.lr_d, beta2=beta2),
        loss=_times(loss, penalty),
        augment=replace(config.augment, probability=augment * config.augment.probability),
        train=replace(config.train, ema_images=ema * config.train.ema_images),
    )


def lr_factor(schedule: ScheduleConfig, images_seen: int) -> float:
    """The learning rates after so many images, over those set, in a schedule of some length."""
    return _between(_last_part(schedule, images_seen), 1, schedule.lr_to)


def in_update(loss: LossConfig, number: int) -> LossConfig:
    """The weights in one update of the discriminator: lazy penalties skip most of them.

    Gradients of the logit change slowly, and measuring them costs as much as the update itself.
    Added to every k-th update only, and k times as strong, penalties pull as hard on average.

    Args:
        loss: as in force.
        number: of the update, over the whole run.

    Source: Karras et al. 2020, arXiv:1912.04958, appendix B. There a penalty is an update
    of its own, hence they change Adam's settings; here it shares the loss's.
    """
    if loss.penalty_every == 1:
        return loss
    is_due = (number + 1) % loss.penalty_every == 0
    return _times(loss, loss.penalty_every if is_due else 0)


def _last_part(schedule: ScheduleConfig, images_seen: int) -> float:
    """How much of the way to their last values settings have gone, from 0 to 1."""
    gone = min(1.0, max(0, images_seen - schedule.after) / schedule.images)
    return (1 - math.cos(math.pi * gone)) / 2


def _between(part: float, first: float, last: float) -> float:
    # Not first + part * (last - first), which misses the last value by a rounding.
    return (1 - part) * first + part * last


def _times(loss: LossConfig, factor: float) -> LossConfig:
    """With all penalties on the discriminator's gradient so many times as strong."""
    return replace(loss, **{name: factor * getattr(loss, name) for name in PENALTIES})

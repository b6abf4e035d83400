"""Settings without effect beside the others, which were most likely set to have one."""

import dataclasses

from facewright import settings
from facewright.config import Config, ScheduleConfig
from facewright.objective import diffaugment, warp
from facewright.objective.penalties import PENALTIES, active_penalties

NETWORKS = {
    "width": ("dcgan", "mlp"),
    "full_width": ("dcgan",),
    "colour": ("dcgan",),
    "kernel": ("dcgan",),
    "activation": ("dcgan",),
    "normalisation": ("dcgan",),
    "dropout": ("mlp",),
    "widths": ("resnext",),
    "blocks": ("resnext",),
    "group_width": ("resnext",),
    "patch": ("resnext",),
}
"""Settings of the model that belong to some networks only."""
KINDS = (*diffaugment.POLICIES, *warp.POLICIES)


def unused_settings(config: Config) -> list[str]:
    """Each setting that is not at its default and has no effect, with the reason."""
    loss, augment = config.loss, config.augment
    penalties = active_penalties(loss).values()
    penalised = bool(penalties)
    distorted = augment.adaptive or augment.probability > 0
    some_kind = any(getattr(augment, kind) for kind in KINDS)
    adapts = dict.fromkeys(("signal", "target", "images", "maximum"), augment.adaptive)
    still = dataclasses.replace(config.schedule, images=0, after=0)
    changes = still != ScheduleConfig()
    # With labels, spectral norm is also for what they become in the discriminator.
    embedded = config.model.normalisation == "spectral" and bool(config.data.labels)
    sloped = [f"loss.{name}" for name, one in PENALTIES.items() if one.uses_slope]
    rules = {
        **{
            f"model.{name}": (
                config.model.name in networks or (name == "normalisation" and embedded),
                f"is for {' and '.join(networks)}",
            )
            for name, networks in NETWORKS.items()
        },
        "loss.slope": (
            any(one.uses_slope for one in penalties),
            f"is how {' and '.join(sloped)} are measured, and all are 0",
        ),
        "loss.penalty_every": (penalised, "is for penalties, and there are none"),
        "loss.instance_noise_images": (loss.instance_noise > 0, "fades loss.instance_noise of 0"),
        "augment.probability": (some_kind, "has no kind of distortion to choose from"),
        "augment.adaptive": (some_kind, "has no kind of distortion to choose from"),
        **{
            f"augment.{kind}": (distorted, "is for distortions, and there are none")
            for kind in KINDS
        },
        **{f"augment.{name}": (acts, "is for augment.adaptive") for name, acts in adapts.items()},
        **{
            f"schedule.{name}": (changes, "is for values that change, and none does")
            for name in ("images", "after")
        },
        "schedule.penalty_to": (penalised, "is for penalties, and there are none"),
        "schedule.augment_from": (distorted, "is for distortions, and there are none"),
    }
    changed = {line.partition(":")[0] for line in settings.differences(Config(), config)}
    return [f"{name} {why}" for name, (acts, why) in rules.items() if name in changed and not acts]

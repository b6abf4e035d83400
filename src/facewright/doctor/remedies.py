"""What to try against each verdict: changes of settings that can be taken back.

Remedies that change the game or the networks (relativistic losses, spectral norm, a wider
discriminator) often help more, but ask for a new run; the checks name them in words.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from facewright import settings
from facewright.config import Config, OptimiserConfig
from facewright.data.store import Store
from facewright.errors import FacewrightError
from facewright.objective.penalties import PENALTY_POWER
from facewright.records.run_history import RunHistory

Values = dict[str, float | int]
"""New values by setting, "section.key"."""

Change = Callable[[Config, int], Values | None]
"""Settings and image size to new values; `None` where the remedy does not apply."""

USUAL_LR, USUAL_BETA1 = OptimiserConfig().lr_g, OptimiserConfig().beta1
FAR = 4
"""How many times the usual, or what part of it, makes a learning rate the first suspect."""
LEAST_LR, GREATEST_LR = 1e-6, 2e-3
USUAL_NOISE, MUCH_NOISE = 0.05, 0.3
"""Standard deviation of instance noise, where photos lie in [-1, 1] and scatter by about 0.5."""
LR_RATIO = 4
"""How many times faster than the generator a discriminator may learn: as in SAGAN."""
MOST_ROUNDS = 5
MOST_SUGGESTIONS = 3
"""Commands offered against one problem, each with another remedy."""


@dataclass(frozen=True)
class ConfigRemedy:
    """One change that may help.

    Args:
        code: its name in `remedies.jsonl`.
        sentence: what is done, for people.
        change: what it does to the settings.
        source: who found it to help.
    """

    code: str
    sentence: str
    change: Change
    source: str


def initial_weight(size: int) -> float:
    """A weight of R1 or R2 to begin with, for images of so many pixels on a side.

    Gradients of the logit grow with the number of pixels. Twice the weights of Huang et al. 2024,
    arXiv:2501.05441, as batches here are small; never below 1, which holds 28 px well.
    """
    return round(max(1.0, 4 * (size / 64) ** PENALTY_POWER), 1)


def _usual_rates(config: Config, _size: int) -> Values | None:
    now = {"optimiser.lr_g": config.optimiser.lr_g, "optimiser.lr_d": config.optimiser.lr_d}
    far = [name for name, lr in now.items() if not USUAL_LR / FAR <= lr <= USUAL_LR * FAR]
    return dict.fromkeys(far, USUAL_LR) or None


def _slower(g: float, d: float) -> Change:
    def change(config: Config, _size: int) -> Values | None:
        now = {
            "optimiser.lr_g": (config.optimiser.lr_g, g),
            "optimiser.lr_d": (config.optimiser.lr_d, d),
        }
        slowed = {
            name: _tidy(min(max(lr * by, LEAST_LR), GREATEST_LR))
            for name, (lr, by) in now.items()
            if by < 1
        }
        return {name: lr for name, lr in slowed.items() if lr < now[name][0]} or None

    return change


def _faster(config: Config, _size: int) -> Values | None:
    now = {"optimiser.lr_g": config.optimiser.lr_g, "optimiser.lr_d": config.optimiser.lr_d}
    raised = {name: _tidy(min(10 * lr, GREATEST_LR)) for name, lr in now.items()}
    return {name: lr for name, lr in raised.items() if lr > now[name]} or None


def _generator_keeps_up(config: Config, _size: int) -> Values | None:
    lr = _tidy(min(config.optimiser.lr_d / LR_RATIO, USUAL_LR))
    return {"optimiser.lr_g": lr} if lr > config.optimiser.lr_g else None


def _discriminator_keeps_up(config: Config, _size: int) -> Values | None:
    lr_g, lr_d = config.optimiser.lr_g, config.optimiser.lr_d
    lr = _tidy(min(max(LR_RATIO * lr_d, lr_g), LR_RATIO * lr_g, GREATEST_LR))
    return {"optimiser.lr_d": lr} if lr > lr_d else None


def _stronger_penalty(setting: str) -> Change:
    """Add R1 or R2, or make it four times as strong."""

    def change(config: Config, size: int) -> Values | None:
        now, first = getattr(config.loss, setting), initial_weight(size)
        if now >= 16 * first:
            return None
        return {f"loss.{setting}": max(4 * now, first)}

    return change


def _weaker_penalty(config: Config, size: int) -> Values | None:
    """Penalties so strong that the discriminator cannot tell anything apart."""
    now = {"loss.r1": config.loss.r1, "loss.r2": config.loss.r2}
    least = initial_weight(size)
    return {name: least for name, weight in now.items() if weight > 16 * least} or None


def _usual_momentum(config: Config, _size: int) -> Values | None:
    return {"optimiser.beta1": USUAL_BETA1} if config.optimiser.beta1 > USUAL_BETA1 else None


def _no_momentum(config: Config, _size: int) -> Values | None:
    return {"optimiser.beta1": 0.0} if config.optimiser.beta1 > 0 else None


def _instance_noise(config: Config, _size: int) -> Values | None:
    if config.loss.instance_noise > 0:
        return None
    return {"loss.instance_noise": 0.1, "loss.instance_noise_images": config.train.images}


def _less_noise(config: Config, _size: int) -> Values | None:
    """Noise that hides the photos from the discriminator for as long as it lasts."""
    return {"loss.instance_noise": USUAL_NOISE} if config.loss.instance_noise > MUCH_NOISE else None


def _augmentation(probability: float) -> Change:
    def change(config: Config, _size: int) -> Values | None:
        # One that adapts has a life of its own, which this setting only began.
        applies = config.augment.probability < probability and not config.augment.adaptive
        return {"augment.probability": probability} if applies else None

    return change


def _adaptive_augmentation(config: Config, _size: int) -> Values | None:
    augment = config.augment
    # A schedule of its own, or a probability beyond the maximum, excludes adapting; signs need
    # a game with an absolute verdict.
    able = (
        config.schedule.augment_from == 1
        and augment.probability <= augment.maximum
        and augment.signal == "held-out"
    )
    applies = able and not augment.adaptive
    return {"augment.adaptive": True} if applies else None


def _one_discriminator_round(config: Config, _size: int) -> Values | None:
    return {"train.d_steps": 1} if config.train.d_steps > 1 else None


def _one_answer(config: Config, _size: int) -> Values | None:
    return {"train.g_steps": 1} if config.train.g_steps > 1 else None


def _more_discriminator_rounds(config: Config, _size: int) -> Values | None:
    rounds = min(2 * config.train.d_steps, MOST_ROUNDS)
    return {"train.d_steps": rounds} if rounds > config.train.d_steps else None


def _tidy(lr: float) -> float:
    """Three digits: 6e-05, not 5.9999999999999995e-05."""
    return float(f"{lr:.3g}")


_HEUSEL = "Heusel et al. 2017, arXiv:1706.08500; Zhang et al. 2018, arXiv:1805.08318"
_MESCHEDER = "Mescheder et al. 2018, arXiv:1801.04406"
_R2 = "Huang et al. 2024, arXiv:2501.05441"
_RADFORD = "Radford et al. 2016, arXiv:1511.06434"
_NOISE = "Sønderby et al. 2017, arXiv:1610.04490; Arjovsky & Bottou 2017, arXiv:1701.04862"
_ADA = "Zhao et al. 2020, arXiv:2006.10738; Karras et al. 2020, arXiv:2006.06676"
_STEPS = "Goodfellow et al. 2014, arXiv:1406.2661; Metz et al. 2017, arXiv:1611.02163"

SLOWER = ConfigRemedy(
    "slower", "both learning rates times 0.3 (at most 0.002)", _slower(0.3, 0.3), _MESCHEDER
)
SLOWER_STILL = ConfigRemedy(
    "slower-still", "both learning rates times 0.3 again", _slower(0.3, 0.3), _MESCHEDER
)
SLOWER_DISCRIMINATOR = ConfigRemedy(
    "slower-discriminator", "discriminator's learning rate times 0.3", _slower(1, 0.3), _HEUSEL
)
FASTER_GENERATOR = ConfigRemedy(
    "faster-generator",
    "generator's learning rate up to a quarter of the discriminator's",
    _generator_keeps_up,
    _HEUSEL,
)
FASTER_DISCRIMINATOR = ConfigRemedy(
    "faster-discriminator",
    "discriminator's learning rate up to between one and four times the generator's",
    _discriminator_keeps_up,
    _HEUSEL,
)
FASTER = ConfigRemedy("faster", "both learning rates times 10 (at most 0.002)", _faster, _HEUSEL)
USUAL_RATES = ConfigRemedy(
    "usual-rates",
    "learning rates that are far from the usual back to it (2e-4)",
    _usual_rates,
    _RADFORD,
)
R1 = ConfigRemedy(
    "r1", "penalise the discriminator's gradient on photos", _stronger_penalty("r1"), _MESCHEDER
)
R2 = ConfigRemedy(
    "r2", "penalise its gradient on generated images too", _stronger_penalty("r2"), _R2
)
WEAKER_PENALTY = ConfigRemedy(
    "weaker-penalty", "gradient penalties down to the usual", _weaker_penalty, _MESCHEDER
)
USUAL_MOMENTUM = ConfigRemedy(
    "usual-momentum", "memory of past gradients (beta1) down to 0.5", _usual_momentum, _RADFORD
)
NO_MOMENTUM = ConfigRemedy("no-momentum", "no memory of past gradients", _no_momentum, _MESCHEDER)
NOISE = ConfigRemedy(
    "instance-noise", "noise on all images, fading to nothing", _instance_noise, _NOISE
)
LESS_NOISE = ConfigRemedy(
    "less-noise", "instance noise down to what blurs no face (0.05)", _less_noise, _NOISE
)
AUGMENT = ConfigRemedy(
    "augment", "each kind of distortion on 3 images in 10", _augmentation(0.3), _ADA
)
AUGMENT_MORE = ConfigRemedy(
    "augment-more", "each kind of distortion on 6 images in 10", _augmentation(0.6), _ADA
)
AUGMENT_ADAPTIVELY = ConfigRemedy(
    "augment-adaptively",
    "distortions as likely as keeps training and held-out photos alike",
    _adaptive_augmentation,
    _ADA,
)
ONE_ROUND = ConfigRemedy(
    "one-round", "one discriminator update in each step", _one_discriminator_round, _STEPS
)
ONE_ANSWER = ConfigRemedy("one-answer", "one generator update in each step", _one_answer, _STEPS)
MORE_ROUNDS = ConfigRemedy(
    "more-rounds", "twice the discriminator updates", _more_discriminator_rounds, _STEPS
)

SUSPECTS = (USUAL_RATES, USUAL_MOMENTUM, WEAKER_PENALTY, LESS_NOISE)
"""Settings far from what works elsewhere, looked at first whatever the problem: what one
player's odd setting does often shows as the other's fault."""

REMEDIES: Mapping[str, Sequence[ConfigRemedy]] = {
    "divergence": (*SUSPECTS, R1, SLOWER, NO_MOMENTUM, R2, SLOWER_STILL),
    "discriminator-dominance": (
        *SUSPECTS, FASTER_GENERATOR, ONE_ROUND, R1, SLOWER_DISCRIMINATOR, NOISE, AUGMENT,
    ),
    "generator-dominance": (*SUSPECTS, ONE_ANSWER, FASTER_DISCRIMINATOR, MORE_ROUNDS),
    "weak-discriminator": (*SUSPECTS, ONE_ANSWER, FASTER_DISCRIMINATOR, MORE_ROUNDS),
    "oscillation": (*SUSPECTS, ONE_ANSWER, NO_MOMENTUM, R1, R2, SLOWER, MORE_ROUNDS),
    "mode-collapse": (*SUSPECTS, ONE_ANSWER, R1, NO_MOMENTUM, R2, NOISE, SLOWER),
    "discriminator-overfitting": (
        AUGMENT, USUAL_RATES, AUGMENT_MORE, R1, SLOWER_DISCRIMINATOR, AUGMENT_ADAPTIVELY,
    ),
    "stalled": (*SUSPECTS, FASTER, NOISE),
    "plateau": (USUAL_RATES, SLOWER),
}  # fmt: skip
"""For each verdict what to try, in this order."""


@dataclass(frozen=True)
class SuggestedRun:
    """A training to try next.

    Args:
        sentence: what it changes.
        command: to be typed as it is.
        source: who found it to help.
    """

    sentence: str
    command: str
    source: str = ""


def suggested_runs(run: RunHistory, verdict: str) -> list[SuggestedRun]:
    """Commands that train again with one setting changed; none if the photos are gone."""
    store = run.environment["store"].get("path")
    if store is None:
        return []
    try:
        size = max(Store.open(store).shape[1:])
    except FacewrightError:
        return []
    changes = [(remedy, remedy.change(run.config, size)) for remedy in REMEDIES.get(verdict, ())]
    suggestions = [
        SuggestedRun(
            remedy.sentence,
            _command(
                run, store, remedy.code, "--set", *map(settings.assignment, values, values.values())
            ),
            remedy.source,
        )
        for remedy, values in changes
        if values
    ]
    mending = _command(run, store, "mended", "--on-problem", "mend")
    return [
        *suggestions[:MOST_SUGGESTIONS],
        SuggestedRun("or let training try these itself", mending),
    ]


def _command(run: RunHistory, store: str, code: str, *more: str) -> str:
    folder = run.folder
    out = folder.path.with_name(f"{folder.path.name}-{code}")
    words = ["facewright", "train", "--recipe", folder.config, "--data", store, "--out", out]
    return shlex.join([*map(str, words), *more])

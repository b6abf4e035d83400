"""Lesson 7: five techniques of 2016, one at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facewright.lessons.digit_trials import (
    DigitQuality,
    DigitTrial,
    digit_scorer,
    digit_sheets,
    fd_over_seeds,
    trained_seconds,
)
from facewright.lessons.figures import SERIES, canvas, dots, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import SeedMean
from facewright.lessons.tutorial import table
from facewright.reporting.curves import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BASELINE = "baseline"


@dataclass(frozen=True)
class Technique:
    """One change of the baseline.

    Args:
        setting: that makes it, as after `--set`.
        section: of Salimans et al. 2016 that proposes it.
    """

    setting: str
    section: str


TECHNIQUES = {
    "feature matching": Technique("loss.feature_matching=true", "3.1"),
    "minibatch discrimination": Technique("model.minibatch_kernels=32", "3.2"),
    "historical averaging": Technique("loss.historical_averaging=1e-3", "3.3"),
    "label smoothing": Technique("loss.real_target=0.9", "3.4"),
    "virtual batch norm": Technique("model.normalisation=virtual", "3.5"),
}


Trials = dict[str, list[DigitTrial]]


def teach(setting: Setting) -> Lecture:
    """Train the baseline and each technique from the same starts, and compare seed by seed."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    scorer = digit_scorer(store, count)
    images = setting.amount(38_400, 640)

    def trial(name: str, seed: int) -> DigitTrial:
        changes = [TECHNIQUES[name].setting] if name in TECHNIQUES else []
        return DigitTrial.train(
            setting, store, scorer, name, changes, seed=seed, images=images, count=count
        )

    seeds = setting.seeds(full=5)
    trials = {name: [trial(name, seed) for seed in seeds] for name in (BASELINE, *TECHNIQUES)}
    effects = {
        name: fd_over_seeds(trials[name]) - fd_over_seeds(trials[BASELINE]) for name in TECHNIQUES
    }
    return Lecture(
        figures={
            "effects": _effects(trials, effects, scorer.floor.fd),
            "digits": digit_sheets(trials),
        },
        claims=[_claim(name, effects[name], trials[BASELINE]) for name in TECHNIQUES],
        numbers={"floor_fd": scorer.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()}
        | {"effects": {name: effect.as_json() for name, effect in effects.items()}},
        words={"table": _table(trials, effects, scorer.floor)},
        trained_seconds=trained_seconds(trials),
    )


def _claim(name: str, effect: SeedMean, baseline: list[DigitTrial]) -> Claim:
    also = ", with no norm left in the discriminator," if name == "virtual batch norm" else ""
    return Claim(
        f"{name.capitalize()}{also} brings the digits closer to real ones",
        effect.below(0),
        f"distance changes by {effect}; the baseline's is {fd_over_seeds(baseline)}",
        f"proposed by Salimans et al. 2016, section {TECHNIQUES[name].section}",
    )


def _numbers(trials: list[DigitTrial]) -> dict[str, Any]:
    return {
        "fd": fd_over_seeds(trials).as_json(),
        "captured": [trial.quality.captured for trial in trials],
        "seconds": [round(trial.practice.history.cost.seconds, 1) for trial in trials],
    }


def _table(trials: Trials, effects: dict[str, SeedMean], floor: DigitQuality) -> str:
    rows = [
        [
            name,
            f"`{TECHNIQUES[name].setting}`" if name in TECHNIQUES else "",
            str(fd_over_seeds(found)),
            str(effects[name]) if name in effects else "",
            "/".join(str(trial.quality.captured) for trial in found),
        ]
        for name, found in trials.items()
    ]
    rows.append(["*real digits*", "", f"{floor.fd:.3g}", "", str(floor.captured)])
    head = ["technique", "`--set`", "distance", "change", "digits captured"]
    return table(head, rows)


def _effects(trials: Trials, effects: dict[str, SeedMean], floor: float) -> "Figure":
    figure, axes = canvas(1, 2, height=3.1)
    names = [name.replace(" ", "\n") for name in trials]
    dots(axes[0, 0], [fd_over_seeds(found).values for found in trials.values()], names)
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].axhline(floor, color=INK["real"], lw=1, ls=(0, (4, 3)))
    axes[0, 0].text(5.4, floor + 6, "real digits", fontsize=7.5, color=INK["real"], ha="right")
    title(axes[0, 0], "distance to real digits")
    axes[0, 0].tick_params(axis="x", labelsize=6)
    _intervals(axes[0, 1], effects)
    return figure


def _intervals(axes: "Axes", effects: dict[str, SeedMean]) -> None:
    """One line for each technique, from the lower to the upper end of its interval."""
    for row, (name, effect) in enumerate(effects.items()):
        colour = SERIES[row + 1]
        if len(effect.values) > 1:
            axes.hlines(row, *effect.interval, color=colour, lw=2)
        axes.plot(effect.mean, row, "o", color=colour, ms=6)
        axes.plot(effect.values, [row - 0.22] * len(effect.values), "|", color=colour, ms=6)
        axes.text(
            0.0, row - 0.38, name, fontsize=8, color=colour, transform=axes.get_yaxis_transform()
        )
    axes.axvline(0, color=INK["neutral"], lw=1, ls=(0, (4, 3)))
    axes.set_yticks([])
    axes.set_ylim(len(effects) - 0.4, -0.7)
    axes.set_xlabel("better   <   change of the distance   >   worse")
    title(axes, "effect, with 95 % interval")


LESSON = Lesson(
    name="techniques",
    title="Five techniques of 2016, one by one",
    question="Which of Salimans et al.'s techniques improves a small convolutional GAN?",
    teach=teach,
    options="--data stores/mnist28",
)

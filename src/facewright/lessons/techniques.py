"""Lesson 7: five techniques of 2016, one at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.images import grid
from facewright.lessons.digit_quality import Quality, jury
from facewright.lessons.figures import SERIES, canvas, dots, show_image, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import Spread
from facewright.lessons.practice import Practice, practise
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


@dataclass(frozen=True)
class Trial:
    """One run with what it made."""

    practice: Practice
    quality: Quality
    sheet: np.ndarray


Trials = dict[str, list[Trial]]


def teach(setting: Setting) -> Lecture:
    """Train the baseline and each technique from the same starts, and compare seed by seed."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    digits = jury(store, count)
    images = setting.amount(38_400, 640)

    def trial(name: str, seed: int) -> Trial:
        changes = [TECHNIQUES[name].setting] if name in TECHNIQUES else []
        folder = name.replace(" ", "-")
        run = practise(setting, folder, store.path, changes, seed=seed, images=images)
        fake = run.images(count)
        return Trial(run, digits.judge(fake), grid(fake[:16], columns=16))

    seeds = setting.seeds(full=5)
    trials = {name: [trial(name, seed) for seed in seeds] for name in (BASELINE, *TECHNIQUES)}
    effects = {name: _fd(trials[name]) - _fd(trials[BASELINE]) for name in TECHNIQUES}
    return Lecture(
        figures={"effects": _effects(trials, effects, digits.floor.fd), "digits": _sheets(trials)},
        claims=[_claim(name, effects[name], trials[BASELINE]) for name in TECHNIQUES],
        numbers={"floor_fd": digits.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()}
        | {"effects": {name: effect.as_json() for name, effect in effects.items()}},
        words={"table": _table(trials, effects, digits.floor)},
        trained_seconds=sum(t.practice.seconds for found in trials.values() for t in found),
    )


def _fd(trials: list[Trial]) -> Spread:
    return Spread.of([trial.quality.fd for trial in trials])


def _claim(name: str, effect: Spread, baseline: list[Trial]) -> Claim:
    also = ", with no norm left in the discriminator," if name == "virtual batch norm" else ""
    return Claim(
        f"{name.capitalize()}{also} brings the digits closer to real ones",
        effect.below(0),
        f"distance changes by {effect}; the baseline's is {_fd(baseline)}",
        f"proposed by Salimans et al. 2016, section {TECHNIQUES[name].section}",
    )


def _numbers(trials: list[Trial]) -> dict[str, Any]:
    return {
        "fd": _fd(trials).as_json(),
        "captured": [trial.quality.captured for trial in trials],
        "seconds": [round(trial.practice.history.cost.seconds, 1) for trial in trials],
    }


def _table(trials: Trials, effects: dict[str, Spread], floor: Quality) -> str:
    rows = [
        [
            name,
            f"`{TECHNIQUES[name].setting}`" if name in TECHNIQUES else "",
            str(_fd(found)),
            str(effects[name]) if name in effects else "",
            "/".join(str(trial.quality.captured) for trial in found),
        ]
        for name, found in trials.items()
    ]
    rows.append(["*real digits*", "", f"{floor.fd:.3g}", "", str(floor.captured)])
    head = ["technique", "`--set`", "distance", "change", "digits captured"]
    return table(head, rows)


def _effects(trials: Trials, effects: dict[str, Spread], floor: float) -> "Figure":
    figure, axes = canvas(1, 2, height=3.1)
    names = [name.replace(" ", "\n") for name in trials]
    dots(axes[0, 0], [_fd(found).values for found in trials.values()], names)
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].axhline(floor, color=INK["real"], lw=1, ls=(0, (4, 3)))
    axes[0, 0].text(5.4, floor + 6, "real digits", fontsize=7.5, color=INK["real"], ha="right")
    title(axes[0, 0], "distance to real digits")
    axes[0, 0].tick_params(axis="x", labelsize=6)
    _intervals(axes[0, 1], effects)
    return figure


def _intervals(axes: "Axes", effects: dict[str, Spread]) -> None:
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


def _sheets(trials: Trials) -> "Figure":
    figure, axes = canvas(len(trials), 1, height=0.52)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        show_image(place, found[0].sheet)
        place.text(-6, 16, name, ha="right", va="center", fontsize=8.5, color=INK["neutral"])
    return figure


LESSON = Lesson(
    name="techniques",
    title="Five techniques of 2016, one by one",
    question="Which of Salimans et al.'s techniques improves a small convolutional GAN?",
    teach=teach,
    options="--data stores/mnist28",
)

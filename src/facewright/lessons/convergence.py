"""Lesson 4: when the players do not converge, and whether filters have anything to do with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.images import grid
from facewright.lessons.digit_quality import Quality, jury
from facewright.lessons.figures import (
    SERIES,
    canvas,
    dots,
    legend,
    running_mean,
    show_image,
    title,
)
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import Spread, all_of
from facewright.lessons.practice import Practice, practise
from facewright.lessons.tutorial import table
from facewright.reporting.curves import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KERNELS = (1, 3, 5, 7, 11)
USUAL = "5x5"
FASTER = ("optimiser.lr_d=5e-4", "optimiser.lr_g=1e-5", "model.normalisation=none")
OPTIMISERS = {
    "D 50 times faster": FASTER,
    "D 50 times faster, minimax": (*FASTER, "loss.game=minimax"),
    "both 50 times faster": ("optimiser.lr_d=1e-2", "optimiser.lr_g=1e-2"),
}
"""What "aggressive" may mean. The usual learning rate is 2e-4 for both."""

VARIANTS = {f"{k}x{k}": (f"model.kernel={k}",) for k in KERNELS} | OPTIMISERS
NEAR_ZERO = 0.01
"""A discriminator's loss below this counts as near zero; at a draw it is 1.386."""
FAILED = 10
"""Digits count as failed when their distance to real ones is so many times the usual one."""


@dataclass(frozen=True)
class Trial:
    """One run with what it made."""

    practice: Practice
    sheet: np.ndarray
    quality: Quality
    varying: float

    @property
    def growth(self) -> float:
        """How many times its first 20 steps' mean the generator's loss is in the last quarter."""
        losses = self.practice.history.steps["g_loss"]
        return self.practice.late("g_loss") / float(np.nanmean(losses[:20]))


Trials = dict[str, list[Trial]]


def varying_share(images: np.ndarray) -> float:
    """Which share of the pixels is not the same in all images?

    Args:
        images: (N, H, W, C) uint8.
    """
    return float((images.min(axis=0) != images.max(axis=0)).mean())


def receptive_field(kernel: int, stages: int) -> int:
    """How many pixels a side does a unit behind so many halving convolutions see?

    Each stage adds (kernel - 1) of its own input's pixels, each of which is twice as wide as
    one of the stage before.
    """
    return 1 + (kernel - 1) * (2**stages - 1)


def teach(setting: Setting) -> Lecture:
    """Train every variant with every seed, and judge."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    digits = jury(store, count)
    images = setting.amount(57_600, 640)

    def trial(variant: str, seed: int) -> Trial:
        run = practise(
            setting,
            variant.replace(" ", "-").replace(",", ""),
            store.path,
            VARIANTS[variant],
            seed=seed,
            images=images,
        )
        fake = run.images(count)
        return Trial(run, grid(fake[:16], columns=16), digits.judge(fake), varying_share(fake))

    seeds = setting.seeds(full=3)
    trials = {name: [trial(name, seed) for seed in seeds] for name in VARIANTS}
    return Lecture(
        figures={
            "losses": _losses(trials),
            "filters": _filters(trials, digits.floor.fd),
            "digits": _sheets(trials),
        },
        claims=_claims(trials),
        numbers={"floor_fd": digits.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()},
        words={"table": _table(trials, digits.floor)},
        trained_seconds=sum(t.practice.seconds for found in trials.values() for t in found),
    )


def _over(trials: list[Trial], field: str) -> Spread:
    return Spread.of([trial.practice.late(field) for trial in trials])


def _fd(trials: list[Trial]) -> Spread:
    return Spread.of([trial.quality.fd for trial in trials])


def _numbers(trials: list[Trial]) -> dict[str, Any]:
    return {
        "d_loss": _over(trials, "d_loss").as_json(),
        "g_loss": _over(trials, "g_loss").as_json(),
        "g_grad_norm": _over(trials, "g_grad_norm").as_json(),
        "fd": _fd(trials).as_json(),
        "g_loss_growth": [trial.growth for trial in trials],
        "captured": [trial.quality.captured for trial in trials],
        "varying_pixels": [trial.varying for trial in trials],
        "seconds": [round(trial.practice.history.cost.seconds, 1) for trial in trials],
    }


def _claims(trials: Trials) -> list[Claim]:
    fast, minimax, both = (trials[name] for name in OPTIMISERS)
    d_loss = _over(fast, "d_loss").as_ratios()
    growth = Spread.of([trial.growth for trial in fast]).as_ratios()
    gradient = (_over(minimax, "g_grad_norm") / _over(fast, "g_grad_norm")).as_ratios()
    small, large, usual = trials["1x1"], trials["11x11"], trials[USUAL]
    ratios = {name: _fd(trials[name]) / _fd(usual) for name in ("1x1", "11x11")}
    varying = Spread.of([trial.varying for trial in small])
    both_d = _over(both, "d_loss")
    return [
        Claim(
            "A discriminator that learns 50 times faster than the generator drives its own loss "
            "near zero (below 0.01) while the generator's loss at least doubles",
            all_of(d_loss.below(NEAR_ZERO), growth.above(2)),
            f"D's loss {d_loss}; G's loss {growth} times its first",
            "the seed paper",
        ),
        Claim(
            "Then the minimax loss leaves the generator less than a hundredth of the gradient "
            "that the non-saturating loss leaves it",
            gradient.below(1e-2),
            f"ratio of the gradients' lengths {gradient}",
            "Goodfellow et al. 2014, section 3",
        ),
        Claim(
            "High learning rates alone do the same: with 50 times the usual rate for both "
            "players D's loss is near zero too",
            both_d.below(NEAR_ZERO),
            f"D's loss {both_d}; distance of the digits {_fd(both)} against {_fd(usual)}",
        ),
        *(
            Claim(
                f"{what} filters ({name}) make the digits fail (distance at least {FAILED} "
                "times the usual)",
                ratios[name].above(FAILED),
                f"{ratios[name]} times that of {USUAL}",
                "the seed paper",
            )
            for what, name in (("Too small", "1x1"), ("Too large", "11x11"))
        ),
        Claim(
            "Too small or too large filters show as a discriminator loss near zero",
            all_of(*(_over(found, "d_loss").below(NEAR_ZERO) for found in (small, large))),
            f"D's loss {_over(small, 'd_loss')} with 1x1, {_over(large, 'd_loss')} with 11x11",
            "the seed paper",
        ),
        Claim(
            "11x11 filters give worse digits than 5x5 after the same number of images",
            (_fd(large) - _fd(usual)).above(0),
            f"distance {_fd(large)} against {_fd(usual)}; the difference is "
            f"{_fd(large) - _fd(usual)}",
        ),
        Claim(
            "A generator with 1x1 filters can change at most one pixel in sixteen",
            varying.below(1 / 16 + 1e-9),
            f"share of pixels that are not the same in all images: {varying}",
            "arithmetic, above",
        ),
    ]


def _losses(trials: Trials) -> "Figure":
    figure, axes = canvas(1, 3, height=2.6)
    shown = (USUAL, "D 50 times faster", "both 50 times faster")
    for place, name in zip(axes.flat, shown, strict=True):
        for trial in trials[name]:
            steps = trial.practice.history.steps
            for field, role, label in (
                ("d_loss", "discriminator", "D's loss"),
                ("g_loss", "generator", "G's loss"),
            ):
                curve = running_mean(steps[field], 20)
                first = trial is trials[name][0]
                place.plot(
                    steps["step"], curve, color=INK[role], lw=1.1, label=label if first else None
                )
        place.set_yscale("symlog", linthresh=0.01)
        place.set_ylim(0, 30)
        place.set_yticks([0, 0.01, 0.1, 1, 10], ["0", "0.01", "0.1", "1", "10"])
        place.set_xlabel("steps")
        title(place, {USUAL: "usual rates"}.get(name, name))
    legend(axes[0, 0], "lower right")
    return figure


def _filters(trials: Trials, floor: float) -> "Figure":
    figure, axes = canvas(1, 3, height=2.6)
    names = [f"{k}x{k}" for k in KERNELS]
    panels = (
        ("distance to real digits", [[t.quality.fd for t in trials[n]] for n in names]),
        ("D's loss, last quarter", [[t.practice.late("d_loss") for t in trials[n]] for n in names]),
        ("G's loss, last quarter", [[t.practice.late("g_loss") for t in trials[n]] for n in names]),
    )
    for place, (name, groups) in zip(axes.flat, panels, strict=True):
        dots(place, groups, names)
        title(place, name)
        place.set_xlabel("filters")
        place.set_ylim(bottom=0)
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylim(bottom=floor / 2, top=1e5)
    axes[0, 0].axhline(floor, color=INK["real"], lw=1, ls=(0, (4, 3)))
    axes[0, 0].text(4.4, floor * 1.15, "real digits", fontsize=7.5, color=INK["real"], ha="right")
    axes[0, 1].axhline(np.log(4), color=INK["neutral"], lw=1, ls=(0, (4, 3)))
    axes[0, 2].axhline(np.log(2), color=INK["neutral"], lw=1, ls=(0, (4, 3)))
    return figure


def _sheets(trials: Trials) -> "Figure":
    figure, axes = canvas(len(trials), 1, height=0.52)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        show_image(place, found[0].sheet)
        place.text(-6, 16, name, ha="right", va="center", fontsize=8.5, color=SERIES[4])
    return figure


def _table(trials: Trials, floor: Quality) -> str:
    rows = [
        [
            name,
            str(_over(found, "d_loss")),
            str(_over(found, "g_loss")),
            str(_fd(found)),
            "/".join(str(t.quality.captured) for t in found),
        ]
        for name, found in trials.items()
    ]
    rows.append(["*real digits*", "", "", f"{floor.fd:.3g}", str(floor.captured)])
    head = ["variant", "D's loss", "G's loss", "distance", "digits captured"]
    return table(head, rows)


LESSON = Lesson(
    name="convergence",
    title="When training does not converge",
    question="What makes the discriminator's loss vanish and the generator's grow: learning "
    "rates, or filters?",
    teach=teach,
    options="--data stores/mnist28",
)

"""Lesson 4: when the players do not converge, and whether filters have anything to do with it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.lessons.digit_trials import (
    DigitQuality,
    DigitTrial,
    digit_scorer,
    digit_sheets,
    draw_losses,
    fd_over_seeds,
    trained_seconds,
)
from facewright.lessons.figures import canvas, dots, legend, title
from facewright.lessons.lesson import PAPER_OF_2020, Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import SeedMean, all_of
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


class ConvergenceTrial(DigitTrial):
    """One run, with the growth of its generator's loss and the variety of its images."""

    @property
    def varying(self) -> float:
        """Share of the pixels that are not the same in all its images."""
        return varying_share(self.fake)

    @property
    def growth(self) -> float:
        """How many times its first 20 steps' mean the generator's loss is in the last quarter."""
        losses = self.practice.history.steps["g_loss"]
        return self.practice.late("g_loss") / float(np.nanmean(losses[:20]))


Trials = dict[str, list[ConvergenceTrial]]


def varying_share(images: np.ndarray) -> float:
    """Which share of the pixels is not the same in all images?

    Args:
        images: (N, H, W, C) uint8.
    """
    return float((images.min(axis=0) != images.max(axis=0)).mean())


def teach(setting: Setting) -> Lecture:
    """Train every variant with every seed, and compare their losses and their digits."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    scorer = digit_scorer(store, count)
    images = setting.amount(57_600, 640)

    def trial(name: str, seed: int) -> ConvergenceTrial:
        return ConvergenceTrial.train(
            setting, store, scorer, name, VARIANTS[name], seed=seed, images=images, count=count
        )

    seeds = setting.seeds(full=3)
    trials = {name: [trial(name, seed) for seed in seeds] for name in VARIANTS}
    return Lecture(
        figures={
            "losses": _losses(trials),
            "filters": _filters(trials, scorer.floor.fd),
            "digits": digit_sheets(trials),
        },
        claims=_claims(trials),
        numbers={"floor_fd": scorer.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()},
        words={"table": _table(trials, scorer.floor)},
        trained_seconds=trained_seconds(trials),
    )


def _over(trials: list[ConvergenceTrial], field: str) -> SeedMean:
    return SeedMean.of([trial.practice.late(field) for trial in trials])


def _numbers(trials: list[ConvergenceTrial]) -> dict[str, Any]:
    return {
        "d_loss": _over(trials, "d_loss").as_json(),
        "g_loss": _over(trials, "g_loss").as_json(),
        "g_grad_norm": _over(trials, "g_grad_norm").as_json(),
        "fd": fd_over_seeds(trials).as_json(),
        "g_loss_growth": [trial.growth for trial in trials],
        "captured": [trial.quality.captured for trial in trials],
        "varying_pixels": [trial.varying for trial in trials],
        "seconds": [round(trial.practice.history.cost.seconds, 1) for trial in trials],
    }


def _claims(trials: Trials) -> list[Claim]:
    fast, minimax, both = (trials[name] for name in OPTIMISERS)
    d_loss = _over(fast, "d_loss").as_ratios()
    growth = SeedMean.of([trial.growth for trial in fast]).as_ratios()
    gradient = (_over(minimax, "g_grad_norm") / _over(fast, "g_grad_norm")).as_ratios()
    small, large, usual = trials["1x1"], trials["11x11"], trials[USUAL]
    usual_fd, large_fd = fd_over_seeds(usual), fd_over_seeds(large)
    ratios = {"1x1": fd_over_seeds(small) / usual_fd, "11x11": large_fd / usual_fd}
    varying = SeedMean.of([trial.varying for trial in small])
    both_d = _over(both, "d_loss")
    return [
        Claim(
            "A discriminator that learns 50 times faster than the generator drives its own loss "
            "near zero (below 0.01) while the generator's loss at least doubles",
            all_of(d_loss.below(NEAR_ZERO), growth.above(2)),
            f"D's loss {d_loss}; G's loss {growth} times its first",
            PAPER_OF_2020,
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
            f"D's loss {both_d}; distance of the digits {fd_over_seeds(both)} against {usual_fd}",
        ),
        *(
            Claim(
                f"{what} filters ({name}) make the digits fail (distance at least {FAILED} "
                "times the usual)",
                ratios[name].above(FAILED),
                f"{ratios[name]} times that of {USUAL}",
                PAPER_OF_2020,
            )
            for what, name in (("Too small", "1x1"), ("Too large", "11x11"))
        ),
        Claim(
            "Too small or too large filters show as a discriminator loss near zero",
            all_of(*(_over(found, "d_loss").below(NEAR_ZERO) for found in (small, large))),
            f"D's loss {_over(small, 'd_loss')} with 1x1, {_over(large, 'd_loss')} with 11x11",
            PAPER_OF_2020,
        ),
        Claim(
            "11x11 filters give worse digits than 5x5 after the same number of images",
            (large_fd - usual_fd).above(0),
            f"distance {large_fd} against {usual_fd}; the difference is {large_fd - usual_fd}",
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
        draw_losses(place, trials[name])
        place.set_yscale("symlog", linthresh=0.01)
        place.set_ylim(0, 30)
        place.set_yticks([0, 0.01, 0.1, 1, 10], ["0", "0.01", "0.1", "1", "10"])
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


def _table(trials: Trials, floor: DigitQuality) -> str:
    rows = [
        [
            name,
            str(_over(found, "d_loss")),
            str(_over(found, "g_loss")),
            str(fd_over_seeds(found)),
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

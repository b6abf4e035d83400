"""Lesson 3: a generator that found one image which the discriminator accepts, and draws only it."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.finding import Finding
from facewright.doctor.history import History
from facewright.doctor.recorded import history_of
from facewright.lessons.digit_trials import (
    DigitQuality,
    DigitTrial,
    digit_scorer,
    digit_sheets,
    draw_losses,
    fd_over_seeds,
    trained_seconds,
)
from facewright.lessons.figures import SERIES, canvas, legend, title
from facewright.lessons.lesson import PAPER_OF_2020, Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import SeedMean, all_of
from facewright.lessons.tutorial import table
from facewright.reporting.words import short_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MLP = ("model.name=mlp", "model.width=32", "train.ema_images=1000")
HEALTHY = "convolutional"
VARIANTS = {
    HEALTHY: ("train.ema_images=1000",),
    "fully connected": MLP,
    "fully connected, G 10 times faster": (*MLP, "optimiser.lr_g=2e-3"),
}
"""The pair of 2016 with batch norm, a small pair of 2014, and that with a faster generator."""
COLLAPSED = tuple(name for name in VARIANTS if name != HEALTHY)


class CollapseTrial(DigitTrial):
    """One run with what the doctor finds in it."""

    @cached_property
    def history(self) -> History:
        """What the doctor looks at."""
        return history_of(self.practice.history)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """All findings."""
        return diagnose(self.history)

    @property
    def found(self) -> Finding | None:
        """The finding of a collapse that is there at the end, if there is one."""
        of_collapse = [f for f in self.diagnosis.findings if f.verdict == "mode-collapse"]
        return next((finding for finding in of_collapse if finding.active), None)


Trials = dict[str, list[CollapseTrial]]


def teach(setting: Setting) -> Lecture:
    """Train three pairs with a doctor, and count the digits that they generate."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    scorer = digit_scorer(store, count)
    images = setting.amount(96_000, 640)

    def trial(name: str, seed: int) -> CollapseTrial:
        return CollapseTrial.train(
            setting,
            store,
            scorer,
            name,
            (*VARIANTS[name], f"record.snapshot_images={images // setting.amount(10, 1)}"),
            seed=seed,
            images=images,
            count=count,
            with_doctor=True,
        )

    trials = {name: [trial(name, seed) for seed in setting.seeds(full=3)] for name in VARIANTS}
    return Lecture(
        figures={
            "losses": _losses(trials),
            "digits": digit_sheets(trials, rows=2),
            "variety": _variety(trials),
        },
        claims=_claims(trials),
        numbers={"floor_fd": scorer.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()},
        words={"table": _table(trials, scorer.floor), "doctor": _doctor(trials)},
        trained_seconds=trained_seconds(trials),
    )


def _captured(trials: list[CollapseTrial]) -> SeedMean:
    return SeedMean.of([trial.quality.captured for trial in trials])


def _numbers(trials: list[CollapseTrial]) -> dict[str, Any]:
    return {
        "captured": [trial.quality.captured for trial in trials],
        "fd": fd_over_seeds(trials).as_json(),
        "d_loss": SeedMean.of([trial.practice.late("d_loss") for trial in trials]).as_json(),
        "g_loss": SeedMean.of([trial.practice.late("g_loss") for trial in trials]).as_json(),
        "verdicts": [trial.diagnosis.verdict for trial in trials],
        "collapse_since": [
            trial.found.first_seen_images if trial.found else None for trial in trials
        ],
        "seconds": [round(trial.practice.history.cost.seconds, 1) for trial in trials],
    }


def _claims(trials: Trials) -> list[Claim]:
    healthy = trials[HEALTHY]
    claims = [
        Claim(
            "The convolutional pair reaches at least nine of the ten digits",
            _captured(healthy).above(8.5),
            f"digits captured: {_captured(healthy)}",
        )
    ]
    for name in COLLAPSED:
        captured = _captured(trials[name])
        claims.append(
            Claim(
                f"The pair that is {name} collapses to fewer than half of the digits",
                captured.below(5),
                f"digits captured: {captured}",
                "Goodfellow et al. 2014, section 6: G must not be trained too much without D"
                if "faster" in name
                else "",
            )
        )
    return [*claims, _claim_on_losses(trials), *_claims_on_doctor(trials)]


def _claim_on_losses(trials: Trials) -> Claim:
    """Is the discriminator's loss of a collapsed run one that a healthy run never has?"""
    distances = SeedMean.of(
        [
            abs(bad.practice.late("d_loss") - good.practice.late("d_loss")) / _movement(good)
            for good, bad in zip(trials[HEALTHY], trials[COLLAPSED[0]], strict=True)
        ]
    )
    return Claim(
        "The loss graph alone gives the collapse away: the discriminator's loss is more than "
        "two standard deviations from the healthy run's",
        distances.above(2),
        f"{COLLAPSED[0]} against {HEALTHY}: {distances} standard deviations away",
        PAPER_OF_2020,
    )


def _movement(trial: CollapseTrial) -> float:
    """Standard deviation of the discriminator's loss over the last quarter of the steps."""
    losses = trial.practice.history.steps["d_loss"]
    return float(np.nanstd(losses[3 * len(losses) // 4 :]))


def _claims_on_doctor(trials: Trials) -> list[Claim]:
    bad = [trial for name in COLLAPSED for trial in trials[name]]
    # The digit classifier decides what a collapse is; the doctor does not use it.
    true = [trial for trial in bad if trial.quality.captured < 5]
    seen = sum(trial.found is not None for trial in true)
    alarms = sum(trial.found is not None for trial in trials[HEALTHY])
    unknown = "not-applicable" in {t.diagnosis.verdict for t in [*bad, *trials[HEALTHY]]}
    return [
        Claim(
            "The doctor, which uses no digit classifier, finds every collapse that such a "
            "classifier finds, and none in the healthy runs",
            all_of(seen == len(true), alarms == 0) if true and not unknown else None,
            f"{seen} of {len(true)} collapsed runs, {alarms} of {len(trials[HEALTHY])} healthy",
        )
    ]


def _losses(trials: Trials) -> "Figure":
    figure, axes = canvas(1, len(trials), height=2.6)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        draw_losses(place, found)
        place.set_ylim(0, 6)
        title(place, name.replace(", ", ",\n"))
    legend(axes[0, 0])
    return figure


def _variety(trials: Trials) -> "Figure":
    figure, axes = canvas(1, 2, height=2.6)
    panels = (
        ("nearest_ratio", "distance to the next image, over digits'"),
        ("coverage", "share of digits with a fake nearby"),
    )
    for place, (field, words) in zip(axes.flat, panels, strict=True):
        for colour, (name, found) in zip(SERIES, trials.items(), strict=False):
            for trial in found:
                place.plot(
                    [snapshot.images_seen for snapshot in trial.history.snapshots],
                    [getattr(snapshot, field) for snapshot in trial.history.snapshots],
                    color=colour,
                    lw=1.2,
                    label=name if trial is found[0] else None,
                )
        place.xaxis.set_major_formatter(lambda value, _: short_count(value))
        place.set_xlabel("images seen")
        place.set_ylim(bottom=0)
        title(place, words)
    if any(trial.history.snapshots for found in trials.values() for trial in found):
        legend(axes[0, 0], "center right")
    return figure


def _table(trials: Trials, floor: DigitQuality) -> str:
    rows = [
        [
            name,
            "/".join(str(trial.quality.captured) for trial in found),
            str(fd_over_seeds(found)),
            ", ".join(sorted({trial.diagnosis.verdict for trial in found})),
        ]
        for name, found in trials.items()
    ]
    rows.append(["*real digits*", str(floor.captured), f"{floor.fd:.3g}", ""])
    return table(["run", "digits captured", "distance", "the doctor's verdict"], rows)


def _doctor(trials: Trials) -> str:
    """The doctor's finding in the first run that it finds collapsed."""
    for name in COLLAPSED:
        for trial in trials[name]:
            if trial.found is not None:
                return (
                    f"> **{trial.found.verdict}** ({name}), since "
                    f"{trial.found.first_seen_images:,} images: {trial.found.message}\n>\n"
                    f"> Try: {trial.found.remedy}\n>\n> Source: {trial.found.source}"
                )
    return "> In this run the doctor found no collapse."


LESSON = Lesson(
    name="collapse",
    title="Mode collapse",
    question="Why does a generator come to draw one image again and again, and what shows it?",
    teach=teach,
    options="--data stores/mnist28",
)

"""Lesson 3: a generator that found one image the judge likes, and draws nothing else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.finding import Finding
from facewright.doctor.recorded import history_of
from facewright.doctor.snapshot import Snapshot
from facewright.images import grid
from facewright.lessons.digit_quality import Quality, jury
from facewright.lessons.figures import SERIES, canvas, legend, running_mean, show_image, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.over_seeds import Spread, all_of
from facewright.lessons.practice import Practice, practise
from facewright.lessons.tutorial import table
from facewright.reporting.curves import INK
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
"""The pair of 2016 with batch norm, a small pair of 2014, and that with an eager generator."""
COLLAPSED = tuple(name for name in VARIANTS if name != HEALTHY)


@dataclass(frozen=True)
class Trial:
    """One run: what it made, what the digit reader says of it, and what the doctor says."""

    practice: Practice
    quality: Quality
    sheet: np.ndarray
    snapshots: list[Snapshot]
    diagnosis: Diagnosis

    @property
    def found(self) -> Finding | None:
        """The doctor's finding of a collapse that is there at the end, if he has one."""
        of_collapse = [f for f in self.diagnosis.findings if f.verdict == "mode-collapse"]
        return next((finding for finding in of_collapse if finding.active), None)


Trials = dict[str, list[Trial]]


def teach(setting: Setting) -> Lecture:
    """Train three pairs with a doctor beside them, and count the digits."""
    store = setting.digits()
    count = setting.amount(1000, 200)
    digits = jury(store, count)
    images = setting.amount(96_000, 640)

    def trial(name: str, seed: int) -> Trial:
        folder = name.replace(" ", "-").replace(",", "")
        changes = (*VARIANTS[name], f"record.snapshot_images={images // setting.amount(10, 1)}")
        run = practise(
            setting, folder, store.path, changes, seed=seed, images=images, attended=True
        )
        fake, seen = run.images(count), history_of(run.history)
        sheet = grid(fake[:32], columns=16)
        return Trial(run, digits.judge(fake), sheet, list(seen.snapshots), diagnose(seen))

    trials = {name: [trial(name, seed) for seed in setting.seeds(full=3)] for name in VARIANTS}
    return Lecture(
        figures={
            "losses": _losses(trials),
            "digits": _sheets(trials),
            "variety": _variety(trials),
        },
        claims=_claims(trials),
        numbers={"floor_fd": digits.floor.fd, "images": images}
        | {name: _numbers(found) for name, found in trials.items()},
        words={"table": _table(trials, digits.floor), "doctor": _doctor(trials)},
        trained_seconds=sum(t.practice.seconds for found in trials.values() for t in found),
    )


def _captured(trials: list[Trial]) -> Spread:
    return Spread.of([trial.quality.captured for trial in trials])


def _numbers(trials: list[Trial]) -> dict[str, Any]:
    return {
        "captured": [trial.quality.captured for trial in trials],
        "fd": Spread.of([trial.quality.fd for trial in trials]).as_json(),
        "d_loss": Spread.of([trial.practice.late("d_loss") for trial in trials]).as_json(),
        "g_loss": Spread.of([trial.practice.late("g_loss") for trial in trials]).as_json(),
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
    distances = Spread.of(
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
        "the seed paper",
    )


def _movement(trial: Trial) -> float:
    """Standard deviation of the discriminator's loss over the last quarter of the steps."""
    losses = trial.practice.history.steps["d_loss"]
    return float(np.nanstd(losses[3 * len(losses) // 4 :]))


def _claims_on_doctor(trials: Trials) -> list[Claim]:
    bad = [trial for name in COLLAPSED for trial in trials[name]]
    # What the reader of digits calls a collapse, the doctor should; it does not know digits.
    true = [trial for trial in bad if trial.quality.captured < 5]
    seen = sum(trial.found is not None for trial in true)
    alarms = sum(trial.found is not None for trial in trials[HEALTHY])
    unknown = "not-applicable" in {t.diagnosis.verdict for t in [*bad, *trials[HEALTHY]]}
    return [
        Claim(
            "The doctor, who knows nothing of digits, sees every collapse that the reader of "
            "digits sees, and none in the healthy runs",
            all_of(seen == len(true), alarms == 0) if true and not unknown else None,
            f"{seen} of {len(true)} collapsed runs, {alarms} of {len(trials[HEALTHY])} healthy",
        )
    ]


def _losses(trials: Trials) -> "Figure":
    figure, axes = canvas(1, len(trials), height=2.6)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        for trial in found:
            steps = trial.practice.history.steps
            for field, role in (("d_loss", "discriminator"), ("g_loss", "generator")):
                label = f"{role[0].upper()}'s loss" if trial is found[0] else None
                curve = running_mean(steps[field], 20)
                place.plot(steps["step"], curve, color=INK[role], lw=1, label=label)
        place.set_ylim(0, 6)
        place.set_xlabel("steps")
        title(place, name.replace(", ", ",\n"))
    legend(axes[0, 0])
    return figure


def _sheets(trials: Trials) -> "Figure":
    figure, axes = canvas(len(trials), 1, height=1.0)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        show_image(place, found[0].sheet)
        place.text(-6, 31, name, ha="right", va="center", fontsize=8.5, color=INK["neutral"])
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
                    [snapshot.images_seen for snapshot in trial.snapshots],
                    [getattr(snapshot, field) for snapshot in trial.snapshots],
                    color=colour,
                    lw=1.2,
                    label=name if trial is found[0] else None,
                )
        place.xaxis.set_major_formatter(lambda value, _: short_count(value))
        place.set_xlabel("images seen")
        place.set_ylim(bottom=0)
        title(place, words)
    if any(trial.snapshots for found in trials.values() for trial in found):
        legend(axes[0, 0], "center right")
    return figure


def _table(trials: Trials, floor: Quality) -> str:
    rows = [
        [
            name,
            "/".join(str(trial.quality.captured) for trial in found),
            str(Spread.of([trial.quality.fd for trial in found])),
            ", ".join(sorted({trial.diagnosis.verdict for trial in found})),
        ]
        for name, found in trials.items()
    ]
    rows.append(["*real digits*", str(floor.captured), f"{floor.fd:.3g}", ""])
    return table(["run", "digits captured", "distance", "the doctor's verdict"], rows)


def _doctor(trials: Trials) -> str:
    """What the doctor says of the first run that it finds collapsed."""
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
    question="How does a generator come to draw one image again and again, and who notices?",
    teach=teach,
    options="--data stores/mnist28",
)

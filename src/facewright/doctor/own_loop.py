"""LP: mistakes of a training loop that are seen from outside it, named before their symptoms.

Our own loop makes none of them; another program's is asked through what it tells `Doctor.observe`.
"""

from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

import numpy as np

from facewright.doctor import thresholds as at
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import SHORT, History
from facewright.doctor.snapshot import Snapshot

LOOKS = 2
"""Over which the difference is averaged: that of one look scatters."""
STEPS = 50
"""Steps before a look whose photos are compared."""
SOURCE = "this project, docs/experiments/doctor.md, 'mistakes of a loop'"


@dataclass(frozen=True)
class OtherPhotos:
    """LP01. Are the photos of the loop those that the doctor was given?"""

    code: ClassVar[str] = "LP01"
    title: ClassVar[str] = "The loop shows other photos than the doctor knows"
    verdict: ClassVar[Verdict] = "discriminator-overfitting"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "in your code: draw a batch as the discriminator gets it, and print its least, greatest "
        "and mean value; shuffle=True in the DataLoader; a new batch in each step; the same "
        "normalisation as of the photos that the doctor was given"
    )
    source: ClassVar[str] = SOURCE
    blind_spot: ClassVar[str] = "other photos that the discriminator rates alike"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        looks = history.snapshots[-LOOKS:]
        if len(looks) < LOOKS:
            return Assessment("cannot tell", f"{LOOKS} snapshots are needed")
        above = fmean(_above(history, look) for look in looks)
        evidence = {"above_in_spreads": above, "limit": at.OTHER_PHOTOS}
        if above > at.OTHER_PHOTOS:
            return Assessment(
                "problem",
                f"the discriminator rates the photos of the loop {above:.1f} standard deviations "
                "above those that the doctor was given: the same ones in each step, sorted ones, "
                "or no photos",
                evidence,
                "divergence" if looks[-1].distance > at.FAR else None,
            )
        return Assessment("ok", "the photos of the loop are rated like those given", evidence)


def _above(history: History, look: Snapshot) -> float:
    """By how many standard deviations the photos of the loop were rated above others, at a look."""
    end = int(np.searchsorted(history.steps["step"], look.step, side="right"))
    shown = history.steps["real_logit"][max(0, end - STEPS) : end]
    if not len(shown):
        return 0.0
    # Verdicts that wander from step to step say little at one look.
    spread = max(look.real_logit_std, float(np.std(shown)), at.LEAST_SPREAD)
    return float(np.median(shown) - look.real_logit) / spread


@dataclass(frozen=True)
class SwappedTargets:
    """LP02. Is the loss that the loop tells that of its verdicts?"""

    code: ClassVar[str] = "LP02"
    title: ClassVar[str] = "The discriminator learns the targets the wrong way round"
    verdict: ClassVar[Verdict] = "generator-dominance"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "in your code: photos have the target 1 and generated images 0, in the discriminator's "
        "loss; the generator's loss has 1 for its images"
    )
    source: ClassVar[str] = SOURCE
    blind_spot: ClassVar[str] = "games whose losses have no fixed scale"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        lately = history.recent("d_loss_told", SHORT)
        if not history.game.d_draw or np.isnan(lately).all():
            return Assessment("cannot tell", "no loss of another program's loop")
        told = float(np.nanmedian(lately))
        found = history.loss_over_draw() * history.game.d_draw
        evidence = {"d_loss_told": told, "d_loss_of_the_verdicts": found}
        if at.SWAPPED * max(told, history.game.d_draw) < found:
            return Assessment(
                "problem",
                f"the loop tells a loss of {told:.3g}, and its verdicts on photos and generated "
                f"images make {found:.3g}: targets are swapped",
                evidence,
            )
        return Assessment("ok", "the loss is that of the verdicts", evidence)


@dataclass(frozen=True)
class Probabilities:
    """LP03. Does the discriminator return logits?"""

    code: ClassVar[str] = "LP03"
    title: ClassVar[str] = "The discriminator returns probabilities"
    verdict: ClassVar[Verdict] = "weak-discriminator"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "in your code: leave the sigmoid out and use a loss with logits; or, with a loss of "
        "probabilities, Doctor(..., probabilities=True)"
    )
    source: ClassVar[str] = SOURCE
    blind_spot: ClassVar[str] = "logits that stay between 0 and 1 by chance"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        lowest, highest = np.inf, -np.inf
        for kind in ("real_logit", "fake_logit"):
            mean, spread = history.steps[kind], history.steps[f"{kind}_std"]
            lowest = min(lowest, float(np.min(mean - spread, initial=np.inf)))
            highest = max(highest, float(np.max(mean + spread, initial=-np.inf)))
        evidence = {"lowest": lowest, "highest": highest}
        if history.n_steps and lowest >= 0 and highest <= 1:
            return Assessment(
                "problem",
                f"all verdicts lie between {lowest:.2f} and {highest:.2f}: they look like "
                "probabilities, and are taken for logits",
                evidence,
            )
        return Assessment("ok", "verdicts are no probabilities", evidence)

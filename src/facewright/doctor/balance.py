"""BA: does one player leave the other no chance, or only seem not to?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facewright.doctor import thresholds as at
from facewright.doctor.finding import NO_SPREAD, NO_VERDICTS, Assessment, Verdict
from facewright.doctor.history import History


@dataclass(frozen=True)
class DiscriminatorDominance:
    """BA01. Is the discriminator so far ahead that the generator learns nothing from it?"""

    code: ClassVar[str] = "BA01"
    title: ClassVar[str] = "The discriminator wins every time"
    verdict: ClassVar[Verdict] = "discriminator-dominance"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "R1 (--set loss.r1=1), a lower learning rate of the discriminator (x 0.3) or a usual one "
        "of the generator, instance noise; and in place of minimax the non-saturating loss"
    )
    source: ClassVar[str] = "Arjovsky & Bottou 2017, arXiv:1701.04862"
    blind_spot: ClassVar[str] = (
        "games whose loss has no floor (hinge of the generator, Wasserstein)"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if not history.game.d_draw:
            return Assessment("cannot tell", "this game's losses have no fixed scale")
        if not history.knows("d_loss"):
            return Assessment("cannot tell", "the log has no loss of the discriminator")
        share = history.loss_over_draw()
        evidence = {"d_loss_over_draw": share}
        if share < at.DRAW_SHARE and history.gets_better():
            message = "the discriminator makes no mistakes, but images get better quickly"
            return Assessment("ok", message, evidence)
        if share < at.DRAW_SHARE:
            return Assessment(
                "problem",
                f"the discriminator's loss is {share:.2g} of that at a draw: it makes no "
                "mistakes, and the generator has nothing to go by",
                evidence,
            )
        if not history.snapshots:
            return Assessment("cannot tell", "no snapshot yet", evidence)
        steepness = history.snapshots[-1].steepness
        evidence["steepness"] = steepness
        if history.gradient_vanished():
            return Assessment(
                "problem",
                f"the gradient that reaches a generated image has length {steepness:.1e}",
                evidence,
            )
        return Assessment("ok", "the discriminator still makes mistakes", evidence)


@dataclass(frozen=True)
class GeneratorDominance:
    """BA02. Does the discriminator prefer generated images to photos?"""

    code: ClassVar[str] = "BA02"
    title: ClassVar[str] = "The discriminator prefers generated images"
    verdict: ClassVar[Verdict] = "generator-dominance"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "the discriminator's learning rate x 4, a wider discriminator, less R1; then more "
        "discriminator steps (--set train.d_steps=2)"
    )
    source: ClassVar[str] = "Heusel et al. 2017, arXiv:1706.08500"
    blind_spot: ClassVar[str] = "a discriminator that is merely undecided: BA03"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if not history.knows("real_logit", "fake_logit"):
            return NO_VERDICTS
        gap = history.recent_gap()
        share = float((gap < 0).mean())
        deviations = -float(np.nanmean(gap)) / history.recent_std()
        evidence = {"reversed_share": share, "gap_in_spreads": -deviations}
        # At the loss of a draw its preferences are too faint to mean anything: BA03.
        indifferent = bool(history.game.d_draw) and history.loss_over_draw() < 1 + at.AT_A_DRAW
        if share > at.PREFERS_FAKES and deviations > at.GAP_REVERSED and not indifferent:
            return Assessment(
                "problem",
                f"generated images were rated above photos in {share:.0%} of recent steps",
                evidence,
            )
        return Assessment("ok", "photos are not rated below generated images", evidence)


@dataclass(frozen=True)
class WeakDiscriminator:
    """BA03. Does the discriminator see no difference where a linear classifier does?"""

    code: ClassVar[str] = "BA03"
    title: ClassVar[str] = "A draw that is none"
    verdict: ClassVar[Verdict] = "weak-discriminator"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "a wider discriminator, less penalty and dropout on it, its learning rate x 4"
    )
    source: ClassVar[str] = "this project, docs/experiments/doctor.md, 'calibrating the doctor'"
    blind_spot: ClassVar[str] = (
        "a difference that the discriminator misses, and a linear classifier of 16 pixels too"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if not history.knows("real_logit", "fake_logit", "real_logit_std"):
            return NO_SPREAD
        gap = float(np.nanmean(history.recent_gap())) / history.recent_std()
        evidence = {"gap_in_spreads": gap}
        if not history.undecided():
            return Assessment("ok", "the discriminator has an opinion", evidence)
        if history.at_a_draw() and gap > at.TOO_SOFT:
            return Assessment(
                "problem",
                f"the discriminator tells photos apart, by {gap:.1f} standard deviations, but "
                "its loss is that of a draw: its verdict is too flat to learn from",
                evidence,
            )
        # Earlier versions asked now and then.
        asked = [s.js_bits for s in history.snapshots if s.js_bits is not None]
        if not asked:
            return Assessment("cannot tell", "no snapshot yet", evidence)
        evidence["js_bits"] = asked[-1]
        if asked[-1] > at.JS_FAR:
            return Assessment(
                "problem",
                "the discriminator sees no difference, but a linear classifier finds "
                f"{asked[-1]:.2f} of 1 bit",
                evidence,
            )
        return Assessment("ok", "a linear classifier finds it hard too", evidence)

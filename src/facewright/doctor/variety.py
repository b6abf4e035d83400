"""MC: does the generator repeat itself, or leave photos out?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from facewright.doctor import thresholds as at
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import History
from facewright.doctor.snapshot import Snapshot


@dataclass(frozen=True)
class Repeats:
    """MC01. Do different latents give the same image?"""

    code: ClassVar[str] = "MC01"
    title: ClassVar[str] = "Different latents give the same images"
    verdict: ClassVar[Verdict] = "mode-collapse"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "the relativistic loss with R1 and R2 (--set loss.game=relativistic loss.r1=0.5 "
        "loss.r2=0.5), minibatch discrimination, a larger batch; check that the latents reach "
        "the generator"
    )
    source: ClassVar[str] = (
        "Arora et al. 2018, arXiv:1706.08224 (collisions as a measure of support)"
    )
    blind_spot: ClassVar[str] = (
        "thousands of different images that leave out a part of the photos: coverage in "
        "`facewright evaluate`"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if not history.snapshots:
            return Assessment("cannot tell", "no snapshot yet")
        last = history.snapshots[-1]
        evidence = {
            "support": last.support,
            "nearest_ratio": last.nearest_ratio,
            "coverage": last.coverage,
        }
        if _unfolds(history.snapshots):
            message = "images vary little as yet, but more than ever before"
            return Assessment("cannot tell", message, evidence)
        enough = enough_images(history)
        if last.support is not None and last.support < enough:
            count = max(round(last.support), 1)
            message = f"it makes only about {count:,} different image{'s' * (count > 1)}"
            return Assessment("problem", message, evidence)
        if last.label_support is not None and last.label_support < at.LABEL_SUPPORT:
            evidence["label_support"] = last.label_support
            count = max(round(last.label_support), 1)
            message = f"of one label it makes only about {count} different image{'s' * (count > 1)}"
            return Assessment("problem", message, evidence)
        if last.nearest_ratio < at.NEAREST:
            return Assessment(
                "problem",
                f"generated images are {last.nearest_ratio:.0%} as far from each other as photos",
                evidence,
            )
        return Assessment("ok", "different latents give different images", evidence)


def enough_images(history: History) -> float:
    """How many different images does a generator make that does not repeat itself?"""
    return min(history.n_train / 2, at.SUPPORT)


def _unfolds(looks: Sequence[Snapshot]) -> bool:
    """Is this a young generator, whose images differ more at each look?"""
    if len(looks) < 2:
        return False
    *before, last = looks
    supports = [look.support for look in looks]
    if all(support is not None and math.isfinite(support) for support in supports):
        *known, now = (float(support or 0) for support in supports)
        if now > at.RICHER * max(known):
            return True
    most = max(look.diversity for look in before)
    return at.NOTHING < last.diversity < at.YOUNG and last.diversity > at.UNFOLDING * most

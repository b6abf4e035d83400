"""OV: does the discriminator know its photos by heart?"""

from dataclasses import dataclass
from typing import ClassVar

from facewright.doctor import thresholds as at
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import History
from facewright.doctor.reference import LOOKED_AT
from facewright.ranks import share_error


@dataclass(frozen=True)
class DiscriminatorOverfitting:
    """OV01. Does it rate the photos it was trained on above other photos?"""

    code: ClassVar[str] = "OV01"
    title: ClassVar[str] = "The discriminator knows its photos by heart"
    verdict: ClassVar[Verdict] = "discriminator-overfitting"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "augmentation (--set augment.probability=0.5, or augment.adaptive=true; where it is on, "
        "augment.scale and augment.rotation too), mirrored photos, R1 x 4, more photos, or stop at "
        "the best checkpoint"
    )
    source: ClassVar[str] = "Karras et al. 2020, arXiv:2006.06676 (we compare ranks, not signs)"
    blind_spot: ClassVar[str] = "held-out photos of another kind than the training photos"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        recent = [s.seen_above_held_out for s in history.snapshots[-2:]]
        if len(recent) < 2:
            return Assessment("cannot tell", "two snapshots are needed")
        share = sum(recent) / 2
        limit = _limit(history)
        evidence = {"seen_above_held_out": share, "limit": limit}
        if share > limit:
            return Assessment(
                "problem",
                f"a training photo beats a held-out one in {share:.0%} of pairs; 50 % is fair",
                evidence,
            )
        return Assessment("ok", "training photos are rated like others", evidence)


def _limit(history: History) -> float:
    """Of few photos more than half are above others by chance, at every look the same ones."""
    counts = (history.n_train, history.n_held_out or LOOKED_AT)
    seen, held_out = (min(max(count, 1), LOOKED_AT) for count in counts)
    return max(at.SEEN_ABOVE, 0.5 + at.CHANCE * share_error(seen, held_out))

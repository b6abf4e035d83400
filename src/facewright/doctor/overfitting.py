"""OV: does the discriminator know its photos by heart?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

from facewright.doctor import thresholds as at
from facewright.doctor.finding import Assessment, Verdict
from facewright.doctor.history import History
from facewright.doctor.reference import LOOKED_AT
from facewright.doctor.snapshot import Snapshot
from facewright.ranks import share_error


@dataclass(frozen=True)
class DiscriminatorOverfitting:
    """OV01. Does it rate the photos it was trained on above other photos?

    That alone is something to watch: images may get better for long while it happens. It is a
    problem once images get worse, or where most of what the discriminator tells photos from
    generated images by is which photos it has seen.
    """

    code: ClassVar[str] = "OV01"
    title: ClassVar[str] = "The discriminator knows its photos"
    verdict: ClassVar[Verdict] = "discriminator-overfitting"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "augmentation (--set augment.probability=0.5, or augment.adaptive=true; where it is on, "
        "augment.scale and augment.rotation too), mirrored photos, R1 x 4, more photos, or stop at "
        "the best checkpoint"
    )
    source: ClassVar[str] = (
        "Karras et al. 2020, arXiv:2006.06676 (their section 2 is about both signs: held-out "
        "photos rated like generated ones, and an FID that rises; we compare ranks, not signs)"
    )
    blind_spot: ClassVar[str] = (
        "held-out photos of another kind than the training photos; images that get worse in what "
        "16 pixels a side do not show"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        recent = history.snapshots[-2:]
        if history.n_held_out == 0:
            return Assessment("cannot tell", "no photos were held out")
        if len(recent) < 2:
            return Assessment("cannot tell", "two snapshots are needed")
        share = fmean(s.seen_above_held_out for s in recent)
        limit, by_heart = fair_limit(history), _by_heart(recent)
        evidence = {"seen_above_held_out": share, "limit": limit, "by_heart": by_heart}
        if share <= limit:
            return Assessment("ok", "training photos are rated like others", evidence)
        worse = history.distance_over_best()
        if worse is not None:
            evidence["distance_over_best"] = worse
        seen = f"a training photo beats a held-out one in {share:.0%} of pairs (50 % is fair)"
        if worse is not None and worse > at.WORSE:
            harm = f"generated images are {worse:.1f} times as far from held-out photos as at best"
            return Assessment("problem", f"{seen}, and {harm}", evidence)
        if by_heart > at.BY_HEART:
            harm = "held-out photos are rated more like generated images than like training photos"
            return Assessment("problem", f"{seen}, and {harm}", evidence)
        calm = "the discriminator begins to know its photos"
        harm = "generated images are not clearly worse than at best, so nothing is wrong yet"
        if worse is None:
            harm = "it takes more looks to see whether generated images get worse"
        return Assessment("watch", f"{calm}: {seen}; {harm}", evidence)


def fair_limit(history: History) -> float:
    """Of few photos more than half are above others by chance, at every look the same ones."""
    counts = (history.n_train, history.n_held_out or LOOKED_AT)
    seen, held_out = (min(max(count, 1), LOOKED_AT) for count in counts)
    return max(at.SEEN_ABOVE, 0.5 + at.CHANCE * share_error(seen, held_out))


def _by_heart(looks: Sequence[Snapshot]) -> float:
    """How much of what it tells photos from generated images by is which photos it has seen?

    0: none. 1: held-out photos are rated like generated images. Without a lead of the photos
    there is nothing to be explained.
    """
    lead = fmean(s.real_logit - s.fake_logit for s in looks)
    excess = fmean(s.real_logit - s.held_out_logit for s in looks)
    return excess / lead if lead > 0 else 0.0

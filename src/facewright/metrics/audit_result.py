"""What the memorisation audit found."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from facewright.metrics.comparison import Comparison
from facewright.metrics.copying import Copying
from facewright.metrics.estimate import Estimate
from facewright.metrics.pairs import Pair

Verdict = Literal["copies found", "no sign of copying", "cannot tell"]


@dataclass(frozen=True)
class SpaceAudit:
    """What was found in one space; `memorisation` and `copying` say how to read each.

    Args:
        calibrated: images far closer to one training photo than to all others around. The
            only one of them that the verdict "copies found" rests on.
        closest_tail: images among the closest of all; too many leave the verdict open.
        authenticity: images farther from their nearest photo than that is from others.
        copying: the data-copying test.
        quantile_ratios: distances to the training photos over those of held-out photos.
        least_noticed: the smallest share of copies that would have been noticed.
        pairs: the most suspicious images, lowest ratio first.
    """

    calibrated: Comparison
    closest_tail: Comparison
    authenticity: Comparison
    copying: Copying
    quantile_ratios: dict[float, Estimate | None]
    least_noticed: float
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Audit:
    """What `facewright audit` found.

    Args:
        verdict: in three words.
        reasons: why, a sentence each.
        suspected: images whose ratio is below the limit in any space, and held-out photos
            for which this is so. The difference estimates the share of copies.
        suspects: which generated images these are.
        spaces: the evidence.
        pairs: the most suspicious images of all spaces, lowest ratio first.
        n_train: training photos, and `n_val` held-out ones and `n_fake` generated images.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    suspected: Comparison
    suspects: tuple[int, ...]
    spaces: dict[str, SpaceAudit]
    pairs: tuple[Pair, ...]
    n_train: int
    n_val: int
    n_fake: int

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on; intervals hold 95 %."""
        fields = dataclasses.asdict(self)
        for space in fields["spaces"].values():
            space["quantile_ratios"] = {
                f"{share:.0%}": ratio for share, ratio in space["quantile_ratios"].items()
            }
        return fields

"""What the memorisation audit found, as fields for scripts and as words for people."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from facewright.metrics.comparison import Comparison
from facewright.metrics.copying import Copying
from facewright.metrics.estimate import Estimate
from facewright.metrics.pairs import Pair

Verdict = Literal["copies found", "no sign of copying", "cannot tell"]

COLOURS: dict[Verdict, str] = {
    "copies found": "red",
    "no sign of copying": "green",
    "cannot tell": "yellow",
}

NEXT: dict[Verdict, str] = {
    "copies found": (
        "What to do: look at the sheet of pairs. Do not publish the model or its images: they "
        "show people from your photos. Then drop near copies (facewright prepare --dedupe near), "
        "train on more photos or for a shorter time, and audit again."
    ),
    "no sign of copying": (
        "This is no proof. Look at the sheet of pairs all the same: rarer copies, and copies "
        "that were shifted, cropped or redrawn, can escape every test here."
    ),
    "cannot tell": (
        "What to do: look at the sheet of pairs. More generated images (--count) and more "
        "held-out photos (facewright prepare --val-fraction) make the tests sharper."
    ),
}


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

    def __rich__(self) -> Group:
        counts = (
            f"{self.n_fake:,} generated images against {self.n_train:,} training photos; "
            f"{self.n_val:,} held-out photos show what is normal"
        )
        return Group(
            Text(self.verdict, style=f"bold {COLOURS[self.verdict]}"),
            *map(Text, self.reasons),
            Text(),
            Text(counts, style="dim"),
            *(_table(name, space) for name, space in self.spaces.items()),
            Text(),
            Text(NEXT[self.verdict]),
        )


def _table(name: str, space: SpaceAudit) -> Table:
    """The evidence of one space."""
    table = Table(title=f"\nIn {name}", title_justify="left", title_style="bold", box=None)
    table.add_column("")
    table.add_column("generated", justify="right")
    table.add_column("held out", justify="right")
    table.add_column("copying shows as")
    shares = {
        "far closer to one photo than to others": (space.calibrated, "more than held out"),
        "among the closest of all": (space.closest_tail, "more than held out"),
        "authentic": (space.authenticity, "less than held out"),
    }
    for row, (share, sign) in shares.items():
        table.add_row(row, f"{share.fake.value:.1%}", f"{share.val.value:.1%}", sign)
    average = space.copying.average.value
    table.add_row("data-copying test C_T", f"{average:.1f}", "0.0", "below -3, if not blurred")
    for share, ratio in space.quantile_ratios.items():
        value = "-" if ratio is None else f"{ratio.value:.2f}"
        table.add_row(f"distance to nearest, closest {share:.0%}", value, "1.00", "well below 1")
    return table

"""How a look at the equilibrium is shown."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.cli.neighbourhood import PathDrawn
from facewright.equilibria.budget import Budget
from facewright.equilibria.fresh_discriminator import FreshReading
from facewright.equilibria.local import LocalReading
from facewright.equilibria.reading import GAME_FIELDS, EquilibriumReading, fresh_json
from facewright.equilibria.response import Mean

JUDGE = (
    "0 bits: the judge cannot tell them from photos. 1 bit: no image could be either. It is a "
    "lower bound: a longer search may find more, and rare things that are missing go unseen."
)
FEW = 100
"""Photos in the judge's test: accuracies of fewer are wrong by 5 points and more."""
GAME = (
    "At a Nash equilibrium no player gains by changing alone, and the gap is 0. A large gain is "
    "certain; a small one says that this search found nothing better. The generator's gain tells "
    "how sure of itself the discriminator is rather than how bad the images are: compare runs "
    "by bits, and follow the gap within one run."
)


@dataclass(frozen=True)
class Balance:
    """What was found about a run, or about images.

    Args:
        name: of what was looked at.
        reading: of the two players; `None` for images.
        samples: the fresh judge's word on the images that `facewright generate` draws (the
            averaged generator's), or on somebody's images.
        photos: the same of photos in place of generated images; `None` if not asked.
        budget: what the searches were given.
        local: the neighbourhood of this place; `None` if not asked.
        path: the way here from the checkpoint before; `None` if not asked, or if there is none.
    """

    name: str
    reading: EquilibriumReading | None
    samples: FreshReading
    photos: FreshReading | None
    budget: Budget
    local: LocalReading | None = None
    path: PathDrawn | None = None

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on. `js_bits` is of the generator that plays."""
        if self.reading is not None:
            fields = self.reading.as_json()
        else:
            note = "Images without a discriminator: only the fresh judge can say something."
            fields = dict.fromkeys(GAME_FIELDS) | fresh_json(self.samples)
            fields |= {"notes": [note], "budget": dataclasses.asdict(self.budget)}
        return fields | {
            "name": self.name,
            "samples": fresh_json(self.samples),
            "photos": fresh_json(self.photos) if self.photos else None,
            "local": self.local.as_json() if self.local else None,
            "path": self.path.as_json() if self.path else None,
        }

    def __rich__(self) -> Group:
        parts: list[RenderableType] = [Text(self.name, style="bold"), Text("")]
        parts += [Text(self._in_words()), self._judge_table(), Text(JUDGE, style="dim")]
        if self.reading is not None:
            parts += [Text(""), *_game(self.reading)]
        if self.local is not None:
            parts += [Text(""), *map(Text, self.local.verdict)]
        if self.path is not None:
            parts += [Text(""), *map(Text, self.path.sentences())]
        return Group(*parts)

    def _in_words(self) -> str:
        low, high = self.samples.null_band
        words = (
            "A fresh judge, who learned from other images, takes "
            f"{self.samples.accuracy:.0%} of photos and generated images for what they are; "
            "guessing gives 50 %."
        )
        if low <= self.samples.js_bits <= high:
            words += " That is no proof of a difference."
        if self.samples.n_test < FEW:
            words += (
                f" He was asked about {self.samples.n_test} photos, which is too few to go by: a "
                "store with a thousand held-out ones or more is wanted."
            )
        return words

    def _judge_table(self) -> Table:
        table = _table("", "bits", "by chance", "accuracy", "")
        rows = {"samples (averaged)" if self.reading else "images": self.samples}
        if self.reading is not None:
            rows["generator as it plays"] = self.reading.fresh
        if self.photos is not None:
            rows["photos instead"] = self.photos
        for name, judged in rows.items():
            table.add_row(
                name,
                f"{judged.js_bits:.3f} ± {judged.js_error:.3f}",
                f"± {judged.null_band[1]:.3f}",
                f"{judged.accuracy:.1%}",
                "still rising" if judged.search.still_rising else "",
            )
        return table


def _game(reading: EquilibriumReading) -> list[RenderableType]:
    """The value, what each player could gain, and what to bear in mind."""
    table = _table(f"the {reading.game} game", "value", "could gain", "")
    draw = "" if reading.draw is None else f"{reading.draw:.3f}"
    rising = {s.player for s in reading.searches if s.aim == "value" and s.still_rising}

    def row(name: str, value: float | None, gain: Mean | None, player: str = "") -> None:
        table.add_row(
            name,
            "cannot tell" if value is None else f"{value:.3f}",
            "" if gain is None else f"{gain.value:.3f} ± {gain.error:.3f}",
            "still rising" if player in rising else "",
        )

    table.add_row("a draw: nothing can be told apart", draw, "", "")
    row("the players as they are", reading.value.value if reading.value else None, None)
    row("best discriminator found", reading.m1, reading.regret_d, "discriminator")
    row("best generator found", reading.m2, reading.regret_g, "generator")
    gap, conv = reading.duality_gap, reading.nash_conv
    lines = [f"duality gap: {'cannot tell' if gap is None else f'{gap:.3f}'}"]
    if conv is not None:
        lines.append(f"both gains in the losses of training (NashConv): {conv:.3f}")
    cost = (
        f"budget {reading.budget.name}: {sum(s.steps for s in reading.searches):,} steps in "
        f"{len(reading.searches)} searches, {reading.seconds:.0f} s, on {reading.n_search:,} "
        f"held-out photos; scored on {reading.n_test:,} others"
    )
    parts = [table, *map(Text, lines), Text(GAME, style="dim"), *map(Text, reading.notes)]
    return [*parts, Text(cost, style="dim")]


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(title, style="bold", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table

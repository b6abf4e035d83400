"""How a look at the equilibrium is shown."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.actions.equilibrium import Balance, PathDrawn
from facewright.equilibria.reading import EquilibriumReading
from facewright.equilibria.response import Mean

BITS = (
    "0 bits: the fresh discriminator cannot tell them from photos. 1 bit: no image could be "
    "either. It is a lower bound: a longer search may find more, and rare things that are missing "
    "go unseen."
)
FEW = 100
"""Photos in its test: accuracies of fewer are wrong by 5 points and more."""
GAME = (
    "At a Nash equilibrium no player gains by changing alone, and the gap is 0. A large gain is "
    "certain; a small one says that this search found nothing better. The generator's gain tells "
    "how sure of itself the discriminator is rather than how bad the images are: compare runs "
    "by bits, and follow the gap within one run."
)


def shown(found: Balance) -> Group:
    """The fresh discriminator's word, the game, and the neighbourhood where it was asked for."""
    parts: list[RenderableType] = [Text(found.name, style="bold"), Text("")]
    parts += [Text(_in_words(found)), _bits_table(found), Text(BITS, style="dim")]
    if found.reading is not None:
        parts += [Text(""), *_game(found.reading)]
    if found.local is not None:
        parts += [Text(""), *map(Text, found.local.verdict)]
    if found.path is not None:
        parts += [Text(""), *map(Text, _path(found.path))]
    return Group(*parts)


def _in_words(found: Balance) -> str:
    low, high = found.samples.null_band
    words = (
        "A fresh discriminator, trained on other images, classifies "
        f"{found.samples.accuracy:.0%} of photos and generated images correctly; guessing gives "
        "50 %."
    )
    if low <= found.samples.js_bits <= high:
        words += " That is no proof of a difference."
    if found.samples.n_test < FEW:
        words += (
            f" It was tested on {found.samples.n_test} photos, which is too few to go by: a "
            "store with a thousand held-out ones or more is wanted."
        )
    return words


def _bits_table(found: Balance) -> Table:
    table = _table("", "bits", "by chance", "accuracy", "")
    rows = {"samples (EMA)" if found.reading else "images": found.samples}
    if found.reading is not None:
        rows["generator as it plays"] = found.reading.fresh
    if found.photos is not None:
        rows["photos instead"] = found.photos
    for name, judged in rows.items():
        table.add_row(
            name,
            f"{judged.js_bits:.3f} ± {judged.js_error:.3f}",
            f"± {judged.null_band[1]:.3f}",
            f"{judged.accuracy:.1%}",
            "still rising" if judged.search.still_rising else "",
        )
    return table


def _path(path: PathDrawn) -> list[str]:
    drawn = [str(path.figure)] if path.figure else []
    return [f"On the line from {path.since}:", *path.angle.verdict, *drawn]


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

"""Which curves a report shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from facewright.records.run_history import RunHistory
from facewright.reporting.bands import Band, band
from facewright.reporting.meanings import of_metric
from facewright.reporting.words import number


@dataclass(frozen=True)
class Draws:
    """The players' losses when real and generated images cannot be told apart.

    `None` where the game leaves that loss free.
    """

    discriminator: float | None = None
    generator: float | None = None


@dataclass(frozen=True)
class Line:
    """One curve of a chart.

    Args:
        label: what it is called.
        role: names its colour: discriminator, generator, real, or neutral.
        band: the points.
    """

    label: str
    role: str
    band: Band


@dataclass(frozen=True)
class ReferenceLine:
    """A horizontal line to compare the curves with."""

    label: str
    role: str
    value: float


@dataclass(frozen=True)
class Chart:
    """Curves that share one pair of axes, over images seen.

    Args:
        name: identifies it on the page.
        title: what it shows.
        hint: how to read it, in one sentence.
        lines: the curves; those without any value are left out.
        references: values worth comparing with.
        limits: of the vertical axis; `None` fits it to the curves.
        logarithmic: whatever the curves span.
    """

    name: str
    title: str
    hint: str
    lines: tuple[Line, ...]
    references: tuple[ReferenceLine, ...] = ()
    limits: tuple[float, float] | None = None
    logarithmic: bool = False

    @property
    def is_logarithmic(self) -> bool:
        """Should equal ratios look equal, because positive values span so much?"""
        if self.limits or self.logarithmic:
            return self.logarithmic
        low = min((np.nanmin(line.band.low) for line in self.lines), default=0.0)
        high = max((np.nanmax(line.band.high) for line in self.lines), default=0.0)
        return bool(low > 0 and high > 25 * low)

    @property
    def description(self) -> str:
        """The chart in words, for those who cannot see it."""
        return "; ".join([self.title, *map(_in_words, self.lines)])


def charts(history: RunHistory, draws: Draws) -> list[Chart]:
    """Every chart of a run's steps for which something was recorded."""
    x = history.steps["images_seen"]

    def line(label: str, role: str, field: str) -> Line:
        return Line(label, role, band(x, history.steps[field]))

    players = (("Discriminator", "discriminator"), ("Generator", "generator"))
    drawn = [draws.discriminator, draws.generator]
    candidates = [
        Chart(
            "losses",
            "Losses",
            "A dashed line, where the game has one, is that player's loss at a draw: real and "
            "generated faces cannot be told apart.",
            (line(*players[0], "d_loss"), line(*players[1], "g_loss")),
            tuple(
                ReferenceLine("draw", role, value)
                for (_, role), value in zip(players, drawn, strict=True)
                if value is not None
            ),
        ),
        Chart(
            "verdicts",
            "What the discriminator says",
            "1 means “real”. Two separate bands: it tells them apart; both near 0.5: undecided.",
            (
                line("D(x), real", "real", "d_real"),
                line("D(G(z)), generated", "generator", "d_fake"),
            ),
            (ReferenceLine("undecided", "neutral", 0.5),),
            limits=(0.0, 1.0),
        ),
        Chart(
            "accuracy",
            "Pairs told apart",
            "Share of (real, generated) pairs ranked correctly. 1: no generated image is rated "
            "above its photo.",
            (line("Discriminator", "discriminator", "paired_accuracy"),),
            (ReferenceLine("guessing", "neutral", 0.5),),
            limits=(0.0, 1.0),
        ),
        Chart(
            "gradients",
            "Gradient norms",
            "How hard each player is pushed. Growth without end precedes divergence.",
            (line(*players[0], "d_grad_norm"), line(*players[1], "g_grad_norm")),
        ),
        *_penalty_charts(line(*players[0], "d_penalty")),
        Chart(
            "speed",
            "Speed",
            "Real images shown to the discriminator each second.",
            (line("Images per second", "neutral", "images_per_second"),),
        ),
    ]
    return [chart for chart in map(_recorded, candidates) if chart.lines]


ALIKE = ("name", "features", "n_real", "n_fake", "against", "data")
"""What two measured numbers must have in common to be comparable."""


def metric_charts(rows: Iterable[Mapping[str, Any]]) -> list[Chart]:
    """One chart for each metric that was measured in the same way at three moments or more.

    Args:
        rows: of `metrics.jsonl`. Numbers of other features or other sample sizes are not
            comparable, so they never share a curve.
    """
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if "images_seen" in row:
            way = tuple(row.get(key) for key in ALIKE)
            alike.setdefault(way, []).append(row)
    return [
        Chart(
            f"metric-{index}",
            name,
            _metric_hint(group[-1]),
            (Line(name, "neutral", _metric_band(group)),),
            _floor(group[-1]),
        )
        for index, ((name, *_), group) in enumerate(alike.items())
        if len({row["images_seen"] for row in group}) >= 3
    ]


def _metric_hint(row: Mapping[str, Any]) -> str:
    parts = [
        of_metric(row["name"]),
        f"{row['n_fake']:,} generated images against {row['n_real']:,} photos, {row['features']}.",
        "Band: 95 % interval." if row.get("interval") else "",
        "Dashed: what photos score." if row.get("floor") is not None else "",
    ]
    return " ".join(filter(None, parts))


def _floor(row: Mapping[str, Any]) -> tuple[ReferenceLine, ...]:
    floor = row.get("floor")
    return () if floor is None else (ReferenceLine("photos", "real", floor),)


def _metric_band(rows: Iterable[Mapping[str, Any]]) -> Band:
    rows = sorted({row["images_seen"]: row for row in rows}.values(), key=_moment)
    mid = np.array([row["value"] for row in rows], dtype=np.float64)
    x = np.array([row["images_seen"] for row in rows], dtype=np.float64)
    intervals = [row.get("interval") or (None, None) for row in rows]
    # Where an end is open, which earlier versions wrote as null, the band ends at the value.
    ends = np.array(intervals, dtype=np.float64)
    low, high = np.where(np.isfinite(ends), ends, mid[:, None]).T
    return Band(x, low, mid, high, x[~np.isfinite(mid)])


def _moment(row: Mapping[str, Any]) -> int:
    return row["images_seen"]


def _recorded(chart: Chart) -> Chart:
    return replace(chart, lines=tuple(line for line in chart.lines if not line.band.is_empty))


def _penalty_charts(line: Line) -> list[Chart]:
    """None for a run without penalties, whose curve is zero throughout."""
    if not np.nan_to_num(line.band.high).any():
        return []
    hint = "What the penalties add to the discriminator's loss."
    return [Chart("penalty", "Penalties", hint, (line,))]


def _in_words(line: Line) -> str:
    known = line.band.mid[~np.isnan(line.band.mid)]
    first, last = (number(float(value)) for value in known[[0, -1]])
    words = f"{line.label}: {first} at first, {last} at last"
    if len(line.band.broken):
        words += f", not finite at {len(line.band.broken)} places"
    return words

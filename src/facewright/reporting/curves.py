"""Charts as pictures: PNG for a folder, SVG that takes its colours from the page."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facewright.doctor.finding import Finding
from facewright.images import save_figure
from facewright.records.run_history import RunHistory
from facewright.reporting.charts import Chart, Draws, charts, metric_charts
from facewright.reporting.markup import Html, safe
from facewright.reporting.words import short_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = {
    "discriminator": "#2458c5",
    "generator": "#c2570c",
    "real": "#0f7b6c",
    "neutral": "#5a6472",
    "broken": "#c81e3a",
    "watch": "#8a5a00",
    "grid": "#e4e6ea",
}
"""Colour of each role on white. In the page, style.css gives them for both themes."""

PLOT = (0.115, 0.115, 0.87, 0.85)
"""Left, bottom, width and height of the axes in every chart, as shares of the picture."""

INCHES = (4.6, 2.45)

FEW_POINTS = 40
"""So many moments are shown one by one."""


def save_curves(history: RunHistory, path: Path, draws: Draws | None = None) -> None:
    """Both players' losses, and what the discriminator says, as one PNG.

    Cheap enough to be called whenever samples are drawn. Writes nothing before the first
    recorded step.

    Args:
        history: the run so far.
        path: replaced as a whole.
        draws: where the losses sit at a draw.
    """
    shown = [
        chart for chart in charts(history, draws or Draws()) if chart.name in ("losses", "verdicts")
    ]
    if shown:
        _save(shown, path, float(history.last("images_seen")))


def save_metric_curves(rows: Iterable[Mapping[str, Any]], path: Path) -> bool:
    """Each metric against the images seen, as one PNG.

    Args:
        rows: of `metrics.jsonl`.
        path: replaced as a whole.

    Returns:
        Whether there was something to draw: a metric needs three moments.
    """
    rows = list(rows)
    shown = metric_charts(rows)
    if shown:
        _save(shown, path, max(row.get("images_seen", 0) for row in rows))
    return bool(shown)


def _save(shown: Sequence[Chart], path: Path, x_end: float) -> None:
    from matplotlib.figure import Figure

    width, height = INCHES
    figure = Figure(figsize=(1.5 * width, 1.25 * height * len(shown)), facecolor="white")
    rows = figure.subplots(len(shown), squeeze=False)[:, 0]
    edge = 0.15 / len(shown)
    figure.subplots_adjust(left=0.1, right=0.975, top=1 - 1.1 * edge, bottom=edge, hspace=0.34)
    for chart, axes in zip(shown, rows, strict=True):
        _paint(chart, axes, x_end)
        axes.set_title(chart.title, fontsize=11, loc="left", fontweight="bold", pad=16)
        hint = {"fontsize": 5.6, "color": INK["neutral"], "transform": axes.transAxes}
        axes.text(0, 1.025, chart.hint, **hint)
        if len(chart.lines) > 1:
            axes.legend(loc="upper right", fontsize=8.5, frameon=False, ncols=2)
    rows[-1].set_xlabel("images seen", fontsize=8.5, color=INK["neutral"])
    save_figure(figure, path)


def svg(chart: Chart, x_end: float, findings: Sequence[Finding] = ()) -> Html:
    """A chart as inline SVG, coloured by the page's `--NAME` variables.

    Args:
        chart: has at least one line.
        x_end: images seen at the right edge, the same for all charts of a page.
        findings: shaded from where they began to where they ended.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES)
    axes = figure.add_axes(PLOT)
    _paint(chart, axes, x_end)
    _shade(findings, axes, x_end)
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # Text stays text, and no two charts of a page share the names of their clip paths.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.name}):
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        FigureCanvasSVG(figure).print_svg(text, metadata=nothing)
    return _themed(text.getvalue(), chart.description)


def _paint(chart: Chart, axes: "Axes", x_end: float) -> None:
    for line in chart.lines:
        colour, points = INK[line.role], line.band
        axes.fill_between(points.x, points.low, points.high, color=colour, alpha=0.2, lw=0)
        dots = "o" if len(points.x) <= FEW_POINTS else ""
        axes.plot(points.x, points.mid, color=colour, lw=1.5, marker=dots, ms=3, label=line.label)
        axes.plot(
            points.broken,
            np.full(len(points.broken), 0.03),
            transform=axes.get_xaxis_transform(),
            color=INK["broken"],
            ls="",
            marker="x",
            ms=5,
            clip_on=False,
        )
    for reference in chart.references:
        axes.axhline(reference.value, color=INK[reference.role], lw=1, ls=(0, (4, 3)), alpha=0.8)
    if chart.is_logarithmic:
        _make_logarithmic(axes)
    if chart.limits:
        low, high = chart.limits
        axes.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    _dress(axes, x_end)


def _shade(findings: Sequence[Finding], axes: "Axes", x_end: float) -> None:
    """Each finding's stretch; every check has a row of its own for its name."""
    rows = list(dict.fromkeys(finding.code for finding in findings))
    named: set[str] = set()
    for finding in findings:
        colour = INK["watch" if finding.grade == "watch" else "broken"]
        end = x_end if finding.active else finding.images_seen
        axes.axvspan(finding.first_seen_images, end, color=colour, alpha=0.05, lw=0, zorder=0)
        axes.axvline(finding.first_seen_images, color=colour, lw=1, zorder=1)
        if finding.code in named:
            continue
        named.add(finding.code)
        late = finding.first_seen_images > 0.85 * x_end
        axes.text(
            finding.first_seen_images + (-0.008 if late else 0.008) * x_end,
            0.93 - 0.085 * rows.index(finding.code),
            finding.code,
            transform=axes.get_xaxis_transform(),
            color=colour,
            fontsize=7.5,
            ha="right" if late else "left",
            va="top",
        )


def _make_logarithmic(axes: "Axes") -> None:
    """Equal ratios look equal; labels are plain numbers, more of them for few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def quiet(axes: "Axes") -> None:
    """No frame, thin horizontal lines, small gray numbers."""
    axes.grid(axis="y", color=INK["grid"], lw=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(INK["grid"])
    axes.tick_params(labelsize=8, labelcolor=INK["neutral"], length=0, which="both")


def _dress(axes: "Axes", x_end: float) -> None:
    """Quiet axes, with counts of images in thousands and millions."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(0, max(x_end, 1))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    quiet(axes)


def _themed(text: str, description: str) -> Html:
    text = text[text.index("<svg") :]
    # Size, namespaces and names of groups would fix the width and repeat on the page.
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r"<svg \1>", text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    for role, colour in INK.items():
        text = text.replace(colour, f"var(--{role})")
    return Html(text.replace("<svg ", f'<svg role="img" aria-label="{safe(description)}" ', 1))

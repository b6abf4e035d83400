"""Figures in the house style, drawn without a screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from facewright.reporting.curves import INK, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = ("#2458c5", "#c2570c", "#0f7b6c", "#8e3fa8", "#5a6472", "#b08900", "#c81e3a")
"""Colours of several things of one kind, in order; the first three are the house's roles."""

DPI = 110
WIDTH = 7.6
"""Inches."""

Place = Literal["upper left", "upper right", "lower left", "lower right", "center right"]


def canvas(rows: int = 1, columns: int = 1, *, height: float = 2.9) -> tuple["Figure", np.ndarray]:
    """An empty figure.

    Args:
        rows: of axes.
        columns: of axes.
        height: of each row, in inches.

    Returns:
        The figure and its (rows, columns) axes, already dressed.
    """
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(WIDTH, height * rows), dpi=DPI, facecolor="white", layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        dress(each)
    return figure, axes


def dress(axes: "Axes") -> None:
    """Quiet axes, with small gray labels."""
    quiet(axes)
    axes.xaxis.label.set(size=8.5, color=INK["neutral"])
    axes.yaxis.label.set(size=8.5, color=INK["neutral"])


def title(axes: "Axes", text: str) -> None:
    """What these axes show, above them on the left."""
    axes.set_title(text, fontsize=10, loc="left", fontweight="bold")


def legend(axes: "Axes", where: Place = "upper right") -> None:
    """Names of the curves, without a box."""
    axes.legend(fontsize=8, frameon=False, loc=where)


def show_image(axes: "Axes", image: np.ndarray) -> None:
    """An image or a map, pixel by pixel, without axes.

    Args:
        axes: to draw in.
        image: (H, W), (H, W, 1) or (H, W, 3) uint8 as it is; float (H, W) in gray from its
            smallest to its largest value.
    """
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    low, high = (0, 255) if flat.dtype == np.uint8 else (None, None)
    axes.imshow(flat, cmap="gray", interpolation="nearest", vmin=low, vmax=high)
    axes.set_axis_off()


def dots(axes: "Axes", groups: Sequence[Sequence[float]], names: Sequence[str]) -> None:
    """One dot for each seed, one column for each group, and a bar at the group's mean."""
    for place, values in enumerate(groups):
        colour = SERIES[place % len(SERIES)]
        spots = place + np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else [place]
        axes.plot(spots, values, "o", color=colour, ms=5, alpha=0.75)
        axes.hlines(float(np.mean(values)), place - 0.28, place + 0.28, color=colour, lw=2)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """(N,) numbers, each replaced by the mean of the last `window` of them, or of all so far."""
    sums = np.cumsum(np.insert(np.asarray(values, dtype=float), 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)

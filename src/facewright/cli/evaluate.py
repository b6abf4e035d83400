"""How measured numbers are shown."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from facewright.actions.evaluate import Evaluated
from facewright.metrics.evaluate import MetricResult


def shown(found: Evaluated) -> Group:
    """A table for each set of images, and what to know about its numbers."""
    parts: list[Any] = []
    for measured in found.measured:
        results, refused = measured.evaluation.results, measured.evaluation.refused
        parts += [_table(measured.name, results), *_features(results), *_floors(results)]
        parts += [Text(f"{result.name}: {result.note}") for result in results if result.note]
        parts += [Text(f"no {one.name}: {one.error}") for one in refused]
    return Group(*parts, *(Text(str(figure)) for figure in found.figures))


def scores(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows of `metrics.jsonl`, one line each."""
    lines = []
    for row in rows:
        ends = [_number(end) for end in row.get("interval") or () if end is not None]
        sure = f" ({' to '.join(ends)})" if len(ends) == 2 else ""
        lines.append(
            f"{row['name']} {_number(row['value'])}{sure}, {row['n_fake']:,} generated images "
            f"against {row['n_real']:,} photos"
        )
    return lines


def _table(title: str, results: tuple[MetricResult, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("metric", overflow="fold")
    for column in ("value", "95 % interval", "photos score", "photos", "images"):
        table.add_column(column, justify="right", overflow="fold")
    for result in results:
        better = {True: " ↓", False: " ↑", None: ""}[result.lower_is_better]
        table.add_row(
            result.name + better,
            _number(result.value),
            "" if result.interval is None else " to ".join(map(_number, result.interval)),
            "" if result.floor is None else _number(result.floor),
            f"{result.n_real:,}" if result.n_real else "",
            f"{result.n_fake:,}",
        )
    return table


def _features(results: tuple[MetricResult, ...]) -> list[Text]:
    """Which numbers rest on which features: only these may be compared with each other."""
    names: dict[str, list[str]] = {}
    for result in results:
        names.setdefault(result.features, []).append(result.name)
    return [Text(f"{features}: {', '.join(of)}", style="dim") for features, of in names.items()]


def _floors(results: tuple[MetricResult, ...]) -> list[Text]:
    """On how many photos the floors were measured, where there are too few for the same sizes."""
    names: dict[tuple[int, int], list[str]] = {}
    for result in results:
        if result.floor_n and result.floor_n != (result.n_real, result.n_fake):
            names.setdefault(result.floor_n, []).append(result.name)
    return [
        Text(f"photos' score from {f'{n:,} and ' if n else ''}{m:,} photos: {', '.join(of)}")
        for (n, m), of in names.items()
    ]


def _number(value: float) -> str:
    """Four significant digits; tiny numbers in powers of ten."""
    if not math.isfinite(value):
        return "∞" if value > 0 else str(value)
    if 0 < abs(value) < 1e-4:
        return f"{value:.2e}"
    digits = 3 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:,.{min(max(digits, 0), 7)}f}"

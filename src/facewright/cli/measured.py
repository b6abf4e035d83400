"""How measured numbers are shown, and kept."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from facewright.metrics.evaluate import Evaluation, MetricResult
from facewright.metrics.image_set import Against


@dataclass(frozen=True)
class Measured:
    """The numbers about one set of images.

    Args:
        name: of the set.
        images_seen: by the generator in its training; `None` for somebody's images.
        against: which photos.
        data: content hash of their store.
        evaluation: the numbers.
    """

    name: str
    images_seen: int | None
    against: Against
    data: str
    evaluation: Evaluation

    def rows(self) -> list[dict[str, Any]]:
        """Each number in the form of `metrics.jsonl`."""
        place: dict[str, Any] = {
            "subject": self.name,
            "against": self.against,
            "data": self.data[:12],
        }
        if self.images_seen is not None:
            place["images_seen"] = self.images_seen
        return [_as_json(result) | place for result in self.evaluation.results]

    def refusals(self) -> list[dict[str, Any]]:
        """Each number that is not given, with the reason."""
        return [
            {"subject": self.name, "name": refused.name, "reason": str(refused.error)}
            for refused in self.evaluation.refused
        ]


@dataclass(frozen=True)
class Evaluated:
    """The numbers about one set of images, or about each checkpoint of a run."""

    measured: tuple[Measured, ...]
    figures: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on."""
        return {
            "metrics": [row for part in self.measured for row in part.rows()],
            "refused": [row for part in self.measured for row in part.refusals()],
            "figures": [str(figure) for figure in self.figures],
        }

    def __rich__(self) -> Group:
        parts: list[Any] = []
        for measured in self.measured:
            results, refused = measured.evaluation.results, measured.evaluation.refused
            parts += [_table(measured.name, results), *_features(results), *_floors(results)]
            parts += [Text(f"{result.name}: {result.note}") for result in results if result.note]
            parts += [Text(f"no {one.name}: {one.error}") for one in refused]
        return Group(*parts, *(Text(str(figure)) for figure in self.figures))


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


def _as_json(result: MetricResult) -> dict[str, Any]:
    """JSON knows no infinity: an open end of an interval is null."""
    row = dataclasses.asdict(result)
    if result.interval is not None:
        row["interval"] = [end if math.isfinite(end) else None for end in result.interval]
    return row

"""How runs are listed and compared."""

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.actions.runs import Runs
from facewright.records.compare import RunSummary
from facewright.reporting.words import number, short_count

COLOURS = {"finished": "green", "running": "cyan", "interrupted": "yellow"}
"""Of a status; any other is red."""

NARROWEST = 14
"""Letters of a run's name that stay together in any terminal."""

SHOWN = {
    "fid": ("fid",),
    "kid": ("kid",),
    "fd": ("fd@face", "fd@digits"),
    "coverage": ("coverage@face", "coverage@digits"),
}
"""Columns of metrics; those with several are of what the photos show, and called so where all
photos show the same. --json has all metrics."""


def shown(found: Runs) -> RenderableType:
    """Every run on one line, and what differs."""
    if not found.runs and not found.unreadable:
        out = shlex.quote(str(found.folder / "mine"))
        return Text(
            f"no runs in {found.folder} yet\n"
            "next: facewright demo, which makes one in minutes, or with photos of yours\n"
            "      facewright prepare PHOTOS --out stores/mine --size 28\n"
            f"      facewright train --recipe fast-28 --data stores/mine --out {out}"
        )
    parts: list[RenderableType] = [_overview(found)] if found.runs else []
    if rows := _rows(found):
        parts += [Text(), _differences(found, rows)]
    for path, reason in found.unreadable.items():
        parts.append(Text(f"cannot be read: {path}: {reason}", style="red"))
    return Group(*parts)


def _overview(found: Runs) -> Table:
    shown = _columns(found.runs)
    table = _table("run", "recipe")
    # In a narrow terminal, names may be broken in two, and numbers not.
    table.columns[0].min_width = min(
        NARROWEST, max(len(_name(run.path, found.folder)) for run in found.runs)
    )
    for title in ("images", "minutes", *shown, "status"):
        table.add_column(Text(title.replace("@", "\n@")), no_wrap=True)
    troubled = any(run.findings for run in found.runs)
    if troubled:
        table.add_column("findings", overflow="fold", min_width=len("findings"))
    for run in found.runs:
        table.add_row(
            _name(run.path, found.folder),
            Text(run.recipe or run.model),
            _progress(run),
            f"{run.minutes:.1f}",
            *(_first(run, names) for names in shown.values()),
            Text(run.status, style=COLOURS.get(run.status, "red")),
            *([Text(" ".join(run.findings))] if troubled else []),
        )
    return table


def _rows(found: Runs) -> dict[str, dict[str, Any]]:
    """Everything in which runs differ -> the run's path -> what it has."""
    photos = {"": "none yet"}
    for run in found.runs:  # the same photos may lie in folders of several names
        photos.setdefault(run.content_hash, f"{run.store} ({run.content_hash[:8]})")
    origins = {
        "photos": {str(run.path): photos[run.content_hash] for run in found.runs},
        "init_from": {str(run.path): run.init_from or "nothing" for run in found.runs},
    }
    return {k: row for k, row in origins.items() if len(set(row.values())) > 1} | found.settings


def _differences(found: Runs, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    """What is usual, the first of equally many, and where each run has something else."""
    usual = {key: Counter(row.values()).most_common(1)[0][0] for key, row in rows.items()}
    table = _table("run", "what differs")
    table.add_row(Text("usual", style="dim"), _settings(usual))
    for run in found.runs:
        own = {key: row[str(run.path)] for key, row in rows.items()}
        unlike = {key: value for key, value in own.items() if value != usual[key]}
        table.add_row(_name(run.path, found.folder), _settings(unlike))
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    return table


def _columns(runs: list[RunSummary]) -> dict[str, tuple[str, ...]]:
    """What to show, so that every run that has metrics shows one."""
    others = [
        next(iter(run.metrics))
        for run in runs
        if run.metrics and not any(_first(run, names) for names in SHOWN.values())
    ]
    columns = SHOWN | {name: (name,) for name in others}
    there = {name for run in runs for name in run.metrics}
    shown = {title: [n for n in names if n in there] for title, names in columns.items()}
    return {
        names[0] if len(names) == 1 else title: tuple(names)
        for title, names in shown.items()
        if names
    }


def _first(run: RunSummary, names: tuple[str, ...]) -> str:
    """The first of these metrics that a run has."""
    return next((f"{run.metrics[name]:.3g}" for name in names if name in run.metrics), "")


def _settings(values: Mapping[str, Any]) -> Text:
    return Text("  ".join(f"{key}={number(value)}" for key, value in values.items()))


def _progress(run: RunSummary) -> str:
    """Images shown, and of how many where more are to come."""
    seen, planned = short_count(run.images_seen), short_count(run.images_planned)
    return seen if run.images_seen >= run.images_planned else f"{seen}/{planned}"


def _name(path: Path, folder: Path) -> Text:
    """How a run is called in a listing of a folder."""
    return Text(path.name if path == folder else str(path.relative_to(folder)))

"""`facewright runs`: every run on one line, and what sets them apart."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.errors import RunError
from facewright.records.compare import RunSummary, differing_settings, read_runs, summarise
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


@dataclass(frozen=True)
class Runs:
    """The runs at or below a folder."""

    folder: Path
    runs: list[RunSummary]
    settings: dict[str, dict[str, Any]]
    unreadable: dict[Path, str]

    def as_json(self) -> dict[str, Any]:
        """One object for each run, and the settings in which they differ."""
        return {
            "folder": str(self.folder),
            "runs": [{**dataclasses.asdict(run), "path": str(run.path)} for run in self.runs],
            "settings": self.settings,
            "unreadable": {str(path): reason for path, reason in self.unreadable.items()},
        }

    def __rich__(self) -> RenderableType:
        if not self.runs and not self.unreadable:
            return Text(f"no runs in {self.folder}; facewright train makes one")
        parts: list[RenderableType] = [self._overview()] if self.runs else []
        if rows := self._rows():
            parts += [Text(), self._differences(rows)]
        for path, reason in self.unreadable.items():
            parts.append(Text(f"cannot be read: {path}: {reason}", style="red"))
        return Group(*parts)

    def _overview(self) -> Table:
        shown = _columns(self.runs)
        table = _table("run", "recipe")
        # In a narrow terminal, names may be broken in two, and numbers not.
        table.columns[0].min_width = min(
            NARROWEST, max(len(_name(run.path, self.folder)) for run in self.runs)
        )
        for title in ("images", "minutes", *shown, "status"):
            table.add_column(Text(title.replace("@", "\n@")), no_wrap=True)
        troubled = any(run.findings for run in self.runs)
        if troubled:
            table.add_column("findings", overflow="fold", min_width=len("findings"))
        for run in self.runs:
            table.add_row(
                _name(run.path, self.folder),
                Text(run.recipe or run.model),
                _progress(run),
                f"{run.minutes:.1f}",
                *(_first(run, names) for names in shown.values()),
                Text(run.status, style=COLOURS.get(run.status, "red")),
                *([Text(" ".join(run.findings))] if troubled else []),
            )
        return table

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Everything in which runs differ -> the run's path -> what it has."""
        photos = {"": "none yet"}
        for run in self.runs:  # the same photos may lie in folders of several names
            photos.setdefault(run.content_hash, f"{run.store} ({run.content_hash[:8]})")
        origins = {
            "photos": {str(run.path): photos[run.content_hash] for run in self.runs},
            "init_from": {str(run.path): run.init_from or "nothing" for run in self.runs},
        }
        return {k: row for k, row in origins.items() if len(set(row.values())) > 1} | self.settings

    def _differences(self, rows: Mapping[str, Mapping[str, Any]]) -> Table:
        """What is usual, the first of equally many, and where each run has something else."""
        usual = {key: Counter(row.values()).most_common(1)[0][0] for key, row in rows.items()}
        table = _table("run", "what differs")
        table.add_row(Text("usual", style="dim"), _settings(usual))
        for run in self.runs:
            own = {key: row[str(run.path)] for key, row in rows.items()}
            unlike = {key: value for key, value in own.items() if value != usual[key]}
            table.add_row(_name(run.path, self.folder), _settings(unlike))
        return table


def runs(folder: Annotated[Path, tyro.conf.Positional] = Path("runs")) -> Runs:
    """List the runs at or below a folder, and in which photos and settings they differ.

    Args:
        folder: where to look.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(
            f"{folder} does not exist", expected="a folder of runs", fix="facewright runs DIR"
        )
    histories, unreadable = read_runs(folder)
    configs = {str(history.folder.path): history.config for history in histories}
    return Runs(
        folder=folder,
        runs=[summarise(history) for history in histories],
        settings=differing_settings(configs),
        unreadable=unreadable,
    )


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

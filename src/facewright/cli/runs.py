"""`facewright runs`: every run on one line, and what sets them apart."""

import dataclasses
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

SHOWN = ("fid", "kid", "kid@face", "kid@digits", "coverage@face", "coverage@digits")
"""Metrics that stand for the others, the first three that a run has; --json has all."""


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
        if self.settings:
            parts += [Text(), self._differences()]
        for path, reason in self.unreadable.items():
            parts.append(Text(f"cannot be read: {path}: {reason}", style="red"))
        return Group(*parts)

    def _overview(self) -> Table:
        table = _table("run", "recipe", "images", "status", "images/s", "minutes")
        # On a narrow terminal other columns give way to what these two have to say.
        table.add_column("metrics", min_width=14 if any(r.metrics for r in self.runs) else 0)
        table.add_column("findings", min_width=14 if any(r.findings for r in self.runs) else 0)
        for run in self.runs:
            shown = [name for name in SHOWN if name in run.metrics] or list(run.metrics)
            metrics = ", ".join(f"{name} {number(run.metrics[name])}" for name in shown[:3])
            table.add_row(
                _name(run.path, self.folder),
                Text(run.recipe or run.model),
                f"{short_count(run.images_seen)} of {short_count(run.images_planned)}",
                Text(run.status, style=COLOURS.get(run.status, "red")),
                f"{run.images_per_second:,.0f}",
                f"{run.minutes:.1f}",
                Text(metrics),
                Text(" ".join(run.findings)),
            )
        return table

    def _differences(self) -> Table:
        names = [_name(run.path, self.folder).plain for run in self.runs]
        table = _table("settings that differ", *names)
        for key, values in self.settings.items():
            table.add_row(key, *(Text(number(values[str(run.path)])) for run in self.runs))
        return table


def runs(folder: Annotated[Path, tyro.conf.Positional] = Path("runs")) -> Runs:
    """List the runs at or below a folder, and the settings in which they differ.

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
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    return table


def _name(path: Path, folder: Path) -> Text:
    """How a run is called in a listing of a folder."""
    return Text(path.name if path == folder else str(path.relative_to(folder)))

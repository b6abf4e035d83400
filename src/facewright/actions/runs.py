"""Every run on one line, and what sets them apart."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.errors import RunError
from facewright.records.compare import RunSummary, differing_settings, read_runs, summarise

USUAL = Path("runs")
"""Where the documents have runs lie; nobody has made one yet where it is missing."""


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


def runs(folder: Path = USUAL) -> Runs:
    """List the runs at or below a folder, and in which photos and settings they differ.

    Examples:
        facewright runs
        facewright runs ~/experiments --json

    Args:
        folder: where to look.

    Raises:
        RunError: there is no such folder; but the usual one may be missing.
    """
    if not folder.is_dir() and folder != USUAL:
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

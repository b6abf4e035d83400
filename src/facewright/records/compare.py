"""Several runs side by side: where each stands, and in which settings they differ."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facewright.config import Config
from facewright.errors import FacewrightError
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory, newest_metrics


@dataclass(frozen=True)
class RunSummary:
    """One run on one line.

    Args:
        path: its folder.
        recipe: what its settings started from; may be empty.
        store: name of the folder with its photos; "" if it was never trained.
        content_hash: of its photos, whose scores compare with those of the same photos alone.
        init_from: the model with whose weights it began, and their hash; "" if with none.
        model: the pair of networks.
        images_seen: real images shown so far.
        images_planned: real images to show in all.
        status: see `RunHistory.status`.
        images_per_second: over the whole training time.
        minutes: of training.
        metrics: newest value of each metric.
        findings: codes of what went wrong, each once.
    """

    path: Path
    recipe: str
    store: str
    content_hash: str
    init_from: str
    model: str
    images_seen: int
    images_planned: int
    status: str
    images_per_second: float
    minutes: float
    metrics: dict[str, float]
    findings: list[str]


def find_runs(folder: Path) -> Iterator[Path]:
    """Every run folder at or below a folder, in a fixed order."""
    for path, subfolders, _ in os.walk(folder):
        if RunFolder(Path(path)).config.is_file():
            yield Path(path)
            subfolders.clear()
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))


def read_runs(folder: Path) -> tuple[list[RunHistory], dict[Path, str]]:
    """Every run at or below a folder.

    Returns:
        The runs, and for each that cannot be read the reason: one damaged run must not
        hide the others.
    """
    histories, unreadable = [], {}
    for path in find_runs(folder):
        try:
            histories.append(RunHistory.read(path))
        except (FacewrightError, OSError) as error:
            unreadable[path] = getattr(error, "what", str(error))
    return histories, unreadable


def summarise(history: RunHistory) -> RunSummary:
    """Where does a run stand?"""
    newest, donor = newest_metrics(history.metrics), history.init_from
    store = history.environment["store"]
    return RunSummary(
        path=history.folder.path,
        recipe=history.recipe,
        store=Path(store.get("path", "")).name,
        content_hash=store.get("content_hash", ""),
        init_from=f"{donor['name']} ({donor['sha256'][:8]})" if donor else "",
        model=history.config.model.name,
        images_seen=history.images_seen,
        images_planned=history.config.train.images,
        status=history.status,
        images_per_second=history.cost.images_per_second,
        minutes=history.cost.seconds / 60,
        metrics={name: row["value"] for name, row in newest.items()},
        findings=list(
            dict.fromkeys(row["code"] for row in history.findings if row["grade"] == "problem")
        ),
    )


def differing_settings(configs: Mapping[str, Config]) -> dict[str, dict[str, Any]]:
    """In which settings are these runs not all alike?

    Args:
        configs: by the run's name.

    Returns:
        "section.key" -> the run's name -> its value, for those settings only.
    """
    flat = {name: flat_settings(config) for name, config in configs.items()}
    keys = flat_settings(Config())
    rows = {key: {name: values[key] for name, values in flat.items()} for key in keys}
    return {key: row for key, row in rows.items() if len(set(row.values())) > 1}


def flat_settings(config: Config) -> dict[str, Any]:
    """All settings of a run as "section.key" -> value."""
    return {
        f"{section}.{key}": value
        for section, values in dataclasses.asdict(config).items()
        for key, value in values.items()
    }

"""Going back to a checkpoint and on from there with other settings, so that it can be undone.

A checkpoint stays as it is and keeps saying how it was trained. What holds from here on is
the last line of `remedies.jsonl`; appending it is the moment at which the change is made.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facewright import settings
from facewright.config import Config
from facewright.errors import RunError
from facewright.objective.penalties import PENALTIES
from facewright.records import checkpoints, record
from facewright.records.checkpoints import Checkpoint
from facewright.records.rows import RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import sheets
from facewright.training.job import disk_errors
from facewright.training.run_lock import run_lock

CHANGEABLE = (
    "optimiser.",
    "augment.",
    *(f"loss.{penalty}" for penalty in PENALTIES),
    "loss.slope",
    "loss.penalty_every",
    "loss.instance_noise",
    "loss.instance_noise_images",
    "train.micro_batch",
    "train.d_steps",
    "train.g_steps",
    "train.images",
    "schedule.lr_to",
    "schedule.penalty_to",
    "schedule.beta2_to",
    "schedule.augment_from",
)
"""Settings, and sections, that do not touch what a checkpoint holds: with the old value
back, the run goes on from there as if nothing had been."""


def amend(
    run: Path, checkpoint: Checkpoint | None, config: Config, about: Mapping[str, Any]
) -> list[str]:
    """Go back to a checkpoint, and let the run go on from there with other settings.

    Newer checkpoints are set aside; the records of what came after are cut off, as on any
    way back. `execute` then trains on. Amending again with the old settings undoes it.

    Args:
        run: folder; nobody may be training it.
        checkpoint: of this run; `None` is the very beginning.
        config: all settings from here on.
        about: why, as JSON, for `remedies.jsonl`.

    Returns:
        What changed, as "section.key: before -> after".

    Raises:
        RunError: a setting that cannot be changed on the way, or somebody trains the run.
        CheckpointError: the checkpoint is damaged.
    """
    folder = RunFolder.open(run)
    before = settings_in_force(folder)
    changed = settings.differences(before, config)
    fixed = [change for change in changed if not _changeable(change.partition(":")[0])]
    if fixed:
        raise RunError(
            f"{run} cannot go on with {'; '.join(fixed)}",
            expected=f"changes of {', '.join(name.rstrip('.') for name in CHANGEABLE)} only",
            fix="start a new run",
        )
    if checkpoint is not None:
        checkpoints.check(checkpoint)
    with disk_errors(run), run_lock(folder):
        images_seen = _go_back(folder, checkpoint)
        row = {
            **about,
            "images_seen": images_seen,
            "changed": changed,
            "before": dataclasses.asdict(before),
            "after": dataclasses.asdict(config),
        }
        record.append(folder.remedies, [row])
        record.write_atomically(folder.config, settings.to_toml(config))
    return changed


def amended(folder: RunFolder) -> Config | None:
    """The settings as they were last amended; `None` if they never were."""
    rows = list(record.read(folder.remedies, RemedyRow))
    return _config(folder, rows[-1]["after"]) if rows else None


def settings_in_force(folder: RunFolder) -> Config:
    """The settings with which a run goes on.

    Those of `config.toml`, unless an amendment was cut short just before it wrote them there.
    """
    config = settings.read(folder.config)
    rows = list(record.read(folder.remedies, RemedyRow))
    if not rows:
        return config
    before, after = (_config(folder, rows[-1][key]) for key in ("before", "after"))
    return after if config == before else config


def _go_back(folder: RunFolder, checkpoint: Checkpoint | None) -> int:
    """Returns how many images the run has seen then."""
    step, images_seen = 0, 0
    if checkpoint is not None:
        step, images_seen = checkpoint.state["step"], checkpoint.state["images_seen"]
    else:
        folder.steps.unlink(missing_ok=True)  # a run with steps must have a checkpoint
    checkpoints.set_aside_all_but_older(folder.checkpoints, step if checkpoint else -1)
    for log in folder.timeline:
        record.cut(log, images_seen)
    for sheet in sheets(folder.samples):
        # That of the end is of a later moment than its name says, and of none any more.
        if sheet.images_seen > images_seen or sheet.path.stem.endswith("-end"):
            sheet.path.unlink()
    return images_seen


def _changeable(name: str) -> bool:
    return any(name == able or (able[-1] == "." and name.startswith(able)) for able in CHANGEABLE)


def _config(folder: RunFolder, tables: Mapping[str, Any]) -> Config:
    return settings.from_tables(tables, origin=str(folder.remedies))

"""A whole run: begun, checked, and launched in one process or several."""

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessRaisedException

from facewright import config as settings
from facewright.data.store import Store
from facewright.errors import FacewrightError, RunError
from facewright.models.device import resolve_precision
from facewright.records import checkpoints, environment, record
from facewright.records.folder import RunFolder
from facewright.training.interrupt import passed_on_to_children
from facewright.training.job import Job, Outcome, disk_errors
from facewright.training.session import train_session


def begin(job: Job) -> None:
    """Make the run folder and write the settings into it.

    Raises:
        RunError: the folder has something in it, or cannot be written.
    """
    folder = RunFolder(job.run)
    if folder.config.exists():
        changed = settings.differences(settings.read(folder.config), job.config)
        raise RunError(
            f"{job.run} holds a run already"
            + (f", with other settings ({'; '.join(changed)})" if changed else ""),
            expected="a new folder",
            fix=f"facewright resume {job.run}, or another --out",
        )
    if job.run.exists() and (not job.run.is_dir() or any(job.run.iterdir())):
        raise RunError(f"{job.run} is not empty", expected="a new folder", fix="another --out")
    with disk_errors(job.run):
        for part in (folder.samples, folder.checkpoints):
            part.mkdir(parents=True)
        record.write_atomically(folder.config, settings.to_toml(job.config))


def execute(job: Job) -> Outcome:
    """Train from the newest checkpoint, or from the start, to the planned end.

    Raises:
        RunError: the settings or the photos are not those the run began with, the
            disk is full or cannot be written.
        CheckpointError: every checkpoint is damaged.
    """
    folder = RunFolder.open(job.run)
    store = Store.open(job.store)
    store.verify()
    _check_unchanged(folder, job, store)
    config = job.config
    if config.train.batch % job.devices:
        raise RunError(
            f"a batch of {config.train.batch} on {job.devices} devices",
            expected="a multiple of the devices",
            fix=f"--set train.batch={-(-config.train.batch // job.devices) * job.devices}",
        )
    fabric = Fabric(
        accelerator=job.accelerator,
        devices=job.devices,
        # Spawned from here, not by running the user's script again.
        strategy="ddp_spawn" if job.devices > 1 else "auto",
        precision=_fabric_precision(job),
    )
    if job.devices == 1:
        return train_session(fabric, job)
    with passed_on_to_children():
        return _launch(fabric, job)


def _launch(fabric: Fabric, job: Job) -> Outcome:
    """One session in several processes; a user's mistake found by one of them is his here."""
    note = job.run / ".error.json"
    try:
        # As a dict, because Fabric refuses to pass frozen dataclasses between processes.
        return Outcome(**fabric.launch(partial(_session_in_child, job=job, note=note)))
    except ProcessRaisedException:
        if not note.exists():
            raise
        raise RunError(**json.loads(note.read_text(encoding="utf-8"))) from None
    finally:
        note.unlink(missing_ok=True)


def _session_in_child(fabric: Fabric, job: Job, note: Path) -> dict[str, Any]:
    try:
        return dataclasses.asdict(train_session(fabric, job))
    except FacewrightError as error:
        words = {"what": error.what, "expected": error.expected, "fix": error.fix}
        record.write_atomically(note, json.dumps(words))
        raise


def _fabric_precision(job: Job) -> Literal["32-true", "bf16-mixed"]:
    device = Fabric(accelerator=job.accelerator, devices=1).device
    precision = resolve_precision(job.config.train.precision, device)
    return "bf16-mixed" if precision == "bf16" else "32-true"


def _check_unchanged(folder: RunFolder, job: Job, store: Store) -> None:
    """Only a run that goes on with the same photos and settings is the same run."""
    before = environment.read(folder)["store"]
    if before and before["content_hash"] != store.content_hash:
        raise RunError(
            f"{job.store} has changed since {job.run} began",
            expected=f"content {before['content_hash'][:12]}, found {store.content_hash[:12]}",
            fix="give back the old store, or start a new run",
        )
    if not any(folder.checkpoints.glob("[!.]*")):
        return
    newest, _ = checkpoints.newest_good(folder.checkpoints)
    began = settings.from_tables(newest.state["config"], origin=str(newest.path))
    longer = dataclasses.replace(began.train, images=job.config.train.images)
    changed = settings.differences(dataclasses.replace(began, train=longer), job.config)
    if changed:
        raise RunError(
            f"{folder.config} differs from what {job.run} began with: {'; '.join(changed)}",
            expected="the same settings; only train.images may grow",
            fix="undo the change, or start a new run",
        )

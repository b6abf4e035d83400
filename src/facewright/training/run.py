"""A whole run: checked, launched, trained, and left in order whatever happens."""

import contextlib
import dataclasses
import errno
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.multiprocessing import ProcessRaisedException

from facewright import config as settings
from facewright.config import Config
from facewright.data.store import Store
from facewright.data.stream import BatchStream
from facewright.errors import FacewrightError, RunError
from facewright.models.device import resolve_precision
from facewright.rng import rng_for
from facewright.records import checkpoints, environment, record
from facewright.records.folder import RunFolder
from facewright.training.interrupt import passed_on_to_children, stop_requests
from facewright.training.loop import Watcher, train_until
from facewright.training.state import TrainState, fresh_state
from facewright.training.step import Rules
from facewright.training.watch import Checkpointer, DivergedError, Recorder, Sampler, generated

log = logging.getLogger(__name__)

Status = Literal["finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Extras:
    """What the caller adds to a run; all of it must be picklable for several processes.

    Args:
        score: real and generated images, (N, H, W, C) uint8 each -> distance, lower is better.
        score_name: under which the score is recorded.
        after_sample: called with the run folder after each sample sheet.
        watchers: called with config and recorder in the first process; make more watchers.
        sinks: called with the run folder; make receivers of the recorded rows.
    """

    score: Callable[[np.ndarray, np.ndarray], float] | None = None
    score_name: str = ""
    after_sample: Callable[[RunFolder], None] | None = None
    watchers: Sequence[Callable[[Config, Recorder], Watcher]] = ()
    sinks: Sequence[Callable[[RunFolder], Callable[[list[dict[str, Any]]], None]]] = ()


@dataclass(frozen=True)
class Job:
    """One session of training.

    Args:
        config: all settings.
        store: of the photos.
        run: folder, made by `begin` or by an earlier session.
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: processes that share each batch.
        extras: what the caller adds.
        recipe: what the settings started from, for the record.
    """

    config: Config
    store: Path
    run: Path
    accelerator: str = "auto"
    devices: int = 1
    extras: Extras = dataclasses.field(default_factory=Extras)
    recipe: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a session ended."""

    status: Status
    step: int
    images_seen: int
    seconds: float
    message: str = ""


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
    with _disk_errors(job.run):
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
        return _session(fabric, job)
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
        return dataclasses.asdict(_session(fabric, job))
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


def _session(fabric: Fabric, job: Job) -> Outcome:
    """What each process does."""
    config, folder, store = job.config, RunFolder(job.run), Store.open(job.store)
    first = fabric.global_rank == 0
    with torch.random.fork_rng(), _denormals_flushed():
        state = fresh_state(config, store.shape, fabric.device)
        _go_back_to_checkpoint(state, folder, fabric)
        shown = config.train.batch * config.train.d_steps
        recorder = Recorder(
            folder,
            shown=shown,
            checkpoint_images=config.record.checkpoint_images,
            sinks=[make(folder) for make in job.extras.sinks] if first else [],
            writes=first,
        )
        sampler = Sampler(
            folder,
            config.record,
            shown,
            config.train.seed,
            config.model.z_dim,
            job.extras.after_sample,
        )
        about = {"shape": list(store.shape), "config": dataclasses.asdict(config)}
        saver = Checkpointer(folder, config.record, shown, about, _scorer(job, store))
        onlookers = [make(config, recorder) for make in job.extras.watchers] if first else []
        watchers = [recorder, sampler, saver, *onlookers] if first else [recorder]

        with _disk_errors(job.run), stop_requests(fabric) as should_stop:
            if first:
                about_store = {
                    "path": str(job.store.resolve()),
                    "content_hash": store.content_hash,
                    "train": len(store.train),
                    "val": len(store.val),
                }
                environment.begin_session(folder, about_store, state.images_seen, recipe=job.recipe)
            if first and state.step == 0:
                sampler.draw(state)
                saver.save(state)
            status: Status = "failed"
            message, before = "", state.seconds
            try:
                train_until(
                    state,
                    config.train,
                    batches=BatchStream(
                        store.train,
                        batch=config.train.batch,
                        seed=config.train.seed,
                        flip=config.data.flip,
                        share=(fabric.global_rank, fabric.world_size),
                    ),
                    rules=Rules.of(config.loss, fabric),
                    z_dim=config.model.z_dim,
                    watchers=watchers,
                    should_stop=should_stop,
                )
                recorder.flush()
                if first:
                    saver.save(state)
                done = state.images_seen >= config.train.images
                status = "finished" if done else "interrupted"
            except DivergedError as error:
                message = str(error)
            finally:
                if first:
                    lasted = state.seconds - before
                    environment.end_session(folder, state.images_seen, lasted, status)
    return Outcome(status, state.step, state.images_seen, state.seconds, message)


def _go_back_to_checkpoint(state: TrainState, folder: RunFolder, fabric: Fabric) -> None:
    """Restore the newest good checkpoint and forget what was recorded after it."""
    if not any(folder.checkpoints.glob("[!.]*")):
        return
    checkpoint, damaged = checkpoints.newest_good(folder.checkpoints)
    state.restore(checkpoint)
    if fabric.global_rank == 0:
        for sentence in damaged:
            log.warning("%s; going back to %s", sentence, checkpoint.path.name)
        for lines in (folder.steps, folder.findings, folder.metrics):
            record.cut(lines, state.images_seen)
    fabric.barrier()


def _scorer(job: Job, store: Store) -> Callable[[TrainState], dict[str, Any] | None]:
    """Compares generated images with held-out photos, in the form of `metrics.jsonl`."""
    extras, config = job.extras, job.config
    count = min(config.record.score_samples, len(store.val))

    def score(state: TrainState) -> dict[str, Any] | None:
        if extras.score is None or count < 2:
            return None
        started = time.perf_counter()
        rng = rng_for(config.train.seed, 0, "score")
        z = torch.randn(count, config.model.z_dim, generator=rng)
        value = extras.score(np.asarray(store.val[:count]), generated(state.ema.network, z))
        return {
            "name": extras.score_name,
            "value": value,
            "n_real": count,
            "n_fake": count,
            "features": "pixels",
            "seed": config.train.seed,
            "seconds": round(time.perf_counter() - started, 3),
        }

    return score


@contextlib.contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Numbers below 1e-38 count as zero: a CPU takes many times longer over them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextlib.contextmanager
def _disk_errors(run: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            expected, fix = "room on the disk", f"make room, then: facewright resume {run}"
        else:
            expected, fix = "a folder that can be written", "another --out"
        raise RunError(
            f"cannot write {error.filename or run}: {os.strerror(error.errno or 0)}",
            expected=expected,
            fix=fix,
        ) from error

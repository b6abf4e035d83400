"""Go on exactly where a run stopped."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from facewright import settings
from facewright.actions.events import Note, OnEvent, ignore, refuse_unsendable
from facewright.actions.training_session import Trained, run_session
from facewright.choices import OnProblem
from facewright.config import PrecisionName
from facewright.data.store import Store
from facewright.doctor.training_hook import refuse_unwatchable
from facewright.errors import RunError
from facewright.models.open_model import refuse_bundle
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.training.amend import amend, settings_in_force
from facewright.training.job import Job
from facewright.training.launch import device_of, settled
from facewright.training.run import refuse_unfit


def resume(
    run: Path,
    *,
    images: int | None = None,
    batch: int | None = None,
    micro_batch: int | None = None,
    precision: PrecisionName | None = None,
    data: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    devices: int = 1,
    on_problem: OnProblem = "warn",
    on_event: OnEvent = ignore,
) -> Trained:
    """Go on exactly where a run stopped, however it stopped.

    On the same machine's CPU, with as many threads and the same settings, the result equals that
    of a run that never stopped, bit for bit. What is changed by an option here is noted in the
    run, and can be taken back in the same way.

    Examples:
        facewright resume runs/mine
        facewright resume runs/mine --images 800k

    Args:
        run: run folder.
        images: new total of real images to show; the run's own plan if not given.
        batch: images in a step from here on. Less memory, and other updates than before.
        micro_batch: images that go through a network at once, from here on; 0 for all of a batch.
            Less memory, the same updates up to rounding.
        precision: number format from here on: fp32 for a run that was begun in bf16 and goes on
            where no hardware multiplies that; auto takes bf16 where there is such hardware.
        data: the store, if it was moved; its content must be the same.
        device: where to train.
        devices: GPUs that share each batch, or processes on a CPU, where the threads of a single
            one use all cores and are faster.
        on_problem: when training goes wrong: `warn` and go on; `stop`, saved, if it lasts
            beyond the first 400 steps or those after a remedy; or `mend` then: go
            back to the last good checkpoint, change one setting in a way that can be taken
            back, note it in remedies.jsonl, and go on, up to six times. Numbers that are not
            finite stop the run under `warn` too.
        on_event: as for `train`.

    Raises:
        RunError: no run there, or its settings or photos have changed.
        ConfigError: a batch that cannot be divided.
    """
    refuse_unsendable(on_event, devices)
    refuse_bundle(run)
    folder = RunFolder.open(run)
    config = settings_in_force(folder)
    store = Store.open(data or _known_store(folder))
    refuse_unwatchable(config, store, on_problem)
    job = Job(config=config, store=store, run=run, accelerator=device, devices=devices)
    wanted = {"batch": batch, "micro_batch": micro_batch, "precision": precision}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if changes:
        job = _amended(job, changes, on_event)
    if images is not None:
        config = settings.override(job.config, [f"train.images={images}"], origin="--images")
        job = dataclasses.replace(job, config=config)
    return run_session(job, on_problem, on_event)


def _known_store(folder: RunFolder) -> Path:
    """Where the photos were when the run was last trained.

    Raises:
        RunError: nobody knows, or they are not there any more.
    """
    path = environment.read(folder)["store"].get("path", "")
    if path and Path(path).is_dir():
        return Path(path)
    raise RunError(
        f"{folder.path} was trained on {path}, which is not there"
        if path
        else f"{folder.path} does not say which photos it was trained on",
        expected="the same photos, wherever they are now",
        fix=f"facewright resume {shlex.quote(str(folder.path))} --data STORE",
    )


def _amended(job: Job, changes: Mapping[str, int | str], on_event: OnEvent) -> Job:
    """The session with other settings from here on; noted in the run as every change on the way.

    Raises:
        ConfigError, RunError: settings that cannot be, or not on so many devices.
    """
    config = job.config
    for name, value in changes.items():
        option = f"--{name.replace('_', '-')}"
        config = settings.override(config, [f"train.{name}={value}"], origin=option)
    changed = dataclasses.replace(job, config=settled(config, device_of(job.accelerator)))
    if changed.config == job.config:
        return job
    refuse_unfit(changed)
    folder = RunFolder(job.run)
    begun = checkpoints.readable(folder.checkpoints)
    newest = checkpoints.sound(folder.checkpoints)[0] if begun else None
    reason = " ".join(f"--{name.replace('_', '-')}" for name in changes)
    words = amend(folder.path, newest, changed.config, {"reason": reason})
    on_event(
        Note(
            f"from here on {'; '.join(words)}: the run goes on from the same state, but not bit "
            "for bit as it would have"
        )
    )
    return changed

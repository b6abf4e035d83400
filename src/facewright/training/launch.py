"""One process or several, on whatever device there is, through Lightning Fabric."""

import dataclasses
import json
import logging
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from facewright.config import Config
from facewright.errors import FacewrightError, RunError, quoted
from facewright.networks.device import resolve_precision
from facewright.records import checkpoints, record
from facewright.records.run_folder import RunFolder
from facewright.training.interrupt import passed_on_to_children
from facewright.training.job import Job, Outcome
from facewright.training.session import train_session

SEVERAL = "ddp_spawn"
"""How processes that share a batch start: from here, not by running the user's script again."""


@cache  # a Fabric looks through all that is installed
def device_of(accelerator: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "mps" means here.

    Raises:
        RunError: there is no such device.
    """
    return _fabric(accelerator, devices=1).device


def launch(job: Job) -> Outcome:
    """One session of training.

    Raises:
        RunError: no such device, or a worker process died.
        FacewrightError: whatever the session itself found.
    """
    fabric = fabric_of(job.config, job.accelerator, job.devices)
    return train_session(fabric, job) if job.devices == 1 else _launch_several(fabric, job)


def fabric_of(config: Config, accelerator: str, devices: int = 1) -> Fabric:
    """The device, number format and processes that a run with these settings has.

    Args:
        config: of the run.
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: processes that share each batch.

    Raises:
        RunError: there is no such device.
    """
    precision = settled(config, device_of(accelerator)).train.precision
    return _fabric(
        accelerator,
        devices=devices,
        strategy=SEVERAL if devices > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )


def settled(config: Config, device: torch.device) -> Config:
    """With the precision that `auto` means on this device, so that a resume elsewhere keeps it."""
    precision = resolve_precision(config.train.precision, device)
    return dataclasses.replace(config, train=dataclasses.replace(config.train, precision=precision))


def _fabric(accelerator: str, **options: Any) -> Fabric:
    said = logging.getLogger("lightning_fabric")
    before = said.level
    # The command line announces the precision; Lightning's message reads like a warning.
    said.setLevel(logging.WARNING)
    try:
        return Fabric(accelerator=accelerator, **options)
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise RunError(
            f"--device {accelerator}: {str(error).splitlines()[0]}",
            expected="devices of this machine",
            fix="--device auto" if options["devices"] == 1 else "fewer --devices",
        ) from None
    finally:
        said.setLevel(before)


def _launch_several(fabric: Fabric, job: Job) -> Outcome:
    """A user's mistake that a child process finds is raised here, as in a single process."""
    note = job.run / ".error.json"
    with passed_on_to_children() as was_asked:
        try:
            # As a dict, because Fabric refuses to pass frozen dataclasses between processes.
            return Outcome(**fabric.launch(partial(_session_in_child, job=job, note=note)))
        except (ProcessRaisedException, ProcessExitedException) as error:
            if note.exists():
                raise RunError(**json.loads(note.read_text(encoding="utf-8"))) from None
            if was_asked():  # before the children listened, so there is nothing new to save
                return _as_saved(job)
            if isinstance(error, ProcessRaisedException):
                raise
            raise RunError(
                f"a worker process died: {str(error).splitlines()[0]}",
                expected="all of them to live",
                fix=f"facewright resume {quoted(job.run)}",
            ) from None
        finally:
            note.unlink(missing_ok=True)


def _as_saved(job: Job) -> Outcome:
    saved = checkpoints.readable(RunFolder(job.run).checkpoints)
    state = saved[-1].state if saved else {"step": 0, "images_seen": 0, "seconds": 0.0}
    return Outcome("interrupted", state["step"], state["images_seen"], state["seconds"])


def _session_in_child(fabric: Fabric, job: Job, note: Path) -> dict[str, Any]:
    try:
        outcome = dataclasses.asdict(train_session(fabric, job))
        fabric.barrier()  # none ends while another one still sends
        return outcome
    except FacewrightError as error:
        words = {"what": error.what, "expected": error.expected, "fix": error.fix}
        record.write_atomically(note, json.dumps(words))
        raise
    finally:
        # A process that ends with the connections' threads still running aborts now and
        # then ("terminate called without an active exception").
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

"""Too little memory: what was needed, what is available, and which settings would fit."""

import contextlib
import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import torch

from facewright.config import Config
from facewright.errors import RunError, is_out_of_memory
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.job import Job
from facewright.training.memory import available_memory, estimate, memory_overhead
from facewright.training.micro_batches import indivisible

FILLED = 0.8
"""Share of a device's memory that a run may take by estimate: other programs need some too."""


@dataclasses.dataclass(frozen=True)
class Advice:
    """Settings that take less memory.

    Args:
        micro_batch: images at once with which the same run would fit; 0 if its batch cannot
            be divided, or not further.
        batch: of another run that would fit; 0 if none would.
        reason: why the batch cannot be divided; "" if it can.
        width: the setting that says how wide these networks are.
    """

    micro_batch: int
    batch: int
    reason: str
    width: str

    def in_words(self, run: Path) -> str:
        """What to do with a run that does not fit."""
        smaller = f"a new run with a smaller {self.width}"
        if self.batch:
            resumed = f"facewright resume {shlex.quote(str(run))} --batch {self.batch}"
            smaller = f"{resumed} (other updates from there on), or {smaller}"
        if self.micro_batch:
            command = f"facewright resume {shlex.quote(str(run))} --micro-batch {self.micro_batch}"
            return f"{command} (the same updates, for less memory); or {smaller}"
        if self.reason:
            return f"{smaller} (train.micro_batch cannot help: {self.reason})"
        return smaller


def advice(
    config: Config, shape: tuple[int, int, int], devices: int, available: int | None, beside: int
) -> Advice:
    """Which settings would fit?

    Args:
        config: that does not.
        shape: (C, H, W) of the photos.
        devices: processes that share each batch.
        available: bytes for each process; `None` if not known: then half as many images at once.
        beside: bytes for callbacks in each process, as `memory_overhead` says.
    """
    at_once = config.train.at_once(devices)
    powers = (2**power for power in reversed(range((at_once - 1).bit_length())))

    def fits(count: int) -> bool:
        return available is None or _need(config, shape, count) + beside <= FILLED * available

    images = next(filter(fits, powers), 0)
    reason = indivisible(config, shape)
    batch = images * devices
    width = "model.widths" if config.model.name == "resnext" else "model.width"
    return Advice(0 if reason else images, batch if batch >= 2 else 0, reason, width)


@contextlib.contextmanager
def memory_errors(job: Job, shape: tuple[int, int, int], device: torch.device) -> Iterator[None]:
    """Inside, an allocation that fails becomes a `RunError` that says what would fit.

    A step that was cut short is not saved: one player may have moved and the other not.

    Args:
        job: of the session.
        shape: (C, H, W) of the photos.
        device: on which it trains.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        raise _explained(job, shape, device, str(error)) from None


def _explained(
    job: Job, shape: tuple[int, int, int], device: torch.device, message: str
) -> RunError:
    settings, available = job.config.train, available_memory(device, job.devices)
    need, beside = (
        estimate(job.config, shape, job.devices),
        memory_overhead(device.type, job.devices),
    )
    tried = re.search(r"allocate ([\d.]+ [A-Za-z]+)", message)
    saved = checkpoints.readable(RunFolder(job.run).checkpoints)
    kept = f"saved at {saved[-1].state['images_seen']:,} images" if saved else "nothing saved yet"
    return RunError(
        f"out of memory on {device} with {settings.at_once(job.devices)} images of a batch of "
        f"{settings.batch} at once"
        + (f", asking for {tried[1]}" if tried else "")
        + f"; {job.run}: {kept}",
        expected=f"about {(need.total + beside) / 2**20:,.0f} MiB by estimate, of which weights "
        f"{need.weights / 2**20:,.0f} and images {need.activations / 2**20:,.0f}"
        + (f", the doctor and scores {beside / 2**20:,.0f}" if beside else "")
        + (f"; there are {available / 2**20:,.0f} MiB for all programs" if available else ""),
        fix=advice(job.config, shape, job.devices, available, beside).in_words(job.run),
    )


def _need(config: Config, shape: tuple[int, int, int], images: int) -> int:
    """Bytes with so many images at once, whichever way that is brought about."""
    train = dataclasses.replace(config.train, batch=images, micro_batch=0)
    return estimate(dataclasses.replace(config, train=train), shape).total

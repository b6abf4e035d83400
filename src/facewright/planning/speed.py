"""How fast does this machine train a recipe, and with how much memory? Measured, not guessed.

The step that is timed is training's own, on the store's photos, in a process of its own: its
memory is that of nothing else, and too much of it ends that process and not this one.
"""

import math
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from facewright.config import Config, ScheduleConfig
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.data.workers import crew
from facewright.errors import RunError, is_out_of_memory
from facewright.networks.device import keep_freed_memory
from facewright.training.launch import fabric_of
from facewright.training.loop import train_until
from facewright.training.memory import estimate
from facewright.training.session import batches_of, denormals_flushed
from facewright.training.shortage import FILLED
from facewright.training.state import fresh_state

SECONDS = 1.2
"""For each batch size that is reported, after it has warmed up."""
GLANCE = 0.05
"""For the smaller ones on the way there, which only say whether the next would take too long."""
ROUNDS = (2, 5)
"""At least and at most so many timings of each batch size, which show how much it varies."""
PATIENCE = 10.0
"""Seconds for a batch size beyond which it is left out, if images take as long as they did in
the smaller one before. They often take less."""
LIMIT = 90.0
"""Seconds after which a process that has not answered is given up; its start is in it."""
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Speed:
    """Training with one batch size.

    Args:
        batch: images in a step.
        images_per_second: real images shown to the discriminator; the median of all rounds.
        low: the slowest round.
        high: the fastest one.
        memory_bytes: the most that was in use: of a GPU's memory, else of the whole process;
            `None` where the system does not say.
    """

    batch: int
    images_per_second: float
    low: float
    high: float
    memory_bytes: int | None


@dataclass(frozen=True)
class SpeedTrial:
    """One batch size to time; what is sent to the measuring process.

    Args:
        config: of the recipe.
        store: the photos.
        accelerator: "auto", "cpu", "cuda" or "mps".
        batch: to be tried.
        seconds: to spend on it.
        threads: of torch.
    """

    config: Config
    store: Store
    accelerator: str
    batch: int
    seconds: float
    threads: int


def measure(config: Config, store: Store, accelerator: str, available: int | None) -> list[Speed]:
    """Time the training step with the recipe's batch, half of it and twice as many.

    Smaller batches come first, so that neither time nor memory is spent on one that takes
    too much: then the largest that worked are reported.

    Args:
        config: of the recipe.
        store: of the photos.
        accelerator: "auto", "cpu", "cuda" or "mps".
        available: bytes of memory; `None` if not known.

    Returns:
        By batch size; one to three of them.

    Raises:
        RunError: not even the smallest batch worked.
    """
    measured: list[Speed] = []
    updates = (1 + ROUNDS[0] * _cycle(config)) * config.train.d_steps
    with crew(_in_child, 1) as (process,):
        for batch, seconds in climb(config.train.batch):
            if measured and updates * batch / measured[-1].images_per_second > PATIENCE:
                break
            if available is not None and _need(config, store.shape, batch) > FILLED * available:
                break
            threads = torch.get_num_threads()
            process.send(SpeedTrial(config, store, accelerator, batch, seconds, threads))
            speed = _answer(process)
            if speed is None:
                break
            measured.append(speed)
    if not measured:
        least, _ = next(climb(config.train.batch))
        memory = "the memory there is" if available is None else f"{available / 2**20:,.0f} MiB"
        raise RunError(
            f"no step of {least} images could be trained in {LIMIT:.0f} s and {memory}",
            expected="a machine that is large enough for the recipe, or smaller images",
            fix="facewright prepare PHOTOS --out STORE --size 28",
        )
    return measured[-3:]


def climb(batch: int) -> Iterator[tuple[int, float]]:
    """Batch sizes to be tried with their seconds: steeply up to half the batch, then to twice it.

    Args:
        batch: of the recipe, 2 or more.
    """
    wanted = sorted({max(2, batch // 2), batch, 2 * batch})
    below = (wanted[0] // 4**power for power in reversed(range(1, wanted[0].bit_length())))
    yield from ((size, GLANCE) for size in below if size >= 2)
    yield from ((size, SECONDS) for size in wanted)


def timed(trial: SpeedTrial) -> Speed:
    """Train for about as long as wanted, from fresh players on."""
    keep_freed_memory()
    with denormals_flushed():
        train, device = _training(trial)
        cycle = _cycle(trial.config)
        train(1)  # sets up what the first step needs
        once = train(cycle)
        steps = cycle * max(1, round(trial.seconds / ROUNDS[1] / once))
        seconds = [once] if steps == cycle else []
        while len(seconds) < ROUNDS[0] or (
            len(seconds) < ROUNDS[1] and sum(seconds) < trial.seconds
        ):
            seconds.append(train(steps))
    images = steps * trial.batch * trial.config.train.d_steps
    rounds = [images / taken for taken in seconds]
    return Speed(
        trial.batch, statistics.median(rounds), min(rounds), max(rounds), peak_memory(device)
    )


def _in_child(trial: SpeedTrial) -> Speed:
    torch.set_num_threads(trial.threads)
    return timed(trial)


def _training(trial: SpeedTrial) -> tuple[Callable[[int], float], torch.device]:
    """A function that trains for so many steps and says the seconds, and the device."""
    # Without its burn-in, because at its beginning there may be no distortions to be made yet;
    # for the same reason with as many as adaptive ones may become.
    augment = trial.config.augment
    if augment.adaptive:
        augment = replace(augment, adaptive=False, probability=augment.maximum)
    config = replace(
        trial.config,
        train=replace(trial.config.train, batch=trial.batch),
        schedule=ScheduleConfig(),
        augment=augment,
    )
    store, fabric = trial.store, fabric_of(config, trial.accelerator)
    conditions = PhotoConditions.of(store, config.data.labels)
    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fabric.device)
    state = fresh_state(config, store.shape, fabric.device, conditions.meaning.size)
    batches = batches_of(config, store, conditions, fabric)
    shown = trial.batch * config.train.d_steps

    def train(steps: int) -> float:
        started = time.perf_counter()
        images = state.images_seen + steps * shown
        train_until(
            state,
            replace(config, train=replace(config.train, images=images)),
            batches=batches,
            fabric=fabric,
            callbacks=(),
            should_stop=lambda: False,
        )
        if fabric.device.type != "cpu":
            torch.accelerator.synchronize()
        return time.perf_counter() - started

    return train, fabric.device


def peak_memory(device: torch.device) -> int | None:
    """The most bytes that this process has had in use; `None` where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Not `getrusage`, which would count the parent that the process was forked from.
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    return int(found[1]) * 1024 if found else None


def _answer(process: Connection) -> Speed | None:
    """What a trial gave; `None` if it took too long or too much memory."""
    if not process.poll(LIMIT):
        return None
    try:
        done, value = process.recv()
    except (EOFError, OSError):  # the system has killed it: nothing else does
        return None
    if done:
        return value
    if is_out_of_memory(value):
        return None
    raise value


def _cycle(config: Config) -> int:
    """Steps after which those with and without lazy penalties come round again."""
    return config.loss.penalty_every // math.gcd(config.loss.penalty_every, config.train.d_steps)


def _need(config: Config, shape: tuple[int, int, int], batch: int) -> int:
    """Bytes by estimate."""
    return estimate(replace(config, train=replace(config.train, batch=batch)), shape).total

"""What is worth knowing before a run begins or goes on, in sentences."""

import shlex
from collections.abc import Iterator
from dataclasses import replace

import torch

from facewright import settings
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.split import share_for
from facewright.machine import busy_cores, cores
from facewright.networks.device import resolve_precision
from facewright.planning.measured import read_table
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import looks_in, schedule_for
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.sample_sizes import COVERAGE, DISTANCE
from facewright.training.job import Job
from facewright.training.launch import device_of
from facewright.training.memory import available_memory, estimate, memory_overhead
from facewright.training.shortage import advice
from facewright.training.unused_settings import unused_settings


def announcement(job: Job) -> Iterator[str]:
    """What is about to happen, how much memory it takes, and what may be meant otherwise."""
    config, store = job.config, job.store
    channels, height, width = store.shape
    conditioning = PhotoConditions.of(store, config.data.labels).meaning
    need = estimate(config, store.shape, job.devices, conditioning.size)
    device = device_of(job.accelerator)
    available = available_memory(device, job.devices)
    beside = memory_overhead(device.type, job.devices)
    total = need.total + beside
    whose = " with the doctor and scores" if beside else ""
    each = f" in each of {job.devices} processes" if job.devices > 1 else ""
    yield (
        f"{len(store.train):,} photos of {height}x{width}x{channels} "
        f"({len(store.val):,} held out), {config.model.name} against {config.loss.game} loss, "
        f"{config.train.images:,} images in batches of {config.train.batch}, "
        f"{config.train.precision}\n"
        f"memory: about {total / 2**20:,.0f} MiB{each}{whose} "
        f"({need.parameters:,} parameters); run folder: {job.run}"
    )
    if available is not None and total > available:
        fitting = advice(config, store.shape, job.devices, available, beside)
        yield f"there are only {available / 2**20:,.0f} MiB{each}: {fitting.in_words(job.run)}"
    folder = RunFolder(job.run)
    begins = not environment.read(folder)["sessions"]
    saved = checkpoints.readable(folder.checkpoints)
    seen = saved[-1].state["images_seen"] if saved else 0
    if seen >= config.train.images:
        yield "it is finished already; --images N makes it longer"
    elif not begins:
        yield f"going on from {seen:,} images"
    yield from _if_emulated(job, device)
    if job.devices > 1 and device.type == "cpu":
        yield (
            f"{job.devices} processes share each batch: on one machine the threads of a single "
            "one train faster (docs/results.md, Processes)"
        )
    if begins and device.type == "cpu":
        yield from _if_crowded()
    if begins:
        yield from _if_of_another_size(job.recipe, store.shape)
        yield from _if_out_of_proportion(job)
        yield from _if_too_short_for_the_doctor(config)
        yield from _if_few_held_out(job)
    else:
        yield from _if_past_its_schedule(job)
    if config.train.hold_generator >= config.train.images:
        yield (
            f"the generator is held for {config.train.hold_generator:,} images, to the run's end: "
            "it will not learn"
        )
    for setting in unused_settings(config):
        yield f"without effect: {setting}"
    if conditioning.labels:
        yield f"labels: {', '.join(label.name for label in conditioning.labels)}"
    for name, share in conditioning.unknown.items():
        part = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
        yield f"{name} is not known of {part} of the photos: they count as neither"


def _if_emulated(job: Job, device: torch.device) -> Iterator[str]:
    """A run keeps its number format on any machine, and not every machine has it in hardware."""
    if job.config.train.precision != "bf16" or resolve_precision("auto", device) == "bf16":
        return
    command = f"facewright resume {shlex.quote(str(job.run))} --precision fp32"
    yield (
        f"bf16 is emulated here, as this {device.type} does not multiply it: that takes many "
        f"times as long; {command} goes on in fp32"
    )


def _if_crowded() -> Iterator[str]:
    """Threads of a training wait for each other, however little one of them lacks.

    A run that has begun is left its threads: with others its sums would be rounded otherwise.
    """
    threads, busy = torch.get_num_threads(), busy_cores()
    free = max(1, cores() - round(busy))
    if free < threads:
        yield (
            f"other programs keep {busy:.1f} of {cores()} cores busy: with "
            f"OMP_NUM_THREADS={free} before the command it is likely to be faster than with "
            f"{threads} threads that wait for each other"
        )


def _if_of_another_size(recipe: str, shape: tuple[int, int, int]) -> Iterator[str]:
    known = {entry.name: entry for entry in read_table().recipes}
    entry = known.get(recipe)
    if entry is None or entry.is_for(shape):
        return
    suited = [one for one in known.values() if one.is_for(shape) and one.kind == entry.kind]
    names = ", ".join(f"{one.name} ({one.device})" for one in suited)
    yield (
        f"{recipe} is made for photos of {entry.size}x{entry.size}, and what is known of it is of "
        f"those; made for these: {names or 'none'}"
    )


def _if_out_of_proportion(job: Job) -> Iterator[str]:
    """A run of another length than its recipe's has the recipe's schedule all the same."""
    config, images = job.config, job.config.train.images
    end = config.schedule.after + config.schedule.images
    recipe = read_recipe(job.recipe) if job.recipe else config
    inherited = config.schedule == recipe.schedule and images != recipe.train.images
    if config.schedule.images and inherited:
        what = f"of {images:,} images, with the schedule of {recipe.train.images:,}"
    elif end > images:
        what = f"of {images:,} images, with a schedule that ends at {end:,}"
        recipe = replace(config, train=replace(config.train, images=end))
    else:
        return
    yield (
        f"this run is {what}; nothing is wrong with that, but in proportion it is "
        f"{_in_proportion(recipe, images)}"
    )


def _if_too_short_for_the_doctor(config: Config) -> Iterator[str]:
    """A run may end before the doctor's first look."""
    every, images = config.record.snapshot_images, config.train.images
    if every <= images:
        return
    often = looks_in(config, images)
    way = f"--set record.snapshot_images={often} makes it look"
    yield (
        f"the doctor looks every {every:,} images, which this run does not reach: "
        f"{way if 2 * often <= images else 'it is too short for a verdict'}"
    )


def _if_few_held_out(job: Job) -> Iterator[str]:
    """Scores on a handful of photos would take noise for faces."""
    train, held_out = len(job.store.train), len(job.store.val)
    if job.config.record.score_samples == 0 or held_out >= COVERAGE:
        return
    lost = "coverage is not given"
    if held_out < DISTANCE:
        lost = "there are no scores, and no best checkpoint"
    yield (
        f"only {held_out} photos are held out, of which noise scores as well as faces: {lost}. "
        f"{COVERAGE} are enough: facewright prepare ... --val-fraction "
        f"{share_for(COVERAGE, train + held_out)}, or more photos"
    )


def _if_past_its_schedule(job: Job) -> Iterator[str]:
    """A run that is made longer keeps its schedule, and with it the small steps of its end."""
    schedule, images = job.config.schedule, job.config.train.images
    end = schedule.after + schedule.images
    before = settings.read(RunFolder(job.run).config)
    if schedule.images and before.train.images < images and end < images:
        yield (
            f"the schedule ends at {end:,} images, and the run stays as it is there; a new run "
            f"of {images:,} in proportion has {_in_proportion(before, images)}"
        )


def _in_proportion(recipe: Config, images: int) -> str:
    return " ".join(f"--set {line}" for line in schedule_for(recipe, images))

"""What a person sees while a run goes on; all of it on standard error."""

from dataclasses import replace
from datetime import timedelta

import torch
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from facewright import settings
from facewright.cli.quiet import Quiet
from facewright.cli.recipes import read_recipe
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.machine import busy_cores, cores
from facewright.planning.measured import read_table
from facewright.planning.shorter import looks_in, schedule_for
from facewright.records import checkpoints, environment
from facewright.records.run_folder import RunFolder
from facewright.training.job import Job
from facewright.training.launch import device_of
from facewright.training.memory import company, estimate, room
from facewright.training.recorder import Recorder
from facewright.training.shortage import advice
from facewright.training.state import TrainState
from facewright.training.step import Stats
from facewright.training.unused_settings import idle


def announce(job: Job) -> None:
    """Say what is about to happen, and how much memory it takes."""
    store = Store.open(job.store)
    config, (channels, height, width) = job.config, store.shape
    told = PhotoConditions.of(store, config.data.labels).meaning
    need = estimate(config, store.shape, job.devices, told.size)
    device = device_of(job.accelerator)
    there, beside = room(device, job.devices), company(device.type, job.devices)
    total = need.total + beside
    whose = " with the doctor and scores" if beside else ""
    each = f" in each of {job.devices} processes" if job.devices > 1 else ""
    _stderr().print(
        f"{len(store.train):,} photos of {height}x{width}x{channels} "
        f"({len(store.val):,} held out), {config.model.name} against {config.loss.game} loss, "
        f"{config.train.images:,} images in batches of {config.train.batch}, "
        f"{config.train.precision}\n"
        f"memory: about {total / 2**20:,.0f} MiB{each}{whose} "
        f"({need.parameters:,} parameters); run folder: {job.run}"
    )
    if there is not None and total > there:
        fitting = advice(config, store.shape, job.devices, there, beside)
        _stderr().print(
            f"there are only {there / 2**20:,.0f} MiB{each}: {fitting.in_words(job.run)}"
        )
    folder = RunFolder(job.run)
    begins = not environment.read(folder)["sessions"]
    saved = checkpoints.readable(folder.checkpoints)
    seen = saved[-1].state["images_seen"] if saved else 0
    if seen >= config.train.images:
        _stderr().print("it is finished already; --images N makes it longer")
    elif not begins:
        _stderr().print(f"going on from {seen:,} images")
    if begins and device.type == "cpu":
        _say_if_crowded()
    if begins:
        _say_if_of_another_size(job.recipe, store.shape)
        _say_if_out_of_proportion(job)
        _say_if_nobody_looks(config)
    else:
        _say_if_past_its_schedule(job)
    for setting in idle(config):
        _stderr().print(f"without effect: {setting}")
    if told.labels:
        _stderr().print(f"told: {', '.join(label.name for label in told.labels)}")
    for name, share in told.unknown.items():
        part = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
        _stderr().print(f"{name} is not known of {part} of the photos: they count as neither")


def _say_if_crowded() -> None:
    """Threads of a training wait for each other, however little one of them lacks.

    A run that has begun is left its threads: with others its sums would be rounded otherwise.
    """
    threads, busy = torch.get_num_threads(), busy_cores()
    free = max(1, cores() - round(busy))
    if free < threads:
        _stderr().print(
            f"other programs keep {busy:.1f} of {cores()} cores busy: with "
            f"OMP_NUM_THREADS={free} before the command it is likely to be faster than with "
            f"{threads} threads that wait for each other"
        )


def _say_if_of_another_size(recipe: str, shape: tuple[int, int, int]) -> None:
    known = {entry.name: entry for entry in read_table().recipes}
    entry = known.get(recipe)
    if entry is None or entry.is_for(shape):
        return
    suited = [one for one in known.values() if one.is_for(shape) and one.kind == entry.kind]
    names = ", ".join(f"{one.name} ({one.device})" for one in suited)
    _stderr().print(
        f"{recipe} is made for photos of {entry.size}x{entry.size}, and what is known of it is of "
        f"those; made for these: {names or 'none'}"
    )


def _say_if_out_of_proportion(job: Job) -> None:
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
    _stderr().print(
        f"this run is {what}; nothing is wrong with that, but in proportion it is "
        f"{_in_proportion(recipe, images)}"
    )


def _say_if_nobody_looks(config: Config) -> None:
    """A run may end before the doctor's first look."""
    every, images = config.record.snapshot_images, config.train.images
    if every <= images:
        return
    often = looks_in(config, images)
    way = f"--set record.snapshot_images={often} makes it look"
    _stderr().print(
        f"the doctor looks every {every:,} images, which this run does not reach: "
        f"{way if 2 * often <= images else 'it is too short for a verdict'}"
    )


def _say_if_past_its_schedule(job: Job) -> None:
    """A run that is made longer keeps its schedule, and with it the small steps of its end."""
    schedule, images = job.config.schedule, job.config.train.images
    end = schedule.after + schedule.images
    before = settings.read(RunFolder(job.run).config)
    if schedule.images and before.train.images < images and end < images:
        _stderr().print(
            f"the schedule ends at {end:,} images, and the run stays as it is there; a new run "
            f"of {images:,} in proportion has {_in_proportion(before, images)}"
        )


def _in_proportion(recipe: Config, images: int) -> str:
    return " ".join(f"--set {line}" for line in schedule_for(recipe, images))


class Progress:
    """A bar with images/s, ETA and both losses; plain lines when output is no terminal.

    Args:
        config: of the run.
        recorder: knows the speed and the latest numbers.
    """

    def __init__(self, config: Config, recorder: Recorder) -> None:
        self.total, self.recorder = config.train.images, recorder
        self.console = _stderr()
        self.bar = Bar(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("", total=self.total)
        self.quiet = Quiet()

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()  # also gives the cursor back to the terminal

    def __call__(self, state: TrainState, _stats: Stats) -> None:
        """Show one step."""
        if not self.bar.disable:
            words = self._words(state)
            self.bar.update(self.task, completed=state.images_seen, description=words)
        elif self.quiet.is_over():
            self.console.print(
                f"{state.images_seen:,} of {self.total:,} images, {self._words(state)}"
            )

    def _words(self, state: TrainState) -> str:
        speed, latest = self.recorder.speed, self.recorder.latest
        seconds = int(max(self.total - state.images_seen, 0) / max(speed, 1e-9))
        words = f"{speed:,.0f} images/s, {timedelta(seconds=seconds)} left"
        if latest:
            words += f", D loss {latest['d_loss']:.3f}, G loss {latest['g_loss']:.3f}"
        return words


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)

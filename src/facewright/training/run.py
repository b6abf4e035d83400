"""A whole run: begun once, gone on with as often as needed, never by two at a time."""

import dataclasses
from typing import Any

from facewright import settings
from facewright.config import Config, LossConfig, ScheduleConfig
from facewright.data.photo_conditions import PhotoConditions
from facewright.errors import ConfigError, RunError, quoted
from facewright.models.open_model import Model
from facewright.objective.adversarial import game_named
from facewright.objective.logit_gradients import SMALLEST_EPSILON
from facewright.records import checkpoints, environment, record
from facewright.records.run_folder import RunFolder
from facewright.training import adaptive_augmentation
from facewright.training.amend import amended
from facewright.training.husk import clear, is_husk
from facewright.training.job import Job, Outcome, disk_errors
from facewright.training.launch import device_of, fabric_of, launch, settled
from facewright.training.memory import available_memory, estimate, memory_overhead
from facewright.training.micro_batches import refuse_indivisible
from facewright.training.run_lock import run_lock
from facewright.training.shortage import advice
from facewright.training.state import about_model
from facewright.training.transfer import Beginning, begin_with

UNSURE = 2.0
"""Factor by which an estimate of memory may be wrong (tested)."""


def begin(job: Job, donor: Model | None = None) -> Job:
    """Make the run folder and write the photos and the settings into it.

    Everything that can be known to be wrong is refused before the folder is made. What a start
    that failed before the first step has left is replaced.

    Args:
        job: what to train.
        donor: a model with whose weights the run begins, as far as they fit.

    Returns:
        The job with all settings resolved, as they stand in the folder.

    Raises:
        RunError: the folder has something in it, or cannot be written, or the donor does not fit.
        DataError: the store cannot be used.
        ConfigError: settings that exclude each other.
    """
    folder = RunFolder(job.run)
    if is_husk(folder):
        clear(folder)
    if folder.config.exists():
        changed = settings.differences(settings.read(folder.config), _resolved(job).config)
        raise RunError(
            f"{job.run} holds a run already"
            + (f", with other settings ({'; '.join(changed)})" if changed else ""),
            expected="a new folder",
            fix=f"facewright resume {quoted(job.run)}, or another --out",
        )
    if job.run.exists() and (not job.run.is_dir() or any(job.run.glob("[!.]*"))):
        raise RunError(f"{job.run} is not empty", expected="a new folder", fix="another --out")
    job = _resolved(job)
    _check(job)
    shape = job.store.shape
    conditions = PhotoConditions.of(job.store, job.config.data.labels)
    conditions.refuse_rare_classes(job.config.data.class_photos)
    conditioning = conditions.meaning
    fabric_of(job.config, job.accelerator, job.devices)
    _refuse_impossible(job, conditioning.size)
    begun = begin_with(donor, job.config, shape, conditioning) if donor else None
    with disk_errors(job.run):
        environment.begin_run(folder, job.photos(), recipe=job.recipe)
        if begun is not None:
            about = about_model(job.config, shape, conditioning)
            _write_first_weights(folder, begun, about)
        # Last, because with its settings a run has begun.
        record.write_atomically(folder.config, settings.to_toml(job.config))
    return job


def execute(job: Job) -> Outcome:
    """Train from the newest checkpoint, or from the start, to the planned end.

    Raises:
        RunError: the settings or the photos are not those the run began with, somebody
            else trains this run, the disk is full or cannot be written.
        CheckpointError: every checkpoint is damaged.
    """
    folder = RunFolder.open(job.run)
    job = _resolved(job)
    _check(job)
    with disk_errors(job.run), run_lock(folder):
        _check_unchanged(folder, job)
        record.write_atomically(folder.config, settings.to_toml(job.config))
        return launch(job)


def _write_first_weights(folder: RunFolder, begun: Beginning, about: dict[str, Any]) -> None:
    start = {"step": 0, "images_seen": 0, "seconds": 0.0, **about, **begun.report()}
    checkpoints.write(folder.path, folder.init.name, {"weights": begun.weights}, start)


def _resolved(job: Job) -> Job:
    return dataclasses.replace(job, config=settled(job.config, device_of(job.accelerator)))


def refuse_unfit(job: Job) -> None:
    """Refuse settings and devices that can be known to be wrong before anything is trained.

    Raises:
        ConfigError, RunError: which, and what would do.
    """
    batch, devices = job.config.train.batch, job.devices
    if devices < 1:
        raise RunError(f"--devices {devices}", expected="at least 1", fix="--devices 1")
    if batch % devices:
        raise RunError(
            f"a batch of {batch} on {devices} devices",
            expected="a multiple of the devices",
            fix=f"--set train.batch={-(-batch // devices) * devices}",
        )
    _check_settings(job.config)
    refuse_indivisible(job.config, job.store.shape)
    adaptive_augmentation.check(job.config, job.store)


def _check(job: Job) -> None:
    refuse_unfit(job)
    job.store.verify()
    PhotoConditions.of(job.store, job.config.data.labels)


def _refuse_impossible(job: Job, conditions: int) -> None:
    """Refuse networks that cannot be built, and those that no memory here could hold.

    Raises:
        ConfigError: the former.
        RunError: the latter: by the estimate, which may be wrong by a factor of two, more
            than twice of what there is.
    """
    config, shape, devices = job.config, job.store.shape, job.devices
    need = estimate(config, shape, devices, conditions).total
    device = device_of(job.accelerator)
    available = available_memory(device, devices)
    if available is None or need <= UNSURE * available:
        return
    fitting = advice(config, shape, devices, available, memory_overhead(device.type, devices))
    size = f"train.micro_batch={fitting.micro_batch}" if fitting.micro_batch else ""
    if fitting.batch and not size:
        size = f"train.batch={fitting.batch}"
    raise RunError(
        f"a run of about {need / 2**20:,.0f} MiB, where there are {available / 2**20:,.0f}",
        expected="one that fits into the memory",
        fix=f"--set {size}" if size else f"smaller images, or a smaller {fitting.width}",
    )


def _check_antithetic(loss: LossConfig) -> None:
    """Refuse noise along which gradients cannot be estimated."""
    fades = loss.instance_noise_images > 0
    if loss.instance_noise >= SMALLEST_EPSILON and not fades:
        return
    noise = "noise that fades" if fades else f"loss.instance_noise={loss.instance_noise:g}"
    raise ConfigError(
        f"loss.slope = 'antithetic-noise' with {noise}",
        expected=f"noise of {SMALLEST_EPSILON:g} or more throughout: the logit's gradient is "
        "estimated from both signs of it, and with less it drowns in the rounding of bf16",
        fix="--set loss.instance_noise=0.05 --set loss.instance_noise_images=0, or --set "
        "loss.slope=finite-difference",
    )


def _check_settings(config: Config) -> None:
    """Refuse settings that are fine by themselves but not together."""
    game_named(config.loss.game, config.loss.real_target)
    loss = config.loss
    if loss.slope != "exact" and config.model.dropout > 0:
        raise ConfigError(
            f"loss.slope = '{loss.slope}' with model.dropout",
            expected="a discriminator that says the same of the same image: the chance of "
            "dropout would be taken for a gradient",
            fix="--set loss.slope=exact, or --set model.dropout=0",
        )
    if loss.slope == "antithetic-noise":
        _check_antithetic(loss)
    if config.data.labels and config.loss.feature_matching:
        raise ConfigError(
            "data.labels with loss.feature_matching, which compares means over all labels",
            expected="a generator that is asked for each label",
            fix="--set loss.feature_matching=false",
        )
    if config.schedule.images == 0 and config.schedule != ScheduleConfig():
        raise ConfigError(
            "a [schedule] of 0 images",
            expected="how many images its values take, or none of them",
            fix=f"--set schedule.images={config.train.images // 5}",
        )


def _check_unchanged(folder: RunFolder, job: Job) -> None:
    """Only a run that goes on with the same photos and settings is the same run."""
    before, store = environment.read(folder)["store"], job.store
    began_with = before.get("content_hash", "")
    if before and began_with != store.content_hash:
        raise RunError(
            f"{store.path} has changed since {job.run} began",
            expected=f"content {began_with[:12]}, found {store.content_hash[:12]}",
            fix="give back the old store, or start a new run",
        )
    saved = checkpoints.readable(folder.checkpoints)
    if not saved:
        if folder.steps.exists():
            checkpoints.sound(folder.checkpoints)  # says what is wrong with them
        return
    newest = saved[-1]
    began = amended(folder) or settings.from_tables(newest.state["config"], origin=str(newest.path))
    changed = settings.differences(_planning(began, job.config.train.images), job.config)
    if changed:
        raise RunError(
            f"{folder.config} differs from what {job.run} began with: {'; '.join(changed)}",
            expected="the same settings; only train.images may change",
            fix="undo the change, or start a new run",
        )
    least = min(began.train.images, newest.state["images_seen"])
    if job.config.train.images < least:
        raise RunError(
            f"--images {job.config.train.images}: the run has seen more already",
            expected=f"at least {least}",
            fix=f"--images {least}, or more",
        )


def _planning(config: Config, images: int) -> Config:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, images=images))

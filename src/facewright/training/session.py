"""What each process of a session does, from the checkpoint to the last record."""

import contextlib
import dataclasses
import logging
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from facewright.conditions import Conditioning
from facewright.config import Config
from facewright.data.photo_conditions import PhotoConditions
from facewright.data.store import Store
from facewright.data.store_watch import StoreChangedError, StoreWatch
from facewright.data.stream import BatchStream
from facewright.errors import FacewrightError, is_out_of_memory
from facewright.networks.device import keep_freed_memory
from facewright.records import checkpoints, environment, record
from facewright.records.run_folder import RunFolder
from facewright.rng import numpy_rng_for, rng_for
from facewright.training.adaptive_augmentation import adaptive_augmentation
from facewright.training.callbacks import Checkpointer, Sampler, Scorer
from facewright.training.ema_statistics import EmaStatistics, generated
from facewright.training.interrupt import StopVote, stop_requests
from facewright.training.job import Job, Outcome, Status, disk_errors
from facewright.training.loop import Callback, train_until
from facewright.training.recorder import DivergedError, ProblemError, Recorder, due
from facewright.training.shortage import memory_errors
from facewright.training.state import TrainState, about_model, fresh_state
from facewright.training.step import Stats
from facewright.training.transfer import age_of_average

log = logging.getLogger(__name__)

STOPPING = (ProblemError, DivergedError, StoreChangedError)
"""What a callback sees that stops a run."""


def train_session(fabric: Fabric, job: Job) -> Outcome:
    """Train from the newest checkpoint, or from the start, until done or asked to stop.

    Args:
        fabric: launched; says which process this is.
        job: what to train.

    Raises:
        RunError: the disk is full or cannot be written, or there is too little memory.
        CheckpointError: every checkpoint is damaged.
    """
    config, folder, store = job.config, RunFolder(job.run), job.store
    first = fabric.global_rank == 0
    status: Status = "failed"
    problem = None
    keep_freed_memory()
    with (
        stop_requests(fabric) as stop,
        disk_errors(job.run),
        memory_errors(job, store.shape, fabric.device),
        torch.random.fork_rng([fabric.device] if fabric.device.type == "cuda" else []),
        denormals_flushed(),
    ):
        conditions = PhotoConditions.of(store, config.data.labels)
        state = fresh_state(config, store.shape, fabric.device, conditions.meaning.size)
        _go_back_to_checkpoint(state, folder, fabric, config.train.images)
        before = state.seconds
        if first:
            _note_beginning(job, state)
        try:
            _play(state, fabric, job, conditions, stop)
            done = state.images_seen >= config.train.images
            status = "finished" if done else "interrupted"
        except (ProblemError, DivergedError) as error:
            problem = error
        except StoreChangedError as error:
            raise _without_photos(folder, error) from error
        finally:
            if first:
                environment.end_session(folder, state.images_seen, state.seconds - before, status)
    outcome = Outcome(status, state.step, state.images_seen, state.seconds)
    if problem is None:
        return outcome
    finding = problem.finding if isinstance(problem, ProblemError) else None
    return dataclasses.replace(outcome, message=str(problem), finding=finding)


def _play(
    state: TrainState,
    fabric: Fabric,
    job: Job,
    conditions: PhotoConditions,
    stop: StopVote,
) -> None:
    """The loop with everybody who looks on; the state is saved at its end.

    Raises:
        ProblemError: what a callback has seen, after saving; in its own process.
        StoreChangedError: the photos were overwritten; what was trained since the last
            checkpoint is not saved.
        DivergedError: a number is not finite, and no callback knows more of it.
    """
    config, store, extras = job.config, job.store, job.extras
    folder = RunFolder(job.run)
    first = fabric.global_rank == 0
    shown = config.train.batch * config.train.d_steps
    recorder = Recorder(
        folder,
        config,
        shown,
        seconds=state.seconds,
        sinks=[make(folder) for make in extras.sinks] if first else [],
        writes=first,
    )
    problems: list[FacewrightError] = []
    watch = StoreWatch(store)
    look = _heeded(lambda *_: watch.look(), problems, stop)
    compare = _heeded(lambda *_: watch.compare(), problems, stop)
    about = about_model(config, store.shape, conditions.meaning)
    own = EmaStatistics(config, conditions.meaning, shown)
    scorer = Scorer(folder, config.record, shown, _score(job, conditions.meaning))
    saver = Checkpointer(folder, config.record, shown, about, scorer)
    batches = batches_of(config, store, conditions, fabric)
    callbacks: list[Callback] = [
        recorder,
        *adaptive_augmentation(config, store, fabric, batches, conditions),
    ]
    sampler = Sampler(
        folder,
        config.record,
        shown,
        seed=config.train.seed,
        z_dim=config.model.z_dim,
        conditioning=conditions.meaning,
        shape=store.shape,
        then=extras.after_sample,
    )

    def save_if_sound(state: TrainState, stats: Stats) -> None:
        if due(state.images_seen, shown, config.record.checkpoint_images):
            compare(state, stats)
        if not problems:
            saver(state, stats)

    def should_stop() -> bool:
        look(state, {})
        return stop()

    with contextlib.ExitStack() as shows:
        if first:
            others = [shows.enter_context(make(config, recorder)) for make in extras.callbacks]
            callbacks += [own, sampler, scorer]
            callbacks += [_heeded(other, problems, stop) for other in others]
            # What is saved is not looked at again by a run that goes on from there: saved last.
            callbacks.append(save_if_sound)
            sampler.forget_end()
            if state.step == 0:
                own.take(state)
                sampler.draw(state)
                saver.save(state)
        train_until(
            state,
            config,
            batches=batches,
            fabric=fabric,
            callbacks=callbacks,
            should_stop=should_stop,
        )
        recorder.flush()
        if not first:
            return
        own.take(state)
        compare(state, {})
        is_done = state.images_seen >= config.train.images and not problems
        try:
            if is_done:  # before it is saved: the score goes with it, and may be the best one
                scorer.score_end(state)
        finally:
            if not any(isinstance(one, DivergedError | StoreChangedError) for one in problems):
                saver.save(state, forget=not problems)
        for problem in problems:
            raise problem
        if is_done:
            sampler.draw_end(state)


def batches_of(
    config: Config, store: Store, conditions: PhotoConditions, fabric: Fabric
) -> BatchStream:
    """The photos as they are dealt to this process in training."""
    return BatchStream(
        store.train,
        batch=config.train.batch,
        seed=config.train.seed,
        flip=config.data.flip,
        share=(fabric.global_rank, fabric.world_size),
        conditions=conditions.train,
    )


def _heeded(callback: Callback, problems: list[FacewrightError], stop: StopVote) -> Callback:
    """A callback whose problem is noted, and stops all processes before the next step.

    Raised here and now it would leave the other processes waiting for this one.
    """

    def heeded(state: TrainState, stats: Stats) -> None:
        try:
            callback(state, stats)
        except STOPPING as problem:
            problems.append(problem)
            stop.ask()

    return heeded


def _without_photos(folder: RunFolder, error: StoreChangedError) -> StoreChangedError:
    """The same with what is kept of the run: all that was trained on the right photos for sure."""
    kept = checkpoints.readable(folder.checkpoints)[-1].state["images_seen"]
    return StoreChangedError(
        f"{error.what}; {folder.path} is saved at {kept:,} images",
        expected=error.expected,
        fix=f"{error.fix}, then: facewright resume {shlex.quote(str(folder.path))}",
    )


def _note_beginning(job: Job, state: TrainState) -> None:
    folder = RunFolder(job.run)
    before = environment.read(folder)["sessions"]
    goes_on = state.images_seen < job.config.train.images
    for other in environment.differences(before[-1]) if before and goes_on else ():
        log.warning(
            "%s: sums are rounded in another way, so the run goes on from the same state but not "
            "bit for bit as it would have",
            other,
        )
    environment.begin_session(folder, job.photos(), state.images_seen, recipe=job.recipe)


def _go_back_to_checkpoint(
    state: TrainState, folder: RunFolder, fabric: Fabric, images: int
) -> None:
    """Restore the newest sound checkpoint and forget what was recorded after it.

    Before the first one the run begins with another model's weights, if it was told to.

    Args:
        state: of a run that has not begun.
        folder: of the run.
        fabric: says which process this is.
        images: to show in all; a run that has shown them stays at its end.
    """
    begun = checkpoints.read(folder.init) if folder.init.exists() else None
    if any(folder.checkpoints.glob("[!.]*")):
        checkpoint, damaged = checkpoints.sound(folder.checkpoints)
        state.restore(checkpoint)
        fabric.barrier()  # everybody has read before anything is moved
        if fabric.global_rank == 0:
            for sentence in damaged:
                log.warning("%s; going back to %s", sentence, checkpoint.path.name)
            checkpoints.set_aside_all_but_older(folder.checkpoints, state.step)
            for lines in folder.timeline:
                record.cut(lines, state.images_seen, ended=state.images_seen >= images)
            recorded = record.count(folder.steps)
            if recorded != state.step:
                log.warning("%s has %d of %d steps", folder.steps, recorded, state.step)
    elif begun is not None:
        state.begin_with(begun)
    if begun is not None:
        state.ema.age += age_of_average(begun.state)
    # Nobody writes a new checkpoint before everybody has looked for the old ones.
    fabric.barrier()


def _score(job: Job, conditioning: Conditioning) -> Callable[[TrainState], list[dict[str, Any]]]:
    """Compares generated images with held-out photos, in the form of `metrics.jsonl`."""
    extras, config, store = job.extras, job.config, job.store
    count = min(config.record.score_samples, len(store.val))
    # Drawn at random, because stores keep the order of names, which is often by kind.
    order = numpy_rng_for(config.train.seed, 0, "score").permutation(len(store.val))
    chosen = np.sort(order[:count])

    def score(state: TrainState) -> list[dict[str, Any]]:
        if extras.score is None or count < 2:
            return []
        started = time.perf_counter()
        rng = rng_for(config.train.seed, 0, "score")
        z = torch.randn(count, config.model.z_dim, generator=rng)
        conditions = conditioning.draw(count, rng)
        try:
            fake = generated(state, z, conditions, store.shape)
            rows = extras.score(store.val[chosen], fake)
        except Exception as error:  # a checkpoint without a score beats none
            if not (isinstance(error, FacewrightError) or is_out_of_memory(error)):
                raise
            log.warning("the checkpoint is not scored: %s", error)
            return []
        seconds = round(time.perf_counter() - started, 3)
        return [
            {**row, "against": "val", "seed": config.train.seed, "seconds": seconds} for row in rows
        ]

    return score


@contextlib.contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers below 1e-38 count as zero: a CPU takes many times longer over them.

    The setting belongs to a thread, and new threads inherit it: it holds for all of them
    when torch has not computed anything in this process before.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)

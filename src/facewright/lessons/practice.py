"""Training for lessons: the library's own, into run folders that are used again."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from torch import nn

from facewright import settings
from facewright.config import Config
from facewright.data.store import Store
from facewright.errors import RunError
from facewright.lessons.lesson import Setting
from facewright.models.open_model import of_checkpoint
from facewright.networks.build import build_discriminator
from facewright.records.checkpoints import Checkpoint
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.rng import rng_for
from facewright.sampling.sample import sample
from facewright.training.job import Extras, Job
from facewright.training.run import begin, execute

BASE = (
    "data.flip=false",
    "model.width=16",
    "train.ema_images=5000",
    "record.score_samples=0",
    "record.final_samples=0",
)
"""A small pair, so that a run takes half a minute; digits are never mirrored."""


@dataclass(frozen=True)
class Practice:
    """One run of a lesson.

    Args:
        history: everything it recorded.
        reused: whether it had been trained before.
    """

    history: RunHistory
    reused: bool

    @property
    def seconds(self) -> float:
        """Training time of a run that was found finished; 0 if this call trained it."""
        return self.history.cost.seconds if self.reused else 0.0

    def late(self, field: str) -> float:
        """Mean of one of `STEP_FIELDS` over the last quarter of the steps."""
        steps = self.history.steps[field]
        return float(np.nanmean(steps[3 * len(steps) // 4 :]))

    def images(self, count: int) -> np.ndarray:
        """(count, H, W, C) uint8 from the EMA generator at the end."""
        return sample(of_checkpoint(self.history.checkpoints[-1]), count=count, seed=0)


def practise(
    setting: Setting,
    name: str,
    store: Store,
    overrides: Iterable[str],
    *,
    seed: int,
    images: int,
    with_doctor: bool = False,
) -> Practice:
    """Train one run, or find it trained.

    Args:
        setting: where runs are kept.
        name: of the run, the seed not included.
        store: the photos.
        overrides: "section.key=value", on top of `BASE`.
        seed: of the run.
        images: real images shown to the discriminator.
        with_doctor: whether a doctor takes snapshots, if the setting has one.

    Raises:
        RunError: the folder holds a run with other settings, or training was interrupted.
    """
    config = settings.override(
        Config(),
        [
            *BASE,
            # Nothing between the first and the last moment, unless a lesson asks for it.
            f"record.checkpoint_images={images}",
            f"record.sample_images={images}",
            *overrides,
            f"train.images={images}",
            f"train.seed={seed}",
        ],
        origin=f"the lesson's run {name}",
    )
    run = setting.runs / f"{name}-{images // 1000}k-{seed}"
    extras = Extras()
    if with_doctor and setting.make_doctor is not None:
        extras = Extras(callbacks=(setting.make_doctor(RunFolder(run), store),))
    job = Job(config, store, run, extras=extras)
    finished = _finished(job)
    if finished is not None:
        return Practice(finished, reused=True)
    setting.say(f"training {job.run}")
    if not job.run.exists():
        job = begin(job)
    outcome = execute(job)
    if outcome.status == "interrupted":
        raise KeyboardInterrupt
    return Practice(RunHistory.read(job.run), reused=False)


def _finished(job: Job) -> RunHistory | None:
    """The run as it was trained before, if this is the same one."""
    if not job.run.exists():
        return None
    history = RunHistory.read(job.run)
    changed = [
        words
        for words in settings.differences(history.config, job.config)
        if not words.startswith("train.precision")  # resolved when the run began
    ]
    before = history.environment["store"]
    if before and before["content_hash"] != job.store.content_hash:
        changed.append(f"photos: {before['path']} -> {job.store.path}")
    if changed:
        raise RunError(
            f"{job.run} was trained with other settings: {'; '.join(changed)}",
            expected="the lesson's own",
            fix=f"remove {job.run}, or --runs ANOTHER",
        )
    return history if history.status in ("finished", "failed") else None


def discriminator_of(checkpoint: Checkpoint) -> nn.Module:
    """The discriminator of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: damaged.
    """
    config = settings.from_tables(checkpoint.state["config"], origin=str(checkpoint.path))
    channels, height, width = checkpoint.state["shape"]
    network = build_discriminator(config.model, (channels, height, width), rng_for(0, 0, "unused"))
    weights = checkpoint.tensors("weights")
    start = "discriminator."
    network.load_state_dict(
        {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
    )
    return network.eval().requires_grad_(False)

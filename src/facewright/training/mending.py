"""Training that mends itself: back to the last good moment, one setting changed, and on."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from facewright import settings
from facewright.config import Config
from facewright.errors import CheckpointError
from facewright.records import checkpoints, record
from facewright.records.checkpoints import Checkpoint
from facewright.records.rows import LookRow, RemedyRow
from facewright.records.run_folder import RunFolder
from facewright.training.amend import amend, settings_in_force
from facewright.training.job import Job, Outcome
from facewright.training.run import execute

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 6
"""Remedies tried on one run before giving up."""
SOON = 4
"""A problem is back soon when the run has gone no further than so many times as far as it had
just gone back."""
NEARER = 0.8
"""Distance of images to held-out photos over that at the problem, below which they were better."""


class Remedy(Protocol):
    """One change of settings that may help."""

    @property
    def code(self) -> str:
        """Its name in `remedies.jsonl`."""
        ...

    @property
    def sentence(self) -> str:
        """What is done, for people."""
        ...

    def change(self, config: Config, size: int, /) -> Mapping[str, Any] | None:
        """New values by setting; `None` where it does not apply.

        Args:
            config: the settings so far.
            size: of the images, in pixels.
        """
        ...


def train_with_mending(
    job: Job,
    remedies: Mapping[str, Sequence[Remedy]],
    max_attempts: int = MAX_ATTEMPTS,
    unjudged_steps: int = 0,
) -> Outcome:
    """Train; whenever a problem stops the run, go back, try one remedy, and go on.

    The run goes back to the checkpoint with the best images, by the doctor's looks; where none were
    clearly better than those at the problem, to the newest from before it was first seen; and
    where that was in vain, twice as far. Each time one remedy is applied that this run has not
    tried against this problem; what was applied before stays, as a failure may have several
    causes. All of it is noted in `remedies.jsonl`, from where a later session knows what
    was tried.

    Args:
        job: what to train; needs a callback that raises `ProblemError`, such as the doctor's hook.
        remedies: for each verdict, to be tried in this order.
        max_attempts: remedies over the whole run before it gives up.
        unjudged_steps: before so many steps nobody looked for problems, so that a checkpoint
            from then is not known to be good: the run begins again instead.

    Returns:
        How it ended; `failed`, with what was tried in the message, when it gave up, and when its
        last images cover no photo at all.
    """
    while True:
        outcome = execute(job)
        if outcome.finding is None:
            return _failed_if_nothing_is_covered(job, outcome)
        attempt = _next_attempt(job, outcome.finding, remedies, max_attempts)
        if attempt is None:
            return dataclasses.replace(outcome, message=_surrender(job, outcome))
        remedy, config = attempt
        checkpoint = _good_checkpoint(job, outcome, unjudged_steps)
        about = {
            "remedy": remedy.code,
            "reason": remedy.sentence,
            "verdict": outcome.finding["verdict"],
            "finding": outcome.finding,
            "failed_at_images": outcome.images_seen,
        }
        changed = amend(job.run, checkpoint, config, about)
        log.warning(
            "%s; back to %s images with %s",
            outcome.finding["message"],
            f"{checkpoint.state['images_seen'] if checkpoint else 0:,}",
            ", ".join(changed),
        )
        job = dataclasses.replace(job, config=config)


def _tried(job: Job) -> list[dict[str, Any]]:
    rows = record.read(RunFolder(job.run).remedies, RemedyRow)
    return [row for row in rows if "remedy" in row]  # others were amended by hand


def _next_attempt(
    job: Job,
    finding: Mapping[str, Any],
    remedies: Mapping[str, Sequence[Remedy]],
    max_attempts: int,
) -> tuple[Remedy, Config] | None:
    """The next remedy that applies, and the settings with it."""
    tried = _tried(job)
    if len(tried) >= max_attempts:
        return None
    config = settings_in_force(RunFolder(job.run))
    size = max(job.store.shape[1:])
    known = {(row["verdict"], row["remedy"]) for row in tried}
    for remedy in remedies.get(finding["verdict"], ()):
        if (finding["verdict"], remedy.code) in known:
            continue
        values = remedy.change(config, size)
        if values:
            lines = [settings.assignment(name, value) for name, value in values.items()]
            return remedy, settings.override(config, lines, origin=f"remedy {remedy.code}")
    return None


def _good_checkpoint(job: Job, outcome: Outcome, unjudged_steps: int) -> Checkpoint | None:
    """The newest sound checkpoint of a good moment; `None` is the very beginning."""
    assert outcome.finding is not None
    good = [
        checkpoint
        for checkpoint in checkpoints.readable(RunFolder(job.run).checkpoints)
        if unjudged_steps <= checkpoint.state["step"]
    ]
    moments = [checkpoint.state["images_seen"] for checkpoint in good]
    best = _best_moment(job, moments)
    before = outcome.finding["first_seen_images"] if best is None else best + 1
    for row in _tried(job)[-1:]:
        gone_back = row["failed_at_images"] - row["images_seen"]
        if outcome.images_seen - row["images_seen"] <= SOON * gone_back:
            # The problem is back so soon that the checkpoint may have had it in it already.
            before = min(before, row["images_seen"] - gone_back + 1)
    for checkpoint in reversed(good):
        if checkpoint.state["images_seen"] < before:
            try:
                checkpoints.check(checkpoint)
            except CheckpointError as error:
                log.warning("%s", error.what)
            else:
                return checkpoint
    return None


def _best_moment(job: Job, moments: Sequence[int]) -> int | None:
    """After how many images a checkpoint had the best ones; `None` if none was clearly better.

    Args:
        job: whose run has looks of the doctor.
        moments: images seen by each checkpoint.
    """
    looks = _looks(job)
    found = {}
    for moment in moments:
        until = [look["distance"] for look in looks if look["images_seen"] <= moment]
        if until:
            found[moment] = until[-1]
    best = min(found, key=lambda moment: found[moment], default=None)
    return best if best and found[best] < NEARER * looks[-1]["distance"] else None


def _looks(job: Job) -> list[dict[str, Any]]:
    return list(record.read(RunFolder(job.run).snapshots, LookRow))


def _failed_if_nothing_is_covered(job: Job, outcome: Outcome) -> Outcome:
    looks = _looks(job)
    if outcome.status != "finished" or not looks or looks[-1]["coverage"] > 0:
        return outcome
    message = "no photo has a generated image near it: coverage 0 at the last look"
    return dataclasses.replace(outcome, status="failed", message=message)


def _surrender(job: Job, outcome: Outcome) -> str:
    tried = [row["reason"] for row in _tried(job)]
    attempts = f"tried in vain: {'; '.join(tried)}" if tried else "there is no remedy to try"
    return f"{outcome.message}\n{attempts}; giving up"

"""NC: does the training converge, circle, explode, or stand still?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facewright.doctor import thresholds as at
from facewright.doctor.finding import NO_SPREAD, Assessment, Verdict
from facewright.doctor.history import SMOOTHED, WINDOW, History

ENOUGH = 5_000
"""Steps of which a median is known to 2 %; it is looked for at each of thousands of moments."""

OF_PHOTOS = "times the mean distance of two photos"
"""The unit in which the movement of images is said."""


@dataclass(frozen=True)
class Divergence:
    """NC01. Do losses, verdicts or gradients run away?"""

    code: ClassVar[str] = "NC01"
    title: ClassVar[str] = "Numbers run away"
    verdict: ClassVar[Verdict] = "divergence"
    at_once: ClassVar[bool] = True
    remedy: ClassVar[str] = (
        "go back to the last healthy checkpoint with both learning rates x 0.3; then penalise "
        "the discriminator's gradient (--set loss.r1=1), then beta1 = 0"
    )
    source: ClassVar[str] = "Mescheder et al. 2018, arXiv:1801.04406"
    blind_spot: ClassVar[str] = "a slow drift of verdicts that stay below the limits"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if history.breaks_off():  # all steps are looked through only where there is a reason
            broken = history.is_broken()
            return _not_finite(history, len(broken) - _run_length(broken[::-1]))
        what, level, limit = _level(history)
        growth = max(_growth(history, f) for f in ("d_grad_norm", "g_grad_norm"))
        evidence = {"level": level, "limit": limit, "gradient_over_median": growth}
        # A discriminator that is right every time may be as loud as it likes: BA01.
        is_right = history.is_sure()
        if level > limit and not is_right:
            return Assessment(
                "problem", f"{what} grown to {level:.3g}; {limit:.3g} is much", evidence
            )
        if _has_run_away(history) and not is_right:
            message = "verdicts have run away before, and images have not come back since"
            return Assessment("problem", message, evidence)
        if growth > at.GRADIENT_GROWTH:
            message = f"gradients are {growth:.3g} times their usual length"
            return Assessment("problem", message, evidence)
        return Assessment("ok", "numbers stay in bounds", evidence)


def _run_length(flags: np.ndarray) -> int:
    """How many are true before the first that is not."""
    return int(np.argmin(flags)) if not flags.all() else len(flags)


def _not_finite(history: History, first: int) -> Assessment:
    """What to say of numbers that are not finite from this row of the steps on."""
    evidence = {field: float(history.steps[field][first]) for field in history.watched}
    names = " and ".join(name for name, value in evidence.items() if not np.isfinite(value))
    step = int(history.steps["step"][first])
    return Assessment("problem", f"{names} not finite, first at step {step}", evidence)


def _level(history: History) -> tuple[str, float, float]:
    """What is looked at, how large it is in the last steps, and how large it may be."""
    if not history.knows("real_logit", "fake_logit"):
        return "the discriminator's loss has", *_loss_level(history)
    real, fake = (float(history.recent(f, SMOOTHED).mean()) for f in ("real_logit", "fake_logit"))
    return "verdicts have", *_loudness(history, real, fake)


def _loss_level(history: History) -> tuple[float, float]:
    """Of a log without verdicts. Its losses may be sums over a batch: hence also the usual one."""
    if not history.knows("d_loss"):
        return 0.0, at.LOGIT
    losses = np.abs(history.steps["d_loss"])
    limit = at.LOGIT if history.game.d_draw else at.GAP
    lately = float(np.nanmedian(losses[-SMOOTHED:]))
    return lately, max(limit, at.LOUDER * float(np.nanmedian(losses)))


def _loudness(history: History, real: float, fake: float) -> tuple[float, float]:
    """How large verdicts on photos and on generated images are, and how large they may be."""
    if not history.game.only_differences:
        return max(abs(real), abs(fake)), at.LOGIT
    if min(abs(real), abs(fake)) > at.TOGETHER:
        return min(abs(real), abs(fake)), at.TOGETHER
    return abs(real - fake), at.LOGIT if history.game.d_draw else at.GAP


def _has_run_away(history: History) -> bool:
    """Were verdicts too large at a look before, and are images far from as good as at best?"""
    looks = history.snapshots
    loudness = (_loudness(history, s.real_logit, s.fake_logit) for s in looks[:-1])
    if not any(level > limit for level, limit in loudness):
        return False
    return looks[-1].distance > at.AWAY * max(at.AS_NEAR_AS_PHOTOS, min(s.distance for s in looks))


def _growth(history: History, field: str) -> float:
    norms = history.steps[field]
    # Of a long run every second, third ... step tells as much about what is usual.
    some = norms[:: max(1, len(norms) // ENOUGH)]
    if np.isnan(some).all():
        return 0.0
    usual = float(np.nanmedian(some))
    # The median: mixed precision skips a step now and then whose gradient is infinite.
    return float(np.nanmedian(norms[-SMOOTHED:])) / usual if usual > 0 else 0.0


@dataclass(frozen=True)
class Stalled:
    """NC02. Do the images of the same latents still change?"""

    code: ClassVar[str] = "NC02"
    title: ClassVar[str] = "Nothing moves"
    verdict: ClassVar[Verdict] = "stalled"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "learning rates x 10; check that the generator's step reaches it (no `detach`), that "
        "its optimiser holds its weights, and that its output is not saturated"
    )
    source: ClassVar[str] = "this project, docs/experiments/doctor.md, 'calibrating the doctor'"
    blind_spot: ClassVar[str] = (
        "takes a run whose own loop has taken learning rates down to almost nothing for one "
        "that stands still, unless told of it (`lr_factor`)"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        rate = history.drift_rate()
        if rate is None:
            return Assessment("cannot tell", "two snapshots are needed")
        steepness = history.snapshots[-1].steepness
        evidence = {"drift_per_100_steps": rate, "limit": at.STALLED, "steepness": steepness}
        if rate >= at.STALLED or history.has_moved():
            return Assessment("ok", f"images move by {rate:.2g} {OF_PHOTOS} in 100 steps", evidence)
        if history.gradient_vanished():
            return Assessment("ok", "nothing moves because no gradient arrives: BA01", evidence)
        message = f"in 100 steps the images of the same latents moved by {rate:.1e} {OF_PHOTOS}"
        return Assessment("problem", message, evidence)


@dataclass(frozen=True)
class Plateau:
    """NC04. Does it still get better?"""

    code: ClassVar[str] = "NC04"
    title: ClassVar[str] = "Nothing gets better any more"
    verdict: ClassVar[Verdict] = "plateau"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "stop and use the best checkpoint; for more, a wider model, more photos, or lower "
        "learning rates if they were never lowered"
    )
    source: ClassVar[str] = "this project, docs/experiments/doctor.md, 'calibrating the doctor'"
    blind_spot: ClassVar[str] = (
        "gains that the Fréchet distance to held-out photos does not see; takes a run whose "
        "own loop has lowered learning rates for one that has set, unless told (`lr_factor`); "
        "misses one that has set at lowered rates, as movement falls less than they do"
    )

    def examine(self, history: History) -> Assessment:
        """See the class."""
        rate = history.drift_rate()
        if rate is not None and at.STALLED <= rate < at.CRAWLING and not history.has_moved():
            message = f"in 100 steps images move by only {rate:.1e} {OF_PHOTOS}: training has set"
            return Assessment("problem", message, {"drift_per_100_steps": rate})
        late = [(seen, score) for seen, score in history.scores if seen > self._start(history)]
        before = [score for seen, score in history.scores if seen <= self._start(history)]
        if len(late) < at.FEWEST_SCORES or len(before) < at.FEWEST_SCORES:
            return Assessment("cannot tell", "too few scored checkpoints", {"scores": len(late)})
        gain = 1 - min(score for _, score in late) / min(before)
        evidence = {"gain": gain, "over_images": history.images_seen - self._start(history)}
        if gain < at.IMPROVEMENT:
            message = f"the distance to held-out photos fell by {max(gain, 0):.1%} of late"
            return Assessment("problem", message, evidence)
        return Assessment(
            "ok", f"the distance to held-out photos fell by {gain:.0%} of late", evidence
        )

    def _start(self, history: History) -> float:
        return history.images_seen * (1 - at.LAST_PART)


@dataclass(frozen=True)
class Oscillation:
    """NC03. Do the players overtake each other in turns?"""

    code: ClassVar[str] = "NC03"
    title: ClassVar[str] = "The players circle"
    verdict: ClassVar[Verdict] = "oscillation"
    at_once: ClassVar[bool] = False
    remedy: ClassVar[str] = (
        "less momentum (beta1 0.5, then 0), learning rates x 0.5, R1 and R2; sample from the "
        "EMA of the generator"
    )
    source: ClassVar[str] = "Mescheder et al. 2017, arXiv:1705.10461"
    blind_spot: ClassVar[str] = "cycles much longer than 300 steps"

    def examine(self, history: History) -> Assessment:
        """See the class."""
        if not history.knows("real_logit", "fake_logit", "real_logit_std"):
            return NO_SPREAD
        gap = history.smooth_gap(WINDOW)
        # A lead counts from a distance that chance does not make.
        leads = np.sign(gap[np.abs(gap) > at.LEAD])
        turns = int((np.diff(leads) != 0).sum())
        evidence = {"turns": turns, "wander": float(np.ptp(gap))}
        if turns >= at.TURNS and not history.undecided():
            return Assessment(
                "problem",
                f"the lead changed {turns} times in {len(gap)} steps, by up to "
                f"{np.ptp(gap):.1f} standard deviations of the verdicts",
                evidence,
            )
        return Assessment("ok", "the players do not overtake each other in turns", evidence)

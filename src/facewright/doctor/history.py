"""What the doctor knows of a training: every step, and a look now and then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facewright.doctor import thresholds
from facewright.doctor.snapshot import Snapshot
from facewright.objective.adversarial import Game

WINDOW = 300
"""Steps in which the players may overtake each other several times."""
SMOOTHED = 10
"""Steps over which verdicts are averaged, so that chance within a batch counts little."""
LATE_LOOKS = 3
"""Looks that count as "of late" at least, for what scatters from look to look."""
SHORT = 100
"""Steps that count as "now" for what fluctuates from step to step."""

FIELDS = (
    "step",
    "images_seen",
    "d_loss",
    "g_loss",
    "real_logit",
    "fake_logit",
    "real_logit_std",
    "fake_logit_std",
    "paired_accuracy",
    "d_penalty",
    "d_grad_norm",
    "g_grad_norm",
    "lr_factor",
    "d_loss_told",
)
"""What is known of each step; see docs/step-fields.md. `d_loss_told` is the discriminator's loss as
another program's loop says it, and is not recorded by ours."""
FINITE_IN_ANY_LOOP = ("d_loss", "g_loss", "real_logit", "fake_logit")
"""Numbers that are known of each step of any training, and never infinite or NaN in one that
works. An infinite gradient may be: mixed precision skips such a step now and then."""


@dataclass(frozen=True)
class History:
    """A training as far as it has come.

    Args:
        game: what each player is after.
        steps: one float array for each of `FIELDS`, all equally long; NaN where unknown.
        snapshots: oldest first.
        n_train: photos to train on.
        planned_images: at which the training will end; `None` if unknown.
        scores: (images seen, Fréchet distance to held-out photos), oldest first.
        n_held_out: photos held out; `None` if unknown: as many as are looked at.
        watched: of `FIELDS`, those that are finite in every step of a training that works.
        held_images: up to which the generator was kept as it was.
        is_ours: whether our own loop trained; another program's may have mistakes of its own.
    """

    game: Game
    steps: Mapping[str, np.ndarray]
    snapshots: Sequence[Snapshot]
    n_train: int
    planned_images: int | None = None
    scores: Sequence[tuple[int, float]] = ()
    n_held_out: int | None = None
    watched: Sequence[str] = FINITE_IN_ANY_LOOP
    held_images: int = 0
    is_ours: bool = True

    @property
    def n_steps(self) -> int:
        """Steps so far; another program's log need not have a row for each."""
        return int(self.steps["step"][-1]) if len(self.steps["step"]) else 0

    def knows(self, *fields: str) -> bool:
        """Are these known of any step?"""
        return all(np.isfinite(self.steps[field]).any() for field in fields)

    @property
    def images_seen(self) -> int:
        """By the discriminator; 0 before the first step."""
        return int(self.steps["images_seen"][-1]) if self.n_steps else 0

    def until(self, images_seen: int) -> "History":
        """What was known when so many images had been seen."""
        end = int(np.searchsorted(self.steps["images_seen"], images_seen, side="right"))
        return replace(
            self,
            steps={name: column[:end] for name, column in self.steps.items()},
            snapshots=[s for s in self.snapshots if s.images_seen <= images_seen],
            scores=[score for score in self.scores if score[0] <= images_seen],
        )

    def is_broken(self) -> np.ndarray:
        """For each step: is one of its watched numbers not finite?"""
        columns = np.stack([self.steps[field] for field in self.watched])
        return np.asarray((~np.isfinite(columns)).any(axis=0))

    def breaks_off(self) -> bool:
        """Is one of the watched numbers of the last step not finite?"""
        return any(not np.isfinite(self.steps[field][-1:]).all() for field in self.watched)

    def breaks(self) -> list[int]:
        """The images seen each time that watched numbers stopped being finite."""
        broken = self.is_broken()
        begins = broken & ~np.concatenate([[False], broken[:-1]])
        return [int(seen) for seen in self.steps["images_seen"][begins]]

    def recent(self, field: str, count: int) -> np.ndarray:
        """The newest values of a field."""
        return self.steps[field][-count:]

    def recent_gap(self, count: int = SHORT) -> np.ndarray:
        """By how much photos were rated above generated images, in each recent step."""
        return self.recent("real_logit", count) - self.recent("fake_logit", count)

    def recent_std(self, count: int = SHORT) -> float:
        """Typical standard deviation of verdicts on photos within a batch."""
        within = self.recent("real_logit_std", count)
        within = within[~np.isnan(within)]
        spread = float(np.median(within)) if len(within) else 0.0
        # A batch of one image has no standard deviation of its own, and a log may not tell it.
        return max(spread or float(np.nanstd(self.recent("real_logit", count))), 1e-12)

    def has_moved(self) -> bool:
        """Did images move so far since the look before that nothing can be standing still?

        However long ago that was: distances grow up to that of new images, then no more.
        """
        drift = self.snapshots[-1].drift if self.snapshots else None
        return drift is not None and drift > thresholds.MOVED

    def gets_better(self) -> bool:
        """Are images clearly nearer to held-out photos than at any look before?"""
        distances = [snapshot.distance for snapshot in self.snapshots]
        return len(distances) > 1 and distances[-1] < thresholds.BETTER * min(distances[:-1])

    def distance_over_best(self) -> float | None:
        """How many times as far from held-out photos as at best are images of late?

        Medians of a part of all looks: one alone scatters by a quarter, and the least of many
        medians of a few lies low by chance. `None` where there are too few; 1 where nothing got
        worse.
        """
        distances = np.array([snapshot.distance for snapshot in self.snapshots])
        late = max(LATE_LOOKS, round(thresholds.LAST_PART * len(distances)))
        if len(distances) <= late:
            return None
        medians = np.median(sliding_window_view(distances, late), axis=1)
        return float(medians[-1] / max(medians.min(), thresholds.AS_NEAR_AS_PHOTOS))

    def smooth_gap(self, count: int) -> np.ndarray:
        """`recent_gap` averaged over a few steps, in standard deviations (`recent_std`)."""
        gap = np.convolve(self.recent_gap(count), np.full(SMOOTHED, 1 / SMOOTHED), mode="valid")
        return gap / self.recent_std(count)

    def drift_rate(self, look: int = -1) -> float | None:
        """How far images of the same latents move in 100 steps; `None` before the second look.

        That is, at the learning rates set. Where a schedule has lowered them to a tenth,
        movement counts ten times: small steps are no sign that training has set.

        Args:
            look: which snapshot; the last if not given.
        """
        last = self.snapshots[look] if self.snapshots else None
        if last is None or last.drift is None or not last.drift_steps:
            return None
        steps = self.steps["step"]
        ends = [last.step - last.drift_steps, last.step]
        between = slice(*np.searchsorted(steps, ends, side="right"))
        factors = self.steps["lr_factor"][between]
        known = factors[factors > 0]
        factor = float(known.mean()) if len(known) else 1.0
        return last.drift * 100 / last.drift_steps / factor

    def undecided(self) -> bool:
        """Has the discriminator of late made no difference between photos and the rest?

        Either its loss is that of a draw, or its verdicts differ by less than they scatter.
        """
        return self.lead() < thresholds.UNDECIDED or self.at_a_draw()

    def lead(self) -> float:
        """How far apart photos and generated images were rated of late, in standard deviations."""
        return float(np.abs(self.smooth_gap(SHORT)).mean())

    def at_a_draw(self) -> bool:
        """Is the discriminator's recent loss that of a draw, for games that have one?"""
        return bool(self.game.d_draw) and abs(self.loss_over_draw() - 1) < thresholds.AT_A_DRAW

    def gradient_vanished(self) -> bool:
        """Is the discriminator so sure that hardly any gradient reaches the generator?"""
        if not self.snapshots:
            return False
        return self.snapshots[-1].steepness < thresholds.STEEPNESS and self.is_sure()

    def is_sure(self) -> bool:
        """Is the discriminator right nearly every time, in games whose loss shows it?"""
        known = bool(self.game.d_draw) and self.knows("d_loss")
        return known and self.loss_over_draw() < thresholds.SURE

    def loss_over_draw(self) -> float:
        """The discriminator's recent loss over that of a draw, for games that have one."""
        assert self.game.d_draw
        return float(np.nanmedian(self.recent("d_loss", SHORT))) / self.game.d_draw

    def with_steps(self, steps: Mapping[str, np.ndarray]) -> "History":
        """The same training, further on."""
        return replace(self, steps=steps)

    def with_snapshot(self, snapshot: Snapshot) -> "History":
        """The same training, with one more look at it."""
        return replace(self, snapshots=[*self.snapshots, snapshot])

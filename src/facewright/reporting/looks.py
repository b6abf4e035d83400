"""What the doctor saw when it looked closely: numbers over time, as charts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from facewright.doctor import thresholds as at
from facewright.doctor.history import History
from facewright.doctor.overfitting import fair_limit
from facewright.doctor.reference import LOOKED_AT
from facewright.doctor.variety import enough_images
from facewright.reporting.bands import band
from facewright.reporting.charts import Chart, Line, ReferenceLine

SHOWN = (
    "diversity",
    "nearest_ratio",
    "coverage",
    "seen_above_held_out",
    "support",
    "steepness",
    "js_bits",
)
"""Numbers of a snapshot that are shown as they are."""

ROLES = {"ok": "real", "watch": "watch", "problem": "broken"}
"""Which colour says what of a limit."""


@dataclass(frozen=True)
class Limit:
    """A number at which the doctor calls something a problem, or that is worth comparing with.

    Args:
        label: what it stands for.
        value: on the axis of the number.
        kind: `ok` is what photos score; `watch` or `problem` is where one begins.
    """

    label: str
    value: float
    kind: Literal["ok", "watch", "problem"] = "problem"


@dataclass(frozen=True)
class Looks:
    """Every look of the doctor at a run.

    Args:
        images_seen: at each look.
        numbers: one float array for each number, as long as `images_seen`; NaN where there
            was none.
        limits: lines to compare these numbers with, by their name.
    """

    images_seen: np.ndarray
    numbers: Mapping[str, np.ndarray]
    limits: Mapping[str, Sequence[Limit]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How often the doctor looked closely."""
        return len(self.images_seen)

    @classmethod
    def of(cls, history: History) -> "Looks":
        """Those at one training."""
        looks = history.snapshots
        # Of a few hundred generated images no more pairs can be copies than there are.
        pairs = math.comb(min(history.n_held_out or LOOKED_AT, LOOKED_AT), 2)
        columns = {name: [getattr(look, name) for look in looks] for name in SHOWN}
        columns["drift_rate"] = [history.drift_rate(look) for look in range(len(looks))]
        # numpy turns None into NaN, which is what a number that could not be had should be.
        numbers = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        numbers["support"] = np.minimum(numbers["support"], pairs)
        seen = np.array([look.images_seen for look in looks], dtype=np.float64)
        return cls(seen, numbers, _limits(history, pairs))


def _limits(history: History, pairs: int) -> dict[str, list[Limit]]:
    """Where each number is good or bad.

    Args:
        history: of the training.
        pairs: of generated images in a look: more different images cannot be counted.
    """
    return {
        "diversity": [Limit("photos", 1.0, kind="ok")],
        "nearest_ratio": [Limit("nearest pairs of a generator that repeats itself", at.NEAREST)],
        "support": [
            Limit("not one copy", pairs, kind="ok"),
            Limit("repeats itself below", enough_images(history)),
        ],
        "coverage": [Limit("photos cover other photos", 0.97, kind="ok")],
        "drift_rate": [
            Limit("has set", at.CRAWLING, kind="watch"),
            Limit("nothing moves", at.STALLED),
        ],
        "seen_above_held_out": [
            Limit("fair", 0.5, kind="ok"),
            Limit("begins to know its photos", fair_limit(history), kind="watch"),
        ],
        "steepness": [Limit("nothing arrives", at.STEEPNESS)],
        "js_bits": [Limit("no doubt", at.JS_FAR)],
    }


@dataclass(frozen=True)
class _Plan:
    """One chart: its curves by (name of the number, label, role), and how to read it."""

    name: str
    title: str
    hint: str
    curves: tuple[tuple[str, str, str], ...]
    limits: tuple[float, float] | None = None
    floor: float | None = None
    """Where equal ratios are to look equal: smaller values are drawn here."""


PLANS = (
    _Plan(
        "variety",
        "Variety",
        "How far generated images are from each other, where photos score 1: two random ones, "
        "and each one from the most similar other one. A curve near 0: they are all alike.",
        (("diversity", "Random pairs", "neutral"), ("nearest_ratio", "Nearest pairs", "generator")),
    ),
    _Plan(
        "support",
        "How many different images",
        "Estimated from how often two of a few hundred images are copies: few copies, many "
        "images. At the topmost line not one pair was a copy, and more cannot be counted.",
        (("support", "Different images", "generator"),),
        floor=1.0,
    ),
    _Plan(
        "coverage",
        "Photos covered",
        "Share of held-out photos that have a generated image close by. It starts at 0 and "
        "rises while training goes well; a fall says that kinds of photos are being forgotten.",
        (("coverage", "Covered", "generator"),),
        limits=(0.0, 1.0),
    ),
    _Plan(
        "drift",
        "How far images move in 100 steps",
        "The same latents are drawn at every look. 1: as different as two photos; 0.1: refining; "
        "below the lowest line nothing is being learned any more.",
        (("drift_rate", "Movement", "generator"),),
        floor=1e-5,
    ),
    _Plan(
        "memory",
        "Training photos rated above held-out ones",
        "Half of the pairs is fair: the discriminator does not know which photos it was trained "
        "on. A rising curve says that it learns them by heart.",
        (("seen_above_held_out", "Pairs", "discriminator"),),
        limits=(0.4, 1.0),
    ),
    _Plan(
        "steepness",
        "What the generator is told",
        "Length of the gradient that reaches a generated image. Near 0 the discriminator is so "
        "sure that it gives no hint how to do better.",
        (("steepness", "Gradient at an image", "discriminator"),),
        floor=1e-6,
    ),
    _Plan(
        "fresh",
        "What a linear classifier sees",
        "Bits by which a linear classifier of shrunk images tells photos from generated ones. 0: "
        "no difference to be found; 1: no doubt at all, as for long in most trainings. It counts "
        "when the run's own discriminator sees no difference.",
        (("js_bits", "Linear classifier", "discriminator"),),
        limits=(0.0, 1.0),
    ),
)


def look_charts(looks: Looks) -> list[Chart]:
    """Every chart for which the doctor has seen something."""
    return [chart for plan in PLANS if (chart := _chart(plan, looks)).lines]


def _chart(plan: _Plan, looks: Looks) -> Chart:
    lines = [
        Line(label, role, band(*_known(looks, name, plan.floor)))
        for name, label, role in plan.curves
        if name in looks.numbers
    ]
    limits = [limit for name, _, _ in plan.curves for limit in looks.limits.get(name, ())]
    return Chart(
        plan.name,
        plan.title,
        plan.hint,
        tuple(line for line in lines if not line.band.is_empty),
        tuple(ReferenceLine(to.label, ROLES[to.kind], to.value) for to in limits),
        limits=plan.limits,
        logarithmic=plan.floor is not None,
    )


def _known(looks: Looks, name: str, floor: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The looks at which a number could be had; elsewhere it is not broken, only missing."""
    x, y = looks.images_seen, looks.numbers[name]
    known = np.isfinite(y)
    return x[known], y[known] if floor is None else np.maximum(y[known], floor)

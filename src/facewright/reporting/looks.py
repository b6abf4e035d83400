"""Charts of what the doctor saw when he looked closely."""

from dataclasses import dataclass

import numpy as np

from facewright.reporting.bands import band
from facewright.reporting.charts import Chart, Line, Reference
from facewright.reporting.consultation import Consultation

ROLES = {"ok": "real", "watch": "watch", "problem": "broken"}
"""Which colour says what of a limit."""


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
        "judge",
        "What a fresh judge sees",
        "Bits by which a new discriminator tells photos from generated images; asked only when "
        "the trained one sees no difference. 0: nobody can tell; 1: no doubt at all.",
        (("js_bits", "Fresh judge", "discriminator"),),
        limits=(0.0, 1.0),
    ),
)


def look_charts(said: Consultation) -> list[Chart]:
    """Every chart for which the doctor has seen something."""
    return [chart for plan in PLANS if (chart := _chart(plan, said)).lines]


def _chart(plan: _Plan, said: Consultation) -> Chart:
    lines = [
        Line(label, role, band(*_known(said, name, plan.floor)))
        for name, label, role in plan.curves
        if name in said.looks
    ]
    limits = [limit for name, _, _ in plan.curves for limit in said.limits.get(name, ())]
    return Chart(
        plan.name,
        plan.title,
        plan.hint,
        tuple(line for line in lines if not line.band.is_empty),
        tuple(Reference(to.label, ROLES[to.kind], to.value) for to in limits),
        limits=plan.limits,
        logarithmic=plan.floor is not None,
    )


def _known(said: Consultation, name: str, floor: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The looks at which a number could be had; elsewhere it is not broken, only missing."""
    x, y = said.looks["images_seen"], said.looks[name]
    known = np.isfinite(y)
    return x[known], y[known] if floor is None else np.maximum(y[known], floor)

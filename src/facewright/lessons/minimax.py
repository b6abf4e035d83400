"""Lesson 1: the minimax game, and the discriminator that is best at it."""

import math
from typing import TYPE_CHECKING

from facewright.lessons.figures import SERIES, canvas, legend, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.mixtures import (
    GaussianMixture,
    LinearDiscriminator,
    MixturePair,
    TrainedDiscriminator,
    learn,
    maxout,
    ring2d,
)
from facewright.lessons.tutorial import table
from facewright.reporting.curves import INK
from facewright.rng import rng_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GOODFELLOW = "Goodfellow et al. 2014, arXiv:1406.2661"
DRAW = -math.log(4)
NEAR = 0.02
"""A value, or a probability, this close to the exact one counts as it."""
SHIFTS = (0.0, 0.5, 1.0, 2.0, 3.0)
CURVE = tuple(0.1 * k for k in range(41))
"""Shifts at which the exact value is drawn."""

Found = dict[str, list[TrainedDiscriminator]]
"""For the name of each pair: what its discriminators learned, one for each seed."""


def teach(setting: Setting) -> Lecture:
    """Let discriminators learn to tell mixtures apart, and compare them with the formula."""
    shifted = {shift: _shifted(shift) for shift in SHIFTS}
    wider = MixturePair(
        "N(0, 1) and N(0, 2²)", GaussianMixture.normal(0, 1), GaussianMixture.normal(0, 2)
    )
    modes = ring2d().modes
    ring = MixturePair(
        "ring of 8, every second", GaussianMixture(modes, 0.15), GaussianMixture(modes[::2], 0.15)
    )
    found: Found = {}
    for pair in (*shifted.values(), wider, ring):
        setting.say(f"learning to tell apart {pair.name}")
        steps = setting.amount(1600 if pair is ring else 400, 60)
        found[pair.name] = [learn(pair, maxout(pair, s), steps, s) for s in setting.seeds(3)]
    line = learn(wider, LinearDiscriminator(), setting.amount(400, 60), setting.seed)
    pairs = [*shifted.values(), wider, ring]
    return Lecture(
        figures={
            "verdicts": _verdicts([shifted[2.0], wider], found),
            "values": _values(shifted, found),
            "ring": _ring(ring, found[ring.name][0]),
        },
        claims=_claims(pairs, found, line),
        numbers={
            "draw": DRAW,
            "line_on_wider": line.values[-1],
            "duels": {pair.name: _numbers(pair, found[pair.name]) for pair in pairs},
        },
        words={"table": _table(pairs, found), "line": f"{line.values[-1]:.4f}"},
    )


def _shifted(shift: float) -> MixturePair:
    name = f"N(0, 1) and N({shift:g}, 1)"
    return MixturePair(name, GaussianMixture.normal(0, 1), GaussianMixture.normal(shift, 1))


def _claims(pairs: list[MixturePair], found: Found, line: TrainedDiscriminator) -> list[Claim]:
    misses = [abs(t.values[-1] - pair.best_value()) for pair in pairs for t in found[pair.name]]
    distances = [t.distance for pair in pairs for t in found[pair.name]]
    # The grid's own error is below this.
    excess = max(
        value - pair.best_value() for pair in pairs for t in found[pair.name] for value in t.values
    )
    equal, wider, ring = pairs[0], pairs[-2], pairs[-1]
    at_draw = max(abs(t.values[-1] - DRAW) for t in found[equal.name])
    dropped = [(t.values[-1] - DRAW) / 2 for t in found[ring.name]]
    return [
        Claim(
            "The best discriminator is p / (p + q): trained ones come to within 0.02 of it, on "
            "average over the points",
            max(distances) < NEAR,
            f"mean distance at most {max(distances):.4f} in {len(distances)} trainings",
            f"{GOODFELLOW}, proposition 1",
        ),
        Claim(
            "Its value is -log 4 + 2 JSD: trained ones come to within 0.02 of it",
            max(misses) < NEAR,
            f"off by at most {max(misses):.4f}",
            f"{GOODFELLOW}, theorem 1",
        ),
        Claim(
            "No discriminator gets more than that: each one gives a lower bound",
            excess < 1e-4,
            f"at no moment more than {max(excess, 0.0):.4f} above the exact one",
        ),
        Claim(
            "With equal densities the value is -log 4 = -1.386, however long it learns",
            at_draw < NEAR,
            f"off by at most {at_draw:.1g}",
        ),
        Claim(
            "A generator that drops half of the modes costs JSD = 0.2158 nats, and its value tells",
            all(abs(js - 0.215762) < NEAR / 2 for js in dropped),
            f"{min(dropped):.4f} to {max(dropped):.4f} from values",
        ),
        Claim(
            "A value of -log 4 proves nothing if the discriminator is weak: a single border finds "
            "no difference between N(0, 1) and N(0, 2²)",
            line.values[-1] < DRAW + NEAR / 2 and wider.js() > 0.09,
            f"its value {line.values[-1]:.4f}; the best one's {wider.best_value():.4f}",
        ),
    ]


def _numbers(pair: MixturePair, trained: list[TrainedDiscriminator]) -> dict[str, object]:
    return {
        "js_nats": pair.js(),
        "best_value": pair.best_value(),
        "values": [t.values[-1] for t in trained],
        "distances": [t.distance for t in trained],
    }


def _table(pairs: list[MixturePair], found: Found) -> str:
    head = ["real and generated", "JSD, nats", "-log 4 + 2 JSD", "trained, mean", "mean distance"]
    rows = []
    for pair in pairs:
        trained = found[pair.name]
        value = sum(t.values[-1] for t in trained) / len(trained)
        distance = sum(t.distance for t in trained) / len(trained)
        exact = f"{pair.best_value():.4f}"
        rows.append([pair.name, f"{pair.js():.4f}", exact, f"{value:.4f}", f"{distance:.4f}"])
    return table(head, rows)


def _verdicts(pairs: list[MixturePair], found: Found) -> "Figure":
    """Densities above, best and trained verdicts below."""
    figure, axes = canvas(2, len(pairs), height=2.1)
    for column, pair in enumerate(pairs):
        points = pair.grid()
        shown = (points[:, 0] > -6) & (points[:, 0] < 6)
        x = points[shown, 0].numpy()
        above, below = axes[:, column]
        for mixture, role, name in ((pair.real, "real", "p, real"), (pair.fake, "generator", "q")):
            label = name if role == "real" else "q, generated"
            density = mixture.log_density(points[shown]).exp().numpy()
            above.fill_between(x, density, color=INK[role], alpha=0.25, lw=0)
            above.plot(x, density, color=INK[role], lw=1.5, label=label)
        title(above, pair.name)
        above.set_ylim(0, 0.5)
        above.set_ylabel("density")
        for number, trained in enumerate(found[pair.name]):
            label = "trained" if number == 0 else None
            verdict = trained.logits.sigmoid()[shown].numpy()
            below.plot(x, verdict, color=INK["discriminator"], lw=1, alpha=0.7, label=label)
        best = pair.best_logits(points[shown]).sigmoid().numpy()
        below.plot(x, best, color="black", lw=1.3, ls=(0, (4, 3)), label="p / (p + q)")
        below.axhline(0.5, color=INK["neutral"], lw=0.8)
        below.set_ylim(-0.03, 1.03)
        below.set_ylabel("D(x)")
        below.set_xlabel("x")
    legend(axes[0, 0])
    legend(axes[1, 0])
    return figure


def _values(shifted: dict[float, MixturePair], found: Found) -> "Figure":
    """The value against the generator's error, and against the discriminator's learning."""
    figure, ((left, right),) = canvas(1, 2)
    exact = [_shifted(shift).best_value() for shift in CURVE]
    left.plot(CURVE, exact, color="black", lw=1.3, ls=(0, (4, 3)), label="-log 4 + 2 JSD")
    for shift, pair in shifted.items():
        values = [trained.values[-1] for trained in found[pair.name]]
        label = "trained" if shift == 0 else None
        colour = INK["discriminator"]
        left.plot([shift] * len(values), values, "o", ms=5, color=colour, alpha=0.7, label=label)
    title(left, "The generator wants it low")
    left.set_xlabel("shift of the generated numbers")
    for shift, colour in zip((1.0, 2.0, 3.0), SERIES, strict=False):
        pair = shifted[shift]
        right.axhline(pair.best_value(), color=colour, lw=1, ls=(0, (4, 3)))
        for number, trained in enumerate(found[pair.name]):
            label = f"shift {shift:g}" if number == 0 else None
            right.plot(trained.steps, trained.values, color=colour, lw=1.2, label=label)
    title(right, "The discriminator wants it high")
    right.set_xlabel("steps of the discriminator")
    right.set_xscale("log")
    right.xaxis.set_major_formatter("{x:g}")
    for axes in (left, right):
        axes.axhline(DRAW, color=INK["neutral"], lw=0.8)
        axes.set_ylim(-1.6, 0.1)
        axes.set_ylabel("value V")
    legend(left, "lower right")
    legend(right, "lower right")
    return figure


def _ring(pair: MixturePair, trained: TrainedDiscriminator) -> "Figure":
    """Real and generated points, the best verdict, the trained one."""
    figure, (row,) = canvas(1, 3, height=2.9)
    rng = rng_for(0, 0, "lesson picture")
    mixtures = ((pair.real, "real", "real"), (pair.fake, "generator", "generated"))
    for mixture, role, name in mixtures:
        points = mixture.sample(400, rng).numpy()
        row[0].scatter(points[:, 0], points[:, 1], s=3, color=INK[role], alpha=0.6, label=name)
    grid = pair.grid()
    side = math.isqrt(len(grid))
    (left, bottom), (right, top) = grid[0].tolist(), grid[-1].tolist()
    pictures = (("Best: p / (p + q)", pair.best_logits(grid)), ("Trained", trained.logits))
    for axes, (name, logits) in zip(row[1:], pictures, strict=True):
        axes.imshow(
            logits.sigmoid().view(side, side).T.numpy(),
            extent=(left, right, bottom, top),
            origin="lower",
            cmap="RdBu",
            vmin=0,
            vmax=1,
        )
        title(axes, name)
    title(row[0], "Samples")
    row[0].legend(fontsize=8, frameon=False, loc="center")
    for axes in row:
        axes.set_aspect("equal")
        axes.set_xlim(-2.2, 2.2)
        axes.set_ylim(-2.2, 2.2)
        axes.grid(visible=False)
    bar = figure.colorbar(row[2].images[0], ax=row[2], shrink=0.7, label="D(x)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, labelcolor=INK["neutral"], length=0)
    return figure


LESSON = Lesson(
    name="minimax",
    title="The minimax game and the best discriminator",
    question="What does a perfect discriminator say, and what does that tell the generator?",
    teach=teach,
)

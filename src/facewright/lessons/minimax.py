"""Lesson 1: the minimax game, and the discriminator that is best at it."""

import math
from typing import TYPE_CHECKING

from facewright.lessons.clouds import Cloud, Duel, ring2d
from facewright.lessons.figures import SERIES, canvas, legend, title
from facewright.lessons.judges import Border, Trained, learn, maxout
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
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


def teach(setting: Setting) -> Lecture:
    """Let discriminators learn to tell clouds apart, and compare them with the formula."""
    shifted = {
        d: Duel(f"N(0, 1) and N({d:g}, 1)", Cloud.normal(0, 1), Cloud.normal(d, 1)) for d in SHIFTS
    }
    wider = Duel("N(0, 1) and N(0, 2²)", Cloud.normal(0, 1), Cloud.normal(0, 2))
    modes = ring2d().modes
    ring = Duel("ring of 8, every second", Cloud(modes, 0.15), Cloud(modes[::2], 0.15))
    found: dict[str, list[Trained]] = {}
    for duel in (*shifted.values(), wider, ring):
        setting.say(f"learning to tell apart {duel.name}")
        steps = setting.amount(1600 if duel is ring else 400, 60)
        found[duel.name] = [learn(duel, maxout(duel, s), steps, s) for s in setting.seeds(3)]
    line = learn(wider, Border(), setting.amount(400, 60), setting.seed)
    duels = [*shifted.values(), wider, ring]
    return Lecture(
        figures={
            "verdicts": _verdicts([shifted[2.0], wider], found),
            "values": _values(shifted, found),
            "ring": _ring(ring, found[ring.name][0]),
        },
        claims=_claims(duels, found, line),
        numbers={
            "draw": DRAW,
            "line_on_wider": line.values[-1],
            "duels": {duel.name: _numbers(duel, found[duel.name]) for duel in duels},
        },
        words={"table": _table(duels, found), "line": f"{line.values[-1]:.4f}"},
    )


def _shifted(shift: float) -> Duel:
    name = f"N(0, 1) and N({shift:g}, 1)"
    return Duel(name, Cloud.normal(0, 1), Cloud.normal(shift, 1))


def _claims(duels: list[Duel], found: dict[str, list[Trained]], line: Trained) -> list[Claim]:
    misses = [abs(t.values[-1] - duel.best_value()) for duel in duels for t in found[duel.name]]
    distances = [t.distance for duel in duels for t in found[duel.name]]
    # The grid's own error is below this.
    excess = max(
        value - duel.best_value() for duel in duels for t in found[duel.name] for value in t.values
    )
    equal, wider, ring = duels[0], duels[-2], duels[-1]
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
            "With equal clouds the value is -log 4 = -1.386, however long it learns",
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


def _numbers(duel: Duel, trained: list[Trained]) -> dict[str, object]:
    return {
        "js_nats": duel.js(),
        "best_value": duel.best_value(),
        "values": [t.values[-1] for t in trained],
        "distances": [t.distance for t in trained],
    }


def _table(duels: list[Duel], found: dict[str, list[Trained]]) -> str:
    head = ["real and generated", "JSD, nats", "-log 4 + 2 JSD", "trained, mean", "mean distance"]
    rows = []
    for duel in duels:
        trained = found[duel.name]
        value = sum(t.values[-1] for t in trained) / len(trained)
        distance = sum(t.distance for t in trained) / len(trained)
        exact = f"{duel.best_value():.4f}"
        rows.append([duel.name, f"{duel.js():.4f}", exact, f"{value:.4f}", f"{distance:.4f}"])
    return table(head, rows)


def _verdicts(duels: list[Duel], found: dict[str, list[Trained]]) -> "Figure":
    """Densities above, best and trained verdicts below."""
    figure, axes = canvas(2, len(duels), height=2.1)
    for column, duel in enumerate(duels):
        points = duel.grid()
        shown = (points[:, 0] > -6) & (points[:, 0] < 6)
        x = points[shown, 0].numpy()
        above, below = axes[:, column]
        for cloud, role, name in ((duel.real, "real", "p, real"), (duel.fake, "generator", "q")):
            label = name if role == "real" else "q, generated"
            density = cloud.log_density(points[shown]).exp().numpy()
            above.fill_between(x, density, color=INK[role], alpha=0.25, lw=0)
            above.plot(x, density, color=INK[role], lw=1.5, label=label)
        title(above, duel.name)
        above.set_ylim(0, 0.5)
        above.set_ylabel("density")
        for number, trained in enumerate(found[duel.name]):
            label = "trained" if number == 0 else None
            verdict = trained.logits.sigmoid()[shown].numpy()
            below.plot(x, verdict, color=INK["discriminator"], lw=1, alpha=0.7, label=label)
        best = duel.best_logits(points[shown]).sigmoid().numpy()
        below.plot(x, best, color="black", lw=1.3, ls=(0, (4, 3)), label="p / (p + q)")
        below.axhline(0.5, color=INK["neutral"], lw=0.8)
        below.set_ylim(-0.03, 1.03)
        below.set_ylabel("D(x)")
        below.set_xlabel("x")
    legend(axes[0, 0])
    legend(axes[1, 0])
    return figure


def _values(shifted: dict[float, Duel], found: dict[str, list[Trained]]) -> "Figure":
    """The value against the generator's error, and against the discriminator's learning."""
    figure, ((left, right),) = canvas(1, 2)
    exact = [_shifted(shift).best_value() for shift in CURVE]
    left.plot(CURVE, exact, color="black", lw=1.3, ls=(0, (4, 3)), label="-log 4 + 2 JSD")
    for shift, duel in shifted.items():
        values = [trained.values[-1] for trained in found[duel.name]]
        label = "trained" if shift == 0 else None
        colour = INK["discriminator"]
        left.plot([shift] * len(values), values, "o", ms=5, color=colour, alpha=0.7, label=label)
    title(left, "The generator wants it low")
    left.set_xlabel("shift of the generated numbers")
    for shift, colour in zip((1.0, 2.0, 3.0), SERIES, strict=False):
        duel = shifted[shift]
        right.axhline(duel.best_value(), color=colour, lw=1, ls=(0, (4, 3)))
        for number, trained in enumerate(found[duel.name]):
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


def _ring(duel: Duel, trained: Trained) -> "Figure":
    """Real and generated points, the best verdict, the trained one."""
    figure, (row,) = canvas(1, 3, height=2.9)
    rng = rng_for(0, 0, "lesson picture")
    clouds = ((duel.real, "real", "real"), (duel.fake, "generator", "generated"))
    for cloud, role, name in clouds:
        points = cloud.sample(400, rng).numpy()
        row[0].scatter(points[:, 0], points[:, 1], s=3, color=INK[role], alpha=0.6, label=name)
    grid = duel.grid()
    side = math.isqrt(len(grid))
    (left, bottom), (right, top) = grid[0].tolist(), grid[-1].tolist()
    pictures = (("Best: p / (p + q)", duel.best_logits(grid)), ("Trained", trained.logits))
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

"""Lesson 2: Nash equilibria, and whether training comes to rest at one."""

import math
from typing import TYPE_CHECKING

from facewright.equilibria.games import stable_but_not_nash
from facewright.lessons.figures import SERIES, canvas, legend, title
from facewright.lessons.lesson import Claim, Lecture, Lesson, Setting
from facewright.lessons.orbits import (
    Orbit,
    dirac_orbits,
    five_rules,
    found_gains,
    place,
    portrait,
    three_fates,
)
from facewright.lessons.tutorial import table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MESCHEDER = "Mescheder et al. 2018, arXiv:1801.04406"
NUMERICS = "Mescheder et al. 2017, arXiv:1705.10461"
REST = 1e-3
"""This share of the first distance left, and a game has come to rest."""
SEARCHED = (0, 10, 20, 40)
"""Moves after which the search looks for better answers."""


def teach(setting: Setting) -> Lecture:
    """Follow small games whose equilibria are known."""
    fates = three_fates(setting.amount(60, 45))
    rules = five_rules(setting.amount(400, 100))
    dirac = dirac_orbits(setting.amount(500, 60))
    setting.say("searching for better answers along three games")
    gaps = {orbit.name: _searched_gaps(orbit) for orbit in fates}
    resting = Orbit("stable, not Nash", stable_but_not_nash(), "simultaneous", (1.0, 0.5), 0.1, 600)
    return Lecture(
        figures={
            "fates": _fates(fates),
            "gaps": _gaps(fates, gaps),
            "rules": _rules(rules),
            "dirac": _dirac(dirac),
        },
        claims=[
            *_claims_on_fates(fates, gaps),
            _claim_on_rules(rules),
            *_claims_on_dirac(dirac),
            _claim_on_saddle(resting),
        ],
        numbers={
            "fates": {orbit.name: _numbers(orbit) for orbit in fates},
            "gaps": gaps,
            "rules": {orbit.name: _numbers(orbit) for orbit in rules},
            "dirac": {orbit.name: _numbers(orbit) for orbit in dirac},
            "resting": _numbers(resting),
        },
        words={
            "fates": _fates_table(fates, gaps),
            "dirac": _dirac_table(dirac),
            "verdict": "\n".join(f"> {sentence}" for sentence in resting.reading.verdict),
        },
    )


def _searched_gaps(orbit: Orbit) -> dict[int, float]:
    """Both players' gains, as the search finds them, after some moves."""
    return {
        move: sum(found_gains(orbit.game, place(*orbit.places[move].tolist()))) for move in SEARCHED
    }


def _left(orbit: Orbit) -> float:
    """Share of the first distance that is left, at most, in the last tenth of the moves."""
    last = orbit.distances[-max(1, orbit.steps // 10) :]
    return float(last.max() / orbit.distances[0])


def _numbers(orbit: Orbit) -> dict[str, object]:
    measured = orbit.measured
    return {
        "eigenvalue": [measured.real, measured.imag],
        "predicted": None
        if orbit.predicted is None
        else [orbit.predicted.real, orbit.predicted.imag],
        "stability": orbit.reading.stability,
        "admissible_step": orbit.reading.admissible_step,
        "left": _left(orbit),
    }


def _claims_on_fates(fates: list[Orbit], gaps: dict[str, dict[int, float]]) -> list[Claim]:
    converges, circles, flies = fates
    growth = float(flies.distances[40] / flies.distances[0]) ** (1 / 40)
    factor = math.sqrt(1 + flies.step**2)
    near, far = (float(end) for end in circles.distances.aminmax())
    misses = [
        abs(found - orbit.gaps()[move]) / max(1.0, orbit.gaps()[move])
        for orbit in fates
        for move, found in gaps[orbit.name].items()
    ]
    return [
        Claim(
            "With a price on each player's own moves, the game comes to rest at its equilibrium",
            _left(converges) < REST,
            f"{_left(converges):.1e} of the first distance is left",
        ),
        Claim(
            "Taking turns on xy, the players circle and neither arrive nor leave",
            near / float(circles.distances[0]) > 0.7 and far / float(circles.distances[0]) < 1.3,
            f"distances between {near:.2f} and {far:.2f}, first {float(circles.distances[0]):.2f}",
            NUMERICS,
        ),
        Claim(
            "Moving at once, they fly apart by the factor √(1 + step²) with each move",
            abs(growth - factor) < 1e-6,
            f"{growth:.6f}, predicted {factor:.6f}",
            NUMERICS,
        ),
        Claim(
            "The search behind `facewright equilibrium` finds the duality gap of the formula "
            "to 1 %",
            max(misses) < 0.01,
            f"off by at most {max(misses):.2%} at {len(misses)} places",
        ),
    ]


def _claim_on_rules(rules: list[Orbit]) -> Claim:
    bent = [orbit for orbit in rules if orbit.name not in ("simultaneous", "alternating")]
    return Claim(
        "Looking ahead, remembering or calming down turns the circle into a spiral inwards",
        all(_left(orbit) < REST for orbit in bent),
        _lefts(bent),
        "Daskalakis et al. 2018, arXiv:1711.00141; Gidel et al. 2018, arXiv:1802.10551",
    )


def _claims_on_dirac(dirac: list[Orbit]) -> list[Claim]:
    known = [(orbit, orbit.predicted) for orbit in dirac if orbit.predicted is not None]
    misses = [abs(orbit.measured - predicted) for orbit, predicted in known]
    calm = [orbit for orbit, predicted in known if predicted.real > 0]
    restless = [orbit for orbit in dirac if orbit not in calm]
    return [
        Claim(
            "The eigenvalues of the Dirac-GAN are those of the paper, to 1e-4",
            max(misses) < 1e-4,
            f"off by at most {max(misses):.0e} in {len(misses)} variants",
            MESCHEDER,
        ),
        Claim(
            "R1, R1 with R2, instance noise and consensus bring it to rest",
            all(_left(orbit) < REST for orbit in calm),
            _lefts(calm),
            MESCHEDER,
        ),
        Claim(
            "The bare games, a clipped WGAN and a gradient penalty never rest at the equilibrium",
            all(_left(orbit) > 0.1 for orbit in restless),
            _lefts(restless),
            MESCHEDER,
        ),
    ]


def _lefts(orbits: list[Orbit]) -> str:
    return "left of the first distance: " + ", ".join(
        f"{_left(orbit):.2g} ({orbit.name})" for orbit in orbits
    )


def _claim_on_saddle(resting: Orbit) -> Claim:
    at_rest, _ = found_gains(resting.game, place(0.0, 0.0))
    beside, _ = found_gains(resting.game, place(0.1, 0.0))
    return Claim(
        "Training may rest where there is no Nash equilibrium: one player could gain alone, and "
        "a search from the very spot does not see it",
        _left(resting) < REST and resting.reading.local_nash == "no" and at_rest < 1e-9 < beside,
        f"{_left(resting):.0e} of the distance left; gain found from the spot {at_rest:.2g}, from "
        f"beside it {beside:.3g}, without a limit",
        "Berard et al. 2020, arXiv:1906.04848; Sidheekh et al. 2020, arXiv:2012.06723",
    )


def _fates_table(fates: list[Orbit], gaps: dict[str, dict[int, float]]) -> str:
    head = ["game", "eigenvalues", *(f"gap after {move}: formula / search" for move in SEARCHED)]
    rows = []
    for orbit in fates:
        exact = orbit.gaps()
        found = [f"{exact[move]:.4f} / {gaps[orbit.name][move]:.4f}" for move in SEARCHED]
        rows.append([orbit.name, _in_words(orbit.measured), *found])
    return table(head, rows)


def _dirac_table(dirac: list[Orbit]) -> str:
    head = ["Dirac-GAN", "paper", "measured", "verdict", "largest step", "distance left"]
    rows = []
    for orbit in dirac:
        reading = orbit.reading
        known = orbit.predicted is not None
        step = reading.admissible_step
        rows.append(
            [
                orbit.name,
                _in_words(orbit.predicted) if orbit.predicted is not None else "no equilibrium",
                _in_words(orbit.measured) if known else "-",
                reading.stability if known else "-",
                f"{step:.3g}" if known and step else "none",
                f"{_left(orbit):.2g}",
            ]
        )
    return table(head, rows)


def _in_words(value: complex) -> str:
    """An eigenvalue and its mirror image, as people write them."""
    turning = "i" if abs(value.imag) == 1 else f"{abs(value.imag):.4g}i"
    if abs(value.real) < 1e-9:
        return f"±{turning}"
    return f"{value.real:.4g} ± {turning}" if abs(value.imag) > 1e-9 else f"{value.real:.4g}"


def _fates(fates: list[Orbit]) -> "Figure":
    figure, (row,) = canvas(1, len(fates), height=2.8)
    for axes, orbit, name in zip(row, fates, ("converges", "circles", "flies apart"), strict=True):
        portrait(axes, orbit, reach=3.4)
        title(axes, f"{orbit.name}: {name}")
        axes.set_xlabel("x, wants it low")
    row[0].set_ylabel("y, wants it high")
    return figure


def _dirac(dirac: list[Orbit]) -> "Figure":
    figure, axes = canvas(2, 4, height=2.2)
    for spot, orbit in zip(axes.flat, dirac, strict=True):
        portrait(spot, orbit, reach=2.2)
        spot.set_title(orbit.name, fontsize=8.5, loc="left", fontweight="bold")
    for spot in axes[1]:
        spot.set_xlabel("θ, generated point")
    for spot in axes[:, 0]:
        spot.set_ylabel("ψ, slope of D")
    return figure


def _gaps(fates: list[Orbit], gaps: dict[str, dict[int, float]]) -> "Figure":
    figure, ((axes,),) = canvas(height=2.7)
    for colour, orbit in zip(SERIES, fates, strict=False):
        axes.plot(orbit.gaps(), color=colour, lw=1.4, label=orbit.name)
        found = gaps[orbit.name]
        axes.plot(list(found), list(found.values()), "o", color=colour, ms=6, mfc="white")
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 300)
    axes.set_xlabel("moves")
    axes.set_ylabel("duality gap")
    title(axes, "How much could both gain alone?")
    legend(axes, "lower left")
    return figure


def _rules(rules: list[Orbit]) -> "Figure":
    figure, ((axes,),) = canvas(height=2.7)
    for colour, orbit in zip(SERIES, rules, strict=False):
        axes.plot(orbit.distances.numpy(), color=colour, lw=1.4, label=orbit.name)
    axes.set_yscale("log")
    axes.set_xlabel("moves")
    axes.set_ylabel("distance")
    title(axes, "The game xy, learning rate 0.2")
    legend(axes, "lower left")
    return figure


LESSON = Lesson(
    name="nash",
    title="Nash equilibria: arriving, circling, flying apart",
    question="When do two players who learn from each other come to rest, and is it a good place?",
    teach=teach,
)

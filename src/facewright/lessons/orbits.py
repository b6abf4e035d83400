"""The games of the Nash lesson: the trajectory of each, its prediction, and its phase portrait."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from facewright.equilibria.dynamics import RuleName, trajectory
from facewright.equilibria.games import Pair, TwoPlayerGame, bilinear, quadratic, with_consensus
from facewright.equilibria.local import LocalReading, read_place
from facewright.equilibria.response import Effort, best_response
from facewright.equilibria.small_gans import dirac_gan
from facewright.objective.adversarial import GAMES
from facewright.reporting.curves import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFORT = Effort(steps=200, every=5, lr=0.1)
"""Of the search for a best response."""

STREAMS = "#c4c9d1"
"""Colour of the arrows in a phase portrait."""


@dataclass(frozen=True)
class Orbit:
    """Two players with one number each, their game, and where it takes them.

    Args:
        name: in figures and tables.
        game: that they play.
        rule: by which they move.
        start: (x, y).
        step: learning rate.
        steps: moves.
        predicted: eigenvalue of the Jacobian at (0, 0) with Im >= 0, from the paper; `None`
            where there is no equilibrium to linearise at.
    """

    name: str
    game: TwoPlayerGame
    rule: RuleName
    start: tuple[float, float]
    step: float
    steps: int
    predicted: complex | None = None

    @cached_property
    def places(self) -> Tensor:
        """(steps + 1, 2): x and y after each move, the start first."""
        return trajectory(
            self.game, place(*self.start), rule=self.rule, step=self.step, steps=self.steps
        )

    @cached_property
    def distances(self) -> Tensor:
        """(steps + 1,) from (0, 0)."""
        return self.places.norm(dim=1)

    @cached_property
    def reading(self) -> LocalReading:
        """What the neighbourhood of (0, 0) looks like."""
        return read_place(self.game, place(0.0, 0.0))

    @property
    def measured(self) -> complex:
        """The Jacobian's eigenvalue at (0, 0) with the largest imaginary part."""
        return max(self.reading.eigenvalues, key=lambda value: value.imag)

    def gaps(self) -> list[float]:
        """Duality gap at each place, by the game's formula."""
        assert self.game.regrets is not None
        return [float(sum(self.game.regrets(*point.split(1)))) for point in self.places]


def place(x: float, y: float) -> Pair:
    """Two vectors of one number each."""
    return torch.tensor([x], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)


def found_gains(game: TwoPlayerGame, at: Pair) -> tuple[float, float]:
    """What each player finds to gain alone, by the search that `facewright equilibrium` uses."""

    def gain(player: int) -> float:
        def payoff(moved: nn.Module, _step: int = 0) -> Tensor:
            mine = next(moved.parameters())
            return -game.losses(*((mine, at[1]) if player == 0 else (at[0], mine)))[player]

        def score(moved: nn.Module) -> Tensor:
            return payoff(moved)[None]

        def stay_allowed(moved: nn.Module) -> None:
            limit = game.limits[player]
            with torch.no_grad():
                next(moved.parameters()).clamp_(-limit, limit)

        here = nn.ParameterList([at[player]])
        found = best_response(
            here, payoff, score=score, report=score, effort=EFFORT, after_step=stay_allowed
        )
        return found.reported.value - float(score(here).detach())

    return gain(0), gain(1)


def three_fates(steps: int) -> list[Orbit]:
    """One that converges, one that circles, one that flies apart."""
    one = torch.eye(1, dtype=torch.float64)
    circle = bilinear(one, limit=8.0)
    start = (1.0, 0.5)
    return [
        Orbit(
            "3x² + 4xy - y²",
            quadratic(6 * one, 4 * one, 2 * one),
            "simultaneous",
            start,
            0.05,
            steps,
            complex(4, math.sqrt(12)),
        ),
        Orbit("xy, taking turns", circle, "alternating", start, 0.2, steps, 1j),
        Orbit("xy, both at once", circle, "simultaneous", start, 0.2, steps, 1j),
    ]


def five_rules(steps: int) -> list[Orbit]:
    """The same circle under every rule of moving."""
    game = bilinear(torch.eye(1, dtype=torch.float64))
    rules: Sequence[RuleName] = ("simultaneous", "alternating", "optimistic", "extragradient")
    orbits = [Orbit(rule, game, rule, (1.0, 0.0), 0.2, steps) for rule in rules]
    calm = with_consensus(game, 0.5)
    return [*orbits, Orbit("consensus 0.5", calm, "simultaneous", (1.0, 0.0), 0.2, steps)]


def dirac_orbits(steps: int) -> list[Orbit]:
    """The Dirac-GAN with every regulariser, taking turns but for the first."""
    bare, relativistic = GAMES["minimax"], GAMES["relativistic"]
    wasserstein = GAMES["wasserstein"]

    def pair(middle: float, square: float) -> complex:
        return middle + cmath.sqrt(square)

    rows: list[tuple[str, TwoPlayerGame, RuleName, complex | None]] = [
        ("bare, both at once", dirac_gan(bare), "simultaneous", 0.5j),
        ("bare, taking turns", dirac_gan(bare), "alternating", 0.5j),
        ("R1, gamma 0.3", dirac_gan(bare, r1=0.3), "alternating", pair(0.15, 0.0225 - 0.25)),
        (
            "relativistic, R1 + R2",
            dirac_gan(relativistic, r1=0.3, r2=0.3),
            "alternating",
            pair(0.3, 0.09 - 0.25),
        ),
        (
            "noise, sigma 0.7",
            dirac_gan(bare, noise=0.7),
            "alternating",
            pair(0.7**2 / 4, 0.7**4 / 16 - 0.25),
        ),
        ("consensus 1", with_consensus(dirac_gan(bare), 1.0), "alternating", 0.25 + 0.5j),
        ("WGAN, clipped at 0.5", dirac_gan(wasserstein, clip=0.5), "alternating", 1j),
        (
            "WGAN, gradient penalty",
            dirac_gan(wasserstein, gradient_penalty=0.25),
            "alternating",
            None,
        ),
    ]
    return [
        Orbit(name, game, rule, (1.0, 0.0), 0.2, steps, predicted)
        for name, game, rule, predicted in rows
    ]


def portrait(axes: "Axes", orbit: Orbit, *, reach: float) -> None:
    """Where the gradients push, and the way from the start (dot) on; the cross is (0, 0).

    Args:
        axes: to draw in.
        orbit: to follow.
        reach: the picture shows -reach to reach on both axes.
    """
    ticks = np.linspace(-reach, reach, 15)
    x, y = np.meshgrid(ticks, ticks)
    push = np.array([_push(orbit.game, a, b) for a, b in zip(x.flat, y.flat, strict=True)])
    u, v = push[:, 0].reshape(x.shape), push[:, 1].reshape(x.shape)
    axes.streamplot(x, y, u, v, color=STREAMS, linewidth=0.6, arrowsize=0.6, density=0.7)
    places = orbit.places.numpy()
    axes.plot(places[:, 0], places[:, 1], color=INK["discriminator"], lw=1.1)
    axes.plot(*places[0], "o", color=INK["generator"], ms=5)
    axes.plot(0, 0, "+", color="black", ms=9, mew=1.2)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.grid(visible=False)


def _push(game: TwoPlayerGame, x: float, y: float) -> tuple[float, float]:
    by_x, by_y = game.gradients(*place(x, y))
    return -float(by_x), -float(by_y)

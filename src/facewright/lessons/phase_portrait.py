"""The plane of two players: where their gradients push, and where they go."""

from typing import TYPE_CHECKING

import numpy as np

from facewright.equilibria.games import TwoPlayerGame
from facewright.lessons.orbits import Orbit, place
from facewright.reporting.curves import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STREAMS = "#c4c9d1"


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

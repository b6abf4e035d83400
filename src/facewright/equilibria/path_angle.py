"""Does training settle into its last checkpoint, or turn around it?"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from facewright import images
from facewright.config import LossConfig
from facewright.equilibria.games import Pair, TwoPlayerGame
from facewright.equilibria.networks import as_game, flat
from facewright.objective.adversarial import Game
from facewright.objective.penalties import UNPENALISED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHAS = tuple(round(0.6 + 0.05 * k, 2) for k in range(13))
"""Places on the line: 0 is the earlier checkpoint, 1 the later one."""
CLEAR = 0.1
"""In spaces of few directions, a cosine or a bump below this is not worth a word."""


LINE, QUIET, GRID = "#2458c5", "#5a6472", "#e4e6ea"
ANGLE_HINT = (
    "cosine between F and the line; below 0 carried forward, above 0 back; gray: could be chance\n"
    "rising through 0 at 1: the later checkpoint attracts; a bump at 1: the players turn around it"
)


@dataclass(frozen=True)
class PathAngle:
    """What the players' gradients look like on the straight line through two checkpoints.

    Args:
        alphas: places on the line; 0 is the earlier checkpoint, 1 the later.
        cosines: of the angle between F and the direction of the line. Descent goes against F:
            below 0 the players are carried forward along the line, above 0 back.
        norms: length of F.
        weights: of both players together, the number of directions there are.
    """

    alphas: tuple[float, ...]
    cosines: tuple[float, ...]
    norms: tuple[float, ...]
    weights: int

    @property
    def chance(self) -> float:
        """Below this, a cosine is that of a line which has nothing to do with F.

        Among a million directions almost all pairs are nearly at right angles: 95 % of cosines
        of random ones lie within 2 / sqrt(1 000 000) = 0.002.
        """
        return min(CLEAR, 2 / math.sqrt(self.weights))

    @property
    def attraction(self) -> float:
        """Half the rise of the cosine across the later checkpoint, from 1 - d to 1 + d.

        1: on both sides the players are carried straight to it; 0: neither to it nor away;
        below 0: away from it. The distance d is the end of the line beyond the checkpoint.
        """
        (before, _, after) = self._around()
        return (after - before) / 2

    @property
    def bump(self) -> float:
        """How far the cosine at the later checkpoint stands out from the middle of its sides.

        0: no rotation seen; 1: the players run across the line there, as around a centre.
        """
        (before, at, after) = self._around()
        return abs(at - (before + after) / 2)

    @property
    def verdict(self) -> list[str]:
        """The reading in plain sentences."""
        if self.attraction > self.chance:
            pull = "On both sides of the later checkpoint the players are carried towards it"
        elif self.attraction < -self.chance:
            pull = "On both sides of the later checkpoint the players are carried away from it"
        else:
            pull = "Along this line nothing carries the players to the later checkpoint, or away"
        pull += f" (attraction {self.attraction:.2g}; by chance below {self.chance:.2g})."
        if self.bump > self.chance:
            return [pull, f"There they run across the line (bump {self.bump:.2g}): they turn."]
        return [pull, f"No clear rotation on this line (bump {self.bump:.2g})."]

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        return asdict(self) | {
            "attraction": self.attraction,
            "bump": self.bump,
            "chance": self.chance,
            "verdict": self.verdict,
        }

    def _around(self) -> tuple[float, float, float]:
        reach = self.alphas[-1] - 1
        before, at, after = np.interp([1 - reach, 1, 1 + reach], self.alphas, self.cosines)
        return float(before), float(at), float(after)


def path_angle(
    game: TwoPlayerGame, before: Pair, after: Pair, *, alphas: Sequence[float] = ALPHAS
) -> PathAngle:
    """Which way do gradients point on the line from one place, through another, and beyond?

    Args:
        game: of two vectors.
        before: the earlier place of both players.
        after: the later one.
        alphas: where to look, in rising order, from below 1 to above 1.

    Returns:
        Cosines that rise through 0 at 1: the later place attracts. A bump at 1: the players
        turn around it. In networks both are small, as all cosines are among a million
        directions; compare them with `chance`.

    Source: Berard et al. 2020, arXiv:1906.04848, section 4. They look at 100 places.

    Blind spot: one line among very many directions. The longer the way, the clearer: take the
    earliest checkpoint there is.
    """
    direction = torch.cat(after) - torch.cat(before)
    length = direction.norm()
    cosines, norms = [], []
    for alpha in alphas:
        x, y = (torch.lerp(b, a, alpha) for b, a in zip(before, after, strict=True))
        field = torch.cat(game.gradients(x, y))
        norms.append(float(field.norm()))
        cosines.append(float(direction @ field / (length * field.norm()).clamp_min(1e-30)))
    return PathAngle(tuple(alphas), tuple(cosines), tuple(norms), len(direction))


def network_path_angle(
    before: tuple[nn.Module, nn.Module],
    after: tuple[nn.Module, nn.Module],
    *,
    game: Game,
    real: Tensor,
    z: Tensor,
    conditions: Tensor | None = None,
    weights: LossConfig = UNPENALISED,
    alphas: Sequence[float] = ALPHAS,
) -> PathAngle:
    """The same for two checkpoints of a run.

    Args:
        before: generator and discriminator of the earlier checkpoint.
        after: those of the later one, of the same architecture.
        game: both losses.
        real: (B, C, H, W) photos in [-1, 1]. Batch norm uses their statistics.
        z: (B, Z) latents, as many as photos.
        conditions: (B, C) of the photos, for both players; nothing if not given.
        weights: of the penalties on the discriminator.
        alphas: where to look.
    """
    played = as_game(
        *after,
        game=game,
        real=real,
        z=z,
        conditions=conditions,
        weights=weights,
    )
    start, end = ((flat(g), flat(d)) for g, d in (before, after))
    return path_angle(played, start, end, alphas=alphas)


def figure(reading: PathAngle) -> "Figure":
    """Cosine and length of F along the line, the later checkpoint marked."""
    from matplotlib.figure import Figure

    result = Figure(figsize=(6.9, 5.2), facecolor="white")
    angle, length = result.subplots(2, sharex=True)
    result.subplots_adjust(left=0.12, right=0.97, top=0.87, bottom=0.1, hspace=0.5)
    panels = (
        (angle, reading.cosines, "Which way gradients point", ANGLE_HINT),
        (length, reading.norms, "How long they are", "length of F, both players together"),
    )
    for axes, values, title, hint in panels:
        axes.axvline(1, color=QUIET, lw=1, ls=(0, (4, 3)))
        axes.plot(reading.alphas, values, color=LINE, lw=1.5, marker="o", ms=3.5)
        axes.set_title(title, fontsize=11, loc="left", fontweight="bold", pad=26)
        axes.text(0, 1.03, hint, fontsize=7.5, color=QUIET, transform=axes.transAxes)
        axes.grid(axis="y", color=GRID, lw=0.8)
        axes.tick_params(labelsize=8, labelcolor=QUIET, length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(GRID)
    angle.axhline(0, color=QUIET, lw=0.8)
    angle.axhspan(-reading.chance, reading.chance, color=GRID, lw=0)
    reach = 1.2 * max(reading.chance, *map(abs, reading.cosines))
    angle.set_ylim(-reach, reach)
    length.set_ylim(bottom=0)
    length.set_xlabel("place on the line: 0 earlier, 1 later checkpoint", fontsize=8.5, color=QUIET)
    return result


def save_figure(reading: PathAngle, path: Path) -> None:
    """The same as a PNG."""
    images.save_figure(figure(reading), path)

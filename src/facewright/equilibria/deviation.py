"""A unilateral deviation: one player changes its weights, for the value or as in training."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from facewright.config import OptimiserConfig
from facewright.equilibria.budget import Budget
from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.response import (
    Effort,
    Mean,
    Payoff,
    Response,
    Score,
    best_response,
    perturbed,
)
from facewright.objective.penalties import clip_weights
from facewright.rng import rng_for

Aim = Literal["value", "training"]
"""The value of the zero-sum game, or the losses that the players are trained with."""


@dataclass(frozen=True)
class Deviation:
    """One player that may change while the other stays.

    Args:
        who: "discriminator" or "generator".
        aim: what for.
        player: as it is.
        payoff: to climb.
        score: on the half that chooses.
        report: on the half that the answer rests on.
        effort: of a search.
        after_step: keeps the weights in bounds.
    """

    who: str
    aim: Aim
    player: nn.Module
    payoff: Payoff
    score: Score
    report: Score
    effort: Effort
    after_step: Callable[[nn.Module], None] | None = None

    def search(self, *, restarts: int, seed: int) -> list[Response]:
        """Best responses from the present weights and from perturbed ones."""
        starts = {"warm": self.player}
        for number in range(1, restarts + 1):
            noise = rng_for(seed, number, f"equilibrium restart {self.who}")
            starts[f"perturbed {number}"] = perturbed(self.player, noise)
        return [
            best_response(
                player,
                self.payoff,
                score=self.score,
                report=self.report,
                effort=self.effort,
                start=start,
                after_step=self.after_step,
            )
            for start, player in starts.items()
        ]

    def gain(self, better: nn.Module) -> Mean:
        """What another player gets on the reporting half beyond what this one gets."""
        return Mean.of(self.report(better) - self.report(self.player))


def discriminators(
    frozen: FrozenGame, aim: Aim, *, optimiser: OptimiserConfig, budget: Budget
) -> Deviation:
    """The discriminator may change.

    In training its penalties and its clipping always count. For the value they count only in the
    search, and only in an unbounded game, whose value has no upper end without them; the value
    that the result reaches is reported without the penalty.
    """
    training = aim == "training"
    bound = training or frozen.game.is_unbounded
    clip = frozen.loss.clip if bound else 0.0
    return Deviation(
        who="discriminator",
        aim=aim,
        player=frozen.discriminator,
        payoff=partial(frozen.d_payoff, bound=bound),
        score=frozen.d_score(frozen.choosing, bound=bound),
        report=frozen.d_score(frozen.reporting, bound=training),
        effort=_effort(budget.warm_steps, optimiser.lr_d, optimiser, budget),
        after_step=partial(clip_weights, bound=clip) if clip > 0 else None,
    )


def generators(
    frozen: FrozenGame, aim: Aim, *, optimiser: OptimiserConfig, budget: Budget
) -> Deviation:
    """The generator may change. For the value, it climbs minus that value itself.

    The non-saturating loss would be easier to descend, but its best generator is another
    one, and can be worse for the value than the one that the search began with.
    """
    training = aim == "training"
    return Deviation(
        who="generator",
        aim=aim,
        player=frozen.generator,
        payoff=partial(frozen.g_payoff, training=training),
        score=frozen.g_score(frozen.choosing, training=training),
        report=frozen.g_score(frozen.reporting, training=training),
        effort=_effort(budget.generator_steps, optimiser.lr_g, optimiser, budget),
    )


def _effort(steps: int, lr: float, optimiser: OptimiserConfig, budget: Budget) -> Effort:
    return Effort(steps, budget.every, lr, (optimiser.beta1, optimiser.beta2))

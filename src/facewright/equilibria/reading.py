"""What an equilibrium probe found."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from facewright.equilibria.budget import Budget
from facewright.equilibria.fresh_discriminator import FreshReading
from facewright.equilibria.response import Mean, Response
from facewright.json_form import plain


@dataclass(frozen=True)
class Search:
    """What one search cost and how it went.

    Args:
        player: that deviated: "discriminator", "generator" or "judge" (the fresh one).
        aim: "value" of the game, the losses of "training", or "odds" of being real.
        start: "warm", "perturbed 1" or "fresh".
        steps: made.
        images: photos looked at while searching.
        seconds: taken.
        best_step: whose weights were kept; 0 means that no step helped.
        still_rising: a longer search would find more.
    """

    player: str
    aim: str
    start: str
    steps: int
    images: int
    seconds: float
    best_step: int
    still_rising: bool

    @classmethod
    def of(cls, found: Response, *, player: str, aim: str, batch: int) -> "Search":
        """The record of a search."""
        images = found.steps * batch
        return cls(
            player,
            aim,
            found.start,
            found.steps,
            images,
            found.seconds,
            found.best_step,
            found.still_rising,
        )


@dataclass(frozen=True)
class EquilibriumReading:
    """How far are the two players from an equilibrium?

    Numbers of the game are in its own currency: minus the mean loss of the discriminator.
    None is made positive or clipped: a negative regret says that a search failed, or what
    chance does on so few images. `None`: cannot be told; `notes` say why.

    Args:
        game: as in recipes; "" where there is no discriminator.
        draw: value of the game when nothing can be told apart and the discriminator knows it.
        value: V, of the two players as they are.
        regret_d: M1 - V, what the discriminator could still gain.
        regret_g: V - M2, what the generator could still gain.
        nash_conv: what both players could still gain in the losses that they are trained
            with, penalties included; another number, as these losses do not sum to zero.
        fresh: what a fresh discriminator found; does not depend on the training loss.
        searches: what they cost.
        budget: that they were given.
        n_search: photos to search on.
        n_test: held-out photos that the numbers rest on.
        seconds: in all.
        notes: what one must know to read the numbers.
    """

    game: str
    draw: float | None
    value: Mean | None
    regret_d: Mean | None
    regret_g: Mean | None
    nash_conv: float | None
    fresh: FreshReading
    searches: tuple[Search, ...]
    budget: Budget
    n_search: int
    n_test: int
    seconds: float
    notes: tuple[str, ...]

    @property
    def m1(self) -> float | None:
        """What the best discriminator found would make of this generator."""
        return self.value.value + self.regret_d.value if self.value and self.regret_d else None

    @property
    def m2(self) -> float | None:
        """What the best generator found would leave this discriminator with."""
        return self.value.value - self.regret_g.value if self.value and self.regret_g else None

    @property
    def duality_gap(self) -> float | None:
        """M1 - M2, the sum of both regrets; 0 at a Nash equilibrium."""
        gains = (self.regret_d, self.regret_g)
        return sum(gain.value for gain in gains if gain) if all(gains) else None

    @property
    def still_rising(self) -> tuple[str, ...]:
        """Searches that would have found more in a longer time."""
        return tuple(f"{s.player} ({s.start}, {s.aim})" for s in self.searches if s.still_rising)

    def as_json(self) -> dict[str, Any]:
        """The fields that scripts may rely on; what cannot be told is null."""
        fresh = self.fresh
        return plain(
            {
                "game": self.game or None,
                "value": self.value.value if self.value else None,
                "value_error": self.value.error if self.value else None,
                "value_at_draw": self.draw,
                "m1": self.m1,
                "m2": self.m2,
                "duality_gap": self.duality_gap,
                "regret_d": self.regret_d.value if self.regret_d else None,
                "regret_d_error": self.regret_d.error if self.regret_d else None,
                "regret_g": self.regret_g.value if self.regret_g else None,
                "regret_g_error": self.regret_g.error if self.regret_g else None,
                "nash_conv": self.nash_conv,
                **fresh_json(fresh),
                "still_rising": list(self.still_rising),
                "searches": [dataclasses.asdict(search) for search in self.searches],
                "budget": dataclasses.asdict(self.budget),
                "n_search": self.n_search,
                "n_test": self.n_test,
                "seconds": self.seconds,
                "notes": list(self.notes),
            }
        )


GAME_FIELDS = (
    *("game", "value", "value_error", "value_at_draw", "m1", "m2", "duality_gap"),
    *("regret_d", "regret_d_error", "regret_g", "regret_g_error", "nash_conv"),
)
"""Fields of `as_json` that need a discriminator."""


def fresh_json(fresh: FreshReading) -> dict[str, Any]:
    """The fields of a fresh discriminator."""
    return {
        "js_bits": fresh.js_bits,
        "js_bits_error": fresh.js_error,
        "js_bits_null_band": list(fresh.null_band),
        "js_still_rising": fresh.search.still_rising,
        "accuracy": fresh.accuracy,
        "accuracy_null_band": list(fresh.accuracy_null_band),
    }

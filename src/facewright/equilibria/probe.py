"""The probe: what each player could gain by changing alone, and how far apart the images are."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from facewright.config import LossConfig, OptimiserConfig
from facewright.equilibria.budget import LIVE, Budget
from facewright.equilibria.deviation import Aim, Deviation, discriminators, generators
from facewright.equilibria.fresh_discriminator import (
    BuildDiscriminator,
    FreshReading,
    js_from_fresh_discriminator,
)
from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.image_rows import Pictures, check_pictures
from facewright.equilibria.notes import is_unbounded, notes_on
from facewright.equilibria.optimal_discriminator import OptimalDiscriminator
from facewright.equilibria.reading import EquilibriumReading, Search
from facewright.equilibria.response import Mean, best_of
from facewright.errors import MetricError
from facewright.images import to_pixels


def probe_equilibrium(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    loss: LossConfig,
    optimiser: OptimiserConfig,
    search_real: Pictures,
    test_real: Pictures,
    z_dim: int,
    conditions: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    budget: Budget = LIVE,
    build_fresh: BuildDiscriminator | None = None,
) -> EquilibriumReading:
    """How far are the two players from a Nash equilibrium?

    At an equilibrium no player gains by a unilateral deviation. So each one searches for its best
    response to the other, which stays: what it gains on held-out images is its regret. A fresh
    discriminator, trained from nothing, says besides how different the images are.

    Args:
        generator: maps (B, z_dim) latents to (B, C, H, W) images; the one in training, not its
            EMA. Left untouched.
        discriminator: maps images to (B,) logits. Left untouched.
        loss: the game and the penalties on the discriminator.
        optimiser: learning rates and betas of training, with which the search goes on.
        search_real: photos for searching, (N, H, W, C) uint8 or (N, C, H, W) float. Best
            none that the generator was trained on: see `js_from_fresh_discriminator`.
        test_real: other photos, not trained on; half of them choose, the other
            half is reported on.
        z_dim: length of a latent vector.
        conditions: of `search_real` and of `test_real`, (N, C) each; the players are then called
            with (inputs, conditions). Nothing if not given.
        seed: of every random number; torch's own source is left as it was.
        budget: how hard to search.
        build_fresh: another fresh discriminator.

    Returns:
        All gains, signed. Large regrets are certain; small ones say that no better answer
        was found with this budget. `fresh.js_bits` is the number to compare runs by; the
        duality gap does not go to 0 for good generators, because some generator always
        does better against one frozen discriminator.

    Raises:
        MetricError: too few photos, or images that are not finite.

    Source: Grnarova et al. 2019, arXiv:1811.05512; perturbed restarts as Sidheekh et al.
    2020, arXiv:2012.06723; fresh opponents as Oliehoek et al. 2018, arXiv:1806.07268.
    Blind spot: gradients find local answers. Two networks may have no pure equilibrium at
    all (Farnia & Ozdaglar 2020, arXiv:2002.09124).
    """
    clock = time.perf_counter()
    check_pictures(search_real=search_real, test_real=test_real)
    test_real = test_real[: budget.test_images]
    frozen = FrozenGame(
        generator,
        discriminator,
        loss=loss,
        search=search_real,
        test=test_real,
        z_dim=z_dim,
        batch=budget.batch,
        seed=seed,
        conditions=conditions and (conditions[0], conditions[1][: budget.test_images]),
    )
    fresh = _fresh_reading(frozen, search_real, test_real, budget, build_fresh)
    searches = _Searches(frozen, optimiser, budget)
    value = searches.value()
    notes = notes_on(frozen)
    if value is None:
        notes.append("The discriminator's verdicts are not finite: there is no game to look at.")
    regret_d = regret_g = nash_conv = None
    if value is not None:
        regret_d = searches.regret(discriminators, "value", fresh=fresh.search.player)
        regret_g = searches.regret(generators, "value")
    if value is not None and budget.nash_conv:
        gains = [searches.regret(who, "training") for who in (discriminators, generators)]
        nash_conv = sum(gain.value for gain in gains if gain) if all(gains) else None
    fresh_search = Search.of(fresh.search, player="judge", aim="odds", batch=budget.batch)
    return EquilibriumReading(
        game=loss.game,
        draw=None if frozen.game.d_draw is None else -frozen.game.d_draw,
        value=value,
        regret_d=regret_d,
        regret_g=regret_g,
        nash_conv=nash_conv,
        fresh=fresh,
        searches=(fresh_search, *searches.made),
        budget=budget,
        n_search=len(search_real),
        n_test=len(test_real),
        seconds=time.perf_counter() - clock,
        notes=tuple(notes),
    )


@dataclass
class _Searches:
    """The searches of one probe, and what they found."""

    frozen: FrozenGame
    optimiser: OptimiserConfig
    budget: Budget
    made: list[Search] = field(default_factory=list)

    def value(self) -> Mean | None:
        """Of the two players as they are; `None` if it is no number."""
        score = self.frozen.d_score(self.frozen.reporting, bound=False)
        value = Mean.of(score(self.frozen.discriminator))
        return value if math.isfinite(value.value) else None

    def regret(
        self, who: Callable[..., Deviation], aim: Aim, fresh: nn.Module | None = None
    ) -> Mean | None:
        """What a player could gain; `None` where there is no upper end.

        Args:
            who: may change.
            aim: what for.
            fresh: a discriminator trained from fresh weights, which may do better.
        """
        deviation = who(self.frozen, aim, optimiser=self.optimiser, budget=self.budget)
        if deviation.who == "discriminator" and is_unbounded(self.frozen):
            return None
        restarts = self.budget.restarts if aim == "value" else 0
        found = deviation.search(restarts=restarts, seed=self.frozen.seed)
        self.made += [
            Search.of(response, player=deviation.who, aim=aim, batch=self.budget.batch)
            for response in found
        ]
        best = best_of(found)
        if fresh is not None and self.frozen.game.optimal_logit is not None:
            optimal = OptimalDiscriminator(fresh, self.frozen.game)
            if Mean.of(deviation.score(optimal)).value > best.best_score:
                return deviation.gain(optimal)
        return deviation.gain(best.player)


def _fresh_reading(
    frozen: FrozenGame,
    search_real: Pictures,
    test_real: Pictures,
    budget: Budget,
    build: BuildDiscriminator | None,
) -> FreshReading:
    """What a fresh discriminator makes of the images scored on, as they would be stored."""
    fake = frozen.draw_pool(budget.pool)
    a, b = frozen.choosing.fake, frozen.reporting.fake
    # Interleaved, as `halves` will part them: the fresh discriminator must be reported on the
    # same images as the players.
    fake_test = torch.stack([a, b], dim=1).flatten(0, 1)
    for images in (fake, fake_test):
        if not torch.isfinite(images).all():
            raise MetricError(
                "generated images that are not finite",
                expected="numbers",
                fix="an earlier checkpoint: --checkpoint best",
            )
    stored = isinstance(search_real, np.ndarray)
    return js_from_fresh_discriminator(
        search_real,
        test_real,
        to_pixels(fake) if stored else fake,
        to_pixels(fake_test) if stored else fake_test,
        seed=frozen.seed,
        budget=budget,
        build=build,
        device=frozen.device,
    )

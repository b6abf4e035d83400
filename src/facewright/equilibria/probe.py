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
from facewright.equilibria.fresh_discriminator import BuildJudge, Judged, js_from_fresh_judge
from facewright.equilibria.frozen_game import Match
from facewright.equilibria.image_rows import Pictures, check_pictures
from facewright.equilibria.notes import is_unbounded, notes_on
from facewright.equilibria.optimal_discriminator import BestVerdict
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
    build_judge: BuildJudge | None = None,
) -> EquilibriumReading:
    """How far are the two players from a Nash equilibrium?

    At an equilibrium no player gains by changing alone. So each one is let off the leash
    while the other stays: what it gains on held-out images is its regret. A fresh judge,
    who has never met the generator, says besides how different the images are.

    Args:
        generator: maps (B, z_dim) latents to (B, C, H, W) images; the player, not its
            average. Left untouched.
        discriminator: maps images to (B,) logits. Left untouched.
        loss: the game and what binds the discriminator.
        optimiser: learning rates and memories of training, with which the search goes on.
        search_real: photos for searching, (N, H, W, C) uint8 or (N, C, H, W) float. Best
            none that the generator was trained on: see `js_from_fresh_judge`.
        test_real: other photos, which nobody trained on; half of them choose, the other
            half is reported on.
        z_dim: length of a latent vector.
        conditions: what both players are told of `search_real` and of `test_real`, (N, C)
            each; they are then called with (inputs, conditions). Nothing if not given.
        seed: of every random number; torch's own source is left as it was.
        budget: how hard to search.
        build_judge: another fresh judge.

    Returns:
        All gains, signed. Large regrets are certain; small ones say that no better answer
        was found with this budget. `judged.js_bits` is the number to compare runs by; the
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
    match = Match(
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
    judged = _judge(match, search_real, test_real, budget, build_judge)
    look = _Look(match, optimiser, budget)
    value = look.value()
    notes = notes_on(match)
    if value is None:
        notes.append("The discriminator's verdicts are not finite: there is no game to look at.")
    regret_d = regret_g = nash_conv = None
    if value is not None:
        regret_d = look.regret(discriminators, "value", fresh=judged.search.player)
        regret_g = look.regret(generators, "value")
    if value is not None and budget.nash_conv:
        gains = [look.regret(who, "training") for who in (discriminators, generators)]
        nash_conv = sum(gain.value for gain in gains if gain) if all(gains) else None
    judging = Search.of(judged.search, player="judge", aim="odds", batch=budget.batch)
    return EquilibriumReading(
        game=loss.game,
        draw=None if match.game.d_draw is None else -match.game.d_draw,
        value=value,
        regret_d=regret_d,
        regret_g=regret_g,
        nash_conv=nash_conv,
        judged=judged,
        searches=(judging, *look.searches),
        budget=budget,
        n_search=len(search_real),
        n_test=len(test_real),
        seconds=time.perf_counter() - clock,
        notes=tuple(notes),
    )


@dataclass
class _Look:
    """The searches of one look, and what they found."""

    match: Match
    optimiser: OptimiserConfig
    budget: Budget
    searches: list[Search] = field(default_factory=list)

    def value(self) -> Mean | None:
        """Of the two players as they are; `None` if it is no number."""
        score = self.match.d_score(self.match.reporting, bound=False)
        value = Mean.of(score(self.match.discriminator))
        return value if math.isfinite(value.value) else None

    def regret(
        self, who: Callable[..., Deviation], aim: Aim, fresh: nn.Module | None = None
    ) -> Mean | None:
        """What a player could gain; `None` where there is no upper end.

        Args:
            who: may change.
            aim: what for.
            fresh: a judge found from fresh weights, who may know better.
        """
        deviation = who(self.match, aim, optimiser=self.optimiser, budget=self.budget)
        if deviation.who == "discriminator" and is_unbounded(self.match):
            return None
        restarts = self.budget.restarts if aim == "value" else 0
        found = deviation.search(restarts=restarts, seed=self.match.seed)
        self.searches += [
            Search.of(response, player=deviation.who, aim=aim, batch=self.budget.batch)
            for response in found
        ]
        best = best_of(found)
        if fresh is not None and self.match.game.name != "wasserstein":
            judge = BestVerdict(fresh, self.match.loss)
            if Mean.of(deviation.score(judge)).value > best.best_score:
                return deviation.gain(judge)
        return deviation.gain(best.player)


def _judge(
    match: Match,
    search_real: Pictures,
    test_real: Pictures,
    budget: Budget,
    build: BuildJudge | None,
) -> Judged:
    """A fresh judge on the images that the match is scored on, as they would be stored."""
    fake = match.draw_pool(budget.pool)
    a, b = match.choosing.fake, match.reporting.fake
    # In turns, as `halves` will part them: what the judge is asked about last must be what
    # the players are asked about last.
    fake_test = torch.stack([a, b], dim=1).flatten(0, 1)
    for images in (fake, fake_test):
        if not torch.isfinite(images).all():
            raise MetricError("generated images that are not finite", expected="numbers")
    stored = isinstance(search_real, np.ndarray)
    return js_from_fresh_judge(
        search_real,
        test_real,
        to_pixels(fake) if stored else fake,
        to_pixels(fake_test) if stored else fake_test,
        seed=match.seed,
        budget=budget,
        build=build,
        device=match.device,
    )

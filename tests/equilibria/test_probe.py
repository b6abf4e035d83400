"""The probe: every game in its own currency, signs kept, players left alone."""

import dataclasses
import json
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from facewright.config import LossConfig, OptimiserConfig
from facewright.equilibria.deviation import discriminators
from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.optimal_discriminator import OptimalDiscriminator
from facewright.equilibria.probe import probe_equilibrium
from facewright.equilibria.reading import EquilibriumReading
from facewright.equilibria.response import Mean
from facewright.errors import MetricError
from facewright.networks.blocks import BatchNorm2d
from facewright.objective.adversarial import GAMES
from tests.equilibria.toys import BUDGET, Judge, Maker, as_images, build_fresh, gaussian, seeded

Z_DIM = 3
QUICK = dataclasses.replace(
    BUDGET, fresh_steps=4, warm_steps=4, generator_steps=4, every=2, batch=16, test_images=128
)
SEPARABLE = [name for name in GAMES if name != "relativistic"]


def settings(game: str, **more) -> LossConfig:
    return LossConfig(game=game, **more)  # pyright: ignore[reportArgumentType]


def look(
    loss: LossConfig,
    *,
    generator: nn.Module | None = None,
    discriminator: nn.Module | None = None,
    budget=QUICK,
    lr: float = 1e-3,
    seed: int = 0,
    search=None,
    test=None,
) -> EquilibriumReading:
    return probe_equilibrium(
        generator or seeded(Maker, Z_DIM, 1),
        discriminator or seeded(Judge, 1),
        loss=loss,
        optimiser=OptimiserConfig(lr_g=lr, lr_d=lr),
        search_real=gaussian(500, 1) if search is None else search,
        test_real=gaussian(400, 2) if test is None else test,
        z_dim=Z_DIM,
        seed=seed,
        budget=budget,
        build_fresh=build_fresh,
    )


class Says(nn.Module):
    """A discriminator that says the same of every image."""

    def __init__(self, verdict: float) -> None:
        super().__init__()
        self.verdict = nn.Parameter(torch.tensor(verdict))

    def forward(self, images: Tensor) -> Tensor:
        return self.verdict.expand(len(images)) + 0 * images.flatten(1).sum(1)


class Shifted(nn.Module):
    """A discriminator whose every verdict is so much higher."""

    def __init__(self, judge: nn.Module, by: float) -> None:
        super().__init__()
        self.judge, self.by = judge, by

    def forward(self, images: Tensor) -> Tensor:
        return self.judge(images) + self.by


@pytest.mark.parametrize("game", GAMES)
def test_at_a_draw_the_value_is_minus_the_loss_of_a_draw(game):
    best = 0.5 if game == "least-squares" else 0.0
    found = look(settings(game, r1=0.1), discriminator=Says(best))
    assert found.value is not None
    assert found.value.value == pytest.approx(found.draw)
    assert found.draw == pytest.approx(-(GAMES[game].d_draw or 0))
    if game in ("minimax", "non-saturating"):
        assert found.draw == pytest.approx(-math.log(4))


def test_with_label_smoothing_the_draw_moves_as_it_does_in_training():
    sure_of_half = math.log(0.45 / 0.55)
    found = look(settings("minimax", real_target=0.9), discriminator=Says(sure_of_half))
    assert found.value is not None
    assert found.value.value == pytest.approx(found.draw)
    assert found.draw == pytest.approx(0.9 * math.log(0.45) + 0.1 * math.log(0.55) + math.log(0.55))


def frozen_game(loss: LossConfig, **more) -> FrozenGame:
    arguments = {
        "loss": loss,
        "search": gaussian(64, 1),
        "test": gaussian(128, 2),
        "z_dim": Z_DIM,
        "batch": 16,
        "seed": 0,
    }
    players = seeded(Maker, Z_DIM, 1), seeded(Judge, 1)
    return FrozenGame(*players, **(arguments | more))


@pytest.mark.parametrize("game", GAMES)
def test_the_generator_wants_exactly_what_costs_the_discriminator(game):
    frozen = frozen_game(settings(game))
    half = frozen.reporting
    d_gain = frozen.d_score(half, bound=False)(frozen.discriminator)
    g_gain = frozen.g_score(half, training=False)(frozen.generator)
    assert torch.allclose(d_gain, -g_gain, atol=1e-6)
    loss = GAMES[game].d_loss(frozen.discriminator(half.real), frozen.discriminator(half.fake))
    assert torch.allclose(d_gain, -loss, atol=1e-6)


def test_the_generator_in_training_wants_what_it_is_trained_for():
    frozen = frozen_game(settings("non-saturating"))
    half = frozen.reporting
    wanted = frozen.g_score(half, training=True)(frozen.generator).mean()
    logits = frozen.discriminator(half.fake)
    assert wanted == pytest.approx(-float(nn.functional.softplus(-logits).mean()), abs=1e-6)


def test_the_halves_are_disjoint_and_nothing_searched_on_is_scored():
    frozen = frozen_game(settings("minimax"))
    sets = [set(t.flatten().tolist()) for t in (frozen.choosing.real, frozen.reporting.real)]
    assert len(sets[0]) == len(sets[1]) == 64
    assert not sets[0] & sets[1]
    assert not torch.equal(frozen.choosing.z, frozen.reporting.z)


def test_penalties_of_the_discriminator_are_those_of_training():
    loss = settings("wasserstein", r1=2.0, r2=4.0, gradient_penalty=3.0)

    class Slope(Says):
        """Its slope is the same everywhere."""

        def forward(self, images: Tensor) -> Tensor:
            return self.verdict * images.flatten(1).sum(1)

    frozen = frozen_game(loss)
    half, slope = frozen.reporting, Slope(0.5)
    free = frozen.d_score(half, bound=False)(slope)
    held = frozen.d_score(half, bound=True)(slope)
    penalty = 2 / 2 * 0.25 + 4 / 2 * 0.25 + 3 * (0.5 - 1) ** 2
    assert torch.allclose(free - held, torch.full_like(free, penalty), atol=1e-4)


@pytest.mark.parametrize("game", [name for name in GAMES if name != "wasserstein"])
@pytest.mark.parametrize("real_share", [0.1, 0.5, 0.8])
def test_the_best_verdict_that_follows_from_the_odds_cannot_be_improved(game, real_share):
    targets = (1.0, 0.9) if game in ("minimax", "non-saturating") else (1.0,)
    odds = torch.tensor([real_share / (1 - real_share)]).log()
    for target in targets:
        loss = settings(game, real_target=target)
        frozen = frozen_game(loss)
        best = OptimalDiscriminator(nn.Identity(), frozen.game)(odds)

        def worth(verdicts: Tensor, frozen: FrozenGame = frozen) -> Tensor:
            """Where real images have the share, and another image is as likely both ways."""
            at, other = verdicts, torch.zeros_like(verdicts)
            if frozen.game.name != "relativistic":
                real, fake = frozen.game.d_loss(at, other), frozen.game.d_loss(other, at)
                return -real_share * real - (1 - real_share) * fake
            pair = frozen.game.d_loss
            return -real_share * pair(at, other) - (1 - real_share) * pair(other, at)

        # A constant that the other image adds is the same for every verdict.
        tried = torch.linspace(-4, 4, 801)
        assert float(worth(best)) >= float(worth(tried).max()) - 1e-6


def test_a_relativistic_reading_does_not_change_when_all_verdicts_do():
    judge = seeded(Judge, 1)
    plain, lifted = (
        look(settings("relativistic"), discriminator=Shifted(judge, by)).as_json() for by in (0, 5)
    )
    for name in ("value", "m1", "m2", "regret_d", "regret_g", "nash_conv", "js_bits"):
        assert plain[name] == pytest.approx(lifted[name], abs=1e-4)
    assert any("difference" in note for note in plain["notes"])
    cross = [look(settings("minimax"), discriminator=Shifted(judge, by)).value for by in (0, 5)]
    assert cross[0] != cross[1]


def test_without_a_constraint_the_wasserstein_game_has_no_best_discriminator():
    found = look(settings("wasserstein"))
    assert (found.m1, found.regret_d, found.duality_gap, found.nash_conv) == (None,) * 4
    assert found.m2 is not None
    assert any("without end" in note for note in found.notes)


@pytest.mark.parametrize("held", ["r1", "r2", "gradient_penalty", "clip"])
def test_with_a_constraint_it_has_one(held):
    found = look(settings("wasserstein", **{held: 0.1}))
    assert found.m1 is not None
    assert found.duality_gap is not None
    assert any("sought under" in note for note in found.notes)


@pytest.mark.parametrize("game", ["wasserstein", "minimax"])
def test_clipped_weights_stay_clipped_in_the_search_where_the_value_needs_it(game):
    frozen = frozen_game(settings(game, clip=0.01))
    deviation = discriminators(frozen, "value", optimiser=OptimiserConfig(lr_d=0.01), budget=QUICK)
    (found,) = deviation.search(restarts=0, seed=0)
    furthest = max(float(weight.abs().max()) for weight in found.player.parameters())
    assert found.best_step > 0
    assert (furthest <= 0.0101) is (game == "wasserstein")


def test_spectral_normalisation_is_a_constraint():
    judge = seeded(Judge, 1)
    for layer in judge.modules():
        if isinstance(layer, nn.Linear):
            spectral_norm(layer)
    found = look(settings("wasserstein"), discriminator=judge)
    assert found.regret_d is not None
    assert any("spectral" in note for note in found.notes)


def test_regrets_are_what_the_formulas_say_where_the_answer_is_known():
    """N(0, 1) against N(1, 1), judged by somebody who cannot tell: V = -log 4."""

    class Moved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.by = nn.Parameter(torch.tensor(1.0))

        def forward(self, z: Tensor) -> Tensor:
            return as_images(z[:, :1] + self.by)

    found = look(
        settings("minimax"),
        generator=Moved(),
        discriminator=Says(0.0),
        budget=BUDGET,
        search=gaussian(5000, 1),
        test=gaussian(5001, 2),
    )
    assert found.m1 == pytest.approx(-1.163451, abs=0.02)  # the fresh judge's: Says cannot
    assert found.regret_d is not None
    assert found.regret_d.value == pytest.approx(math.log(4) - 1.163451, abs=0.02)
    assert found.regret_g == Mean(0.0, 0.0)
    assert found.duality_gap == pytest.approx(found.regret_d.value)
    assert found.fresh.js_bits == pytest.approx(0.111421 / math.log(2), abs=0.02)


def test_a_worse_answer_is_reported_as_a_loss_not_made_positive():
    found = dataclasses.replace(
        look(settings("minimax")), regret_d=Mean(-0.3, 0.01), regret_g=Mean(-0.1, 0.02)
    )
    said = found.as_json()
    assert (said["regret_d"], said["regret_g"]) == (-0.3, -0.1)
    assert said["duality_gap"] == pytest.approx(-0.4)
    assert found.value is not None
    assert said["m1"] == pytest.approx(found.value.value - 0.3)
    assert said["m2"] == pytest.approx(found.value.value + 0.1)


def test_verdicts_that_are_not_finite_are_no_game():
    found = look(settings("minimax"), discriminator=Says(math.nan))
    assert found.value is None
    assert found.as_json()["m1"] is None
    assert found.fresh.js_bits == pytest.approx(0, abs=1)
    assert any("not finite" in note for note in found.notes)


def test_images_that_are_not_finite_are_refused():
    generator = seeded(Maker, Z_DIM, 1)
    with torch.no_grad():
        next(generator.parameters()).fill_(torch.nan)
    with pytest.raises(MetricError, match="not finite"):
        look(settings("minimax"), generator=generator)


def test_players_and_random_numbers_are_left_alone_and_the_same_seed_says_the_same():
    generator = seeded(Maker, Z_DIM, 1)
    discriminator = nn.Sequential(BatchNorm2d(1), seeded(Judge, 1))
    weights = [p.clone() for n in (generator, discriminator) for p in n.state_dict().values()]
    state = torch.get_rng_state()
    first, second, other = (
        look(settings("minimax"), generator=generator, discriminator=discriminator, seed=seed)
        for seed in (0, 0, 1)
    )
    assert torch.equal(state, torch.get_rng_state())
    now = [p for n in (generator, discriminator) for p in n.state_dict().values()]
    assert all(map(torch.equal, weights, now))
    assert generator.training
    assert discriminator.training
    assert (first.value, first.m1, first.m2) == (second.value, second.m1, second.m2)
    assert (first.fresh.js_bits, first.nash_conv) == (second.fresh.js_bits, second.nash_conv)
    assert first.value != other.value
    assert any("batch norm" in note for note in first.notes)


def test_the_budget_that_was_spent_is_in_the_reading():
    said = look(settings("hinge"), budget=dataclasses.replace(QUICK, restarts=2)).as_json()
    json.dumps(said, allow_nan=False)
    starts = [(s["player"], s["aim"], s["start"]) for s in said["searches"]]
    assert starts == [
        ("judge", "odds", "fresh"),
        *(("discriminator", "value", start) for start in ("warm", "perturbed 1", "perturbed 2")),
        *(("generator", "value", start) for start in ("warm", "perturbed 1", "perturbed 2")),
        ("discriminator", "training", "warm"),
        ("generator", "training", "warm"),
    ]
    assert {s["steps"] for s in said["searches"]} == {4}
    assert {s["images"] for s in said["searches"]} == {64}
    assert (said["n_search"], said["n_test"]) == (500, 128)
    assert said["budget"]["restarts"] == 2


def test_what_is_trained_for_something_else_is_said():
    loss = settings("minimax", feature_matching=True, historical_averaging=0.1)
    notes = " ".join(look(loss).notes)
    assert "match features" in notes
    assert "historical averaging" in notes


def test_too_few_photos_are_refused():
    with pytest.raises(MetricError, match="4 images in test_real"):
        look(settings("minimax"), test=gaussian(4, 0))

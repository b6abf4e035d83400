"""A conditional pair: photo, image and conditions of one row belong together."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from facewright.config import LossConfig
from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.networks import as_game, flat
from facewright.equilibria.notes import notes_on
from facewright.objective.adversarial import GAMES
from tests.equilibria.toys import SCALE, as_images

DRAW = -math.log(4)


class Obeys(nn.Module):
    """Draws the number that is its condition, whatever the latent, or that number and some more."""

    def __init__(self, more: float = 0.0) -> None:
        super().__init__()
        self.more = nn.Parameter(torch.tensor(more))

    def forward(self, z: Tensor, conditions: Tensor) -> Tensor:
        return as_images(conditions + self.more + 0 * z[:, :1])


class Compares(nn.Module):
    """Says 0 of an image that is what it is said to be, and less of any other."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1.0))

    def forward(self, images: Tensor, conditions: Tensor) -> Tensor:
        return -self.slope * (images.flatten(1) / SCALE - conditions).square().sum(1)


def numbers(count: int, seed: int) -> Tensor:
    return torch.randn(count, 1, generator=torch.Generator().manual_seed(seed))


SEARCH, TEST = numbers(64, 1), numbers(128, 2)


def frozen_game(more: float = 0.0, **weights: float) -> FrozenGame:
    loss = replace(LossConfig(game="minimax"), **weights)
    return FrozenGame(
        Obeys(more),
        Compares(),
        loss=loss,
        search=as_images(SEARCH),
        test=as_images(TEST),
        z_dim=3,
        batch=16,
        seed=0,
        conditions=(SEARCH, TEST),
    )


def test_on_held_out_photos_nothing_is_taken_for_something_else():
    frozen = frozen_game()
    for half in (frozen.choosing, frozen.reporting):
        gains = frozen.d_score(half, bound=False)(frozen.discriminator)
        torch.testing.assert_close(gains, torch.full((64,), DRAW))
        wanted = frozen.g_score(half, training=False)(frozen.generator)
        torch.testing.assert_close(wanted, torch.full((64,), -DRAW))


@pytest.mark.parametrize("step", [0, 1, 7])
def test_in_a_search_nothing_is_taken_for_something_else(step):
    frozen = frozen_game()
    payoff = frozen.d_payoff(frozen.discriminator, step, bound=False)
    assert float(payoff) == pytest.approx(DRAW, abs=1e-5)
    wanted = frozen.g_payoff(frozen.generator, step, training=True)
    assert float(wanted) == pytest.approx(math.log(2), abs=1e-5)


def test_penalties_look_at_verdicts_on_images_with_their_labels():
    frozen = frozen_game(r1=2.0, r2=2.0)  # where image and label agree, the verdict is flat
    gains = frozen.d_score(frozen.reporting, bound=True)(frozen.discriminator)
    torch.testing.assert_close(gains, torch.full((64,), DRAW))


def test_a_generator_that_ignores_its_conditions_is_noticed():
    frozen = frozen_game(more=2.0)
    value = frozen.d_score(frozen.reporting, bound=False)(frozen.discriminator).mean()
    assert float(value) > DRAW + 0.5


def test_the_pool_has_the_labels_of_the_photos_searched_on():
    pool = frozen_game().draw_pool(4000).flatten() / SCALE
    assert set(pool.tolist()) <= set((as_images(SEARCH).flatten() / SCALE).tolist())
    assert len(pool.unique()) == len(SEARCH)


def test_the_linearised_game_is_that_of_the_labels_too():
    game = as_game(
        Obeys(),
        Compares(),
        game=GAMES["minimax"],
        real=as_images(SEARCH),
        z=torch.randn(64, 3),
        conditions=SEARCH,
        weights=LossConfig(r1=2.0),
    )
    _, d_loss = game.losses(flat(Obeys()), flat(Compares()))
    assert float(d_loss.detach()) == pytest.approx(-DRAW, abs=1e-5)


def test_it_is_said_that_the_fresh_discriminator_sees_no_labels():
    assert any("fresh discriminator is not" in note for note in notes_on(frozen_game()))

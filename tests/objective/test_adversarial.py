"""Every game against numbers that follow from its paper."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError
from torch.nn.functional import binary_cross_entropy_with_logits

from facewright.errors import ConfigError
from facewright.objective.adversarial import GAMES, game_named, smoothed
from facewright.settings import names_of

REAL, FAKE = 2.0, -1.0  # a discriminator that is right about both
CROSS_ENTROPY = ("minimax", "non-saturating")


def logits(*values, requires_grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=requires_grad)


def losses(game, real, fake):
    real, fake = logits(real), logits(fake)
    return game.d_loss(real, fake).item(), game.g_loss(real, fake).item()


def slopes(loss, real, fake):
    """How the loss changes with the real and the fake logit."""
    real, fake = logits(real, requires_grad=True), logits(fake, requires_grad=True)
    found = torch.autograd.grad(loss(real, fake).sum(), (real, fake), allow_unused=True)
    return tuple(0.0 if slope is None else slope.item() for slope in found)


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


RIGHT_TWICE = -math.log(sigmoid(REAL)) - math.log(1 - sigmoid(FAKE))


def test_the_games_are_those_a_recipe_can_name():
    assert names_of("loss.game", str) == tuple(GAMES)
    assert all(game.name == name for name, game in GAMES.items())


def test_a_game_that_does_not_exist_is_refused_and_a_near_one_named():
    with pytest.raises(ConfigError, match="did you mean 'wasserstein'"):
        game_named("waserstein")


@pytest.mark.parametrize(
    ("name", "d_loss", "g_loss"),
    [
        ("minimax", RIGHT_TWICE, math.log(1 - sigmoid(-1))),
        ("non-saturating", RIGHT_TWICE, -math.log(sigmoid(-1))),
        ("least-squares", 1.0, 2.0),  # ((2 - 1)^2 + 1^2) / 2 and (-1 - 1)^2 / 2
        ("hinge", 0.0, 1.0),
        ("wasserstein", -3.0, 1.0),
        ("relativistic", -math.log(sigmoid(3)), -math.log(sigmoid(-3))),
    ],
)
def test_losses_at_known_logits(name, d_loss, g_loss):
    assert losses(GAMES[name], REAL, FAKE) == pytest.approx((d_loss, g_loss), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "logit", "d_draw", "g_draw"),
    [
        ("minimax", 0.0, math.log(4), -math.log(2)),
        ("non-saturating", 0.0, math.log(4), math.log(2)),
        ("least-squares", 0.5, 0.25, 0.125),
        ("hinge", 0.7, 2.0, None),
        ("wasserstein", 3.0, 0.0, None),
        ("relativistic", -5.0, math.log(2), math.log(2)),
    ],
)
def test_losses_at_a_draw(name, logit, d_draw, g_draw):
    game = GAMES[name]
    d_loss, g_loss = losses(game, logit, logit)
    assert game.d_draw == pytest.approx(d_draw) == pytest.approx(d_loss)
    assert game.g_draw == (g_draw if g_draw is None else pytest.approx(g_loss))
    assert g_draw is None or g_loss == pytest.approx(g_draw)


@pytest.mark.parametrize("name", [name for name, game in GAMES.items() if game.g_draw is None])
def test_a_generator_without_a_draw_value_has_none_to_give(name):
    assert losses(GAMES[name], 0.5, 0.5)[1] != pytest.approx(losses(GAMES[name], -0.5, -0.5)[1])


@pytest.mark.parametrize("game", GAMES.values(), ids=list(GAMES))
@pytest.mark.parametrize("common", [-3.0, -0.4, 0.0, 0.2, 4.0])
def test_no_verdict_beats_the_draw_when_real_and_fake_look_the_same(game, common):
    assert losses(game, common, common)[0] >= game.d_draw - 1e-12


@pytest.mark.parametrize("game", GAMES.values(), ids=list(GAMES))
def test_the_undecided_verdict_is_a_draw(game):
    assert losses(game, game.undecided, game.undecided)[0] == pytest.approx(game.d_draw)


def test_the_value_of_the_2014_game_at_a_draw_is_minus_log_four():
    assert -GAMES["minimax"].d_loss(logits(0.0), logits(0.0)).item() == pytest.approx(-1.386294361)


@pytest.mark.parametrize("name", GAMES)
def test_the_discriminator_wants_real_up_and_fake_down_and_the_generator_fake_up(name):
    real_slope, fake_slope = slopes(GAMES[name].d_loss, 0.3, 0.2)
    assert real_slope < 0 < fake_slope
    assert slopes(GAMES[name].g_loss, 0.3, -0.2)[1] < 0


@pytest.mark.parametrize("name", GAMES)
def test_a_generator_that_looks_at_real_images_wants_them_down_and_no_other_looks(name):
    real_slope, _ = slopes(GAMES[name].g_loss, 0.3, -0.2)
    assert real_slope > 0 if GAMES[name].g_sees_real else real_slope == 0


@pytest.mark.parametrize("fake", [-6.0, 0.0, 2.0])
def test_the_2014_generator_saturates_where_the_non_saturating_one_does_not(fake):
    assert slopes(GAMES["minimax"].g_loss, 0.0, fake)[1] == pytest.approx(-sigmoid(fake))
    assert slopes(GAMES["non-saturating"].g_loss, 0.0, fake)[1] == pytest.approx(sigmoid(fake) - 1)


def test_least_squares_is_content_with_one_on_real_and_nought_on_fake():
    assert losses(GAMES["least-squares"], 1.0, 0.0)[0] == 0
    assert losses(GAMES["least-squares"], 0.0, 1.0)[1] == 0


def test_hinge_ignores_images_beyond_the_margin():
    assert slopes(GAMES["hinge"].d_loss, 1.5, -1.5) == (0, 0)
    assert slopes(GAMES["hinge"].d_loss, 0.5, -0.5) == (-1, 1)
    assert slopes(GAMES["hinge"].d_loss, 1.5, -0.5) == (0, 1)


@pytest.mark.parametrize("logit", [-30.0, 0.0, 30.0])
def test_wasserstein_pulls_alike_everywhere(logit):
    assert slopes(GAMES["wasserstein"].d_loss, logit, logit) == (-1, 1)
    assert slopes(GAMES["wasserstein"].g_loss, logit, logit) == (0, -1)


@pytest.mark.parametrize("shift", [-40.0, 7.0])
def test_a_relativistic_game_has_no_absolute_zero(shift):
    game = GAMES["relativistic"]
    assert losses(game, REAL + shift, FAKE + shift) == pytest.approx(losses(game, REAL, FAKE))


def test_relativistic_players_swap_losses_when_real_and_fake_are_swapped():
    game = GAMES["relativistic"]
    assert losses(game, REAL, FAKE) == losses(game, FAKE, REAL)[::-1]


@pytest.mark.parametrize("name", GAMES)
def test_a_batch_has_one_loss_per_image_each_from_its_own_pair(name):
    real, fake = logits(2.0, 0.1, -3.0), logits(-1.0, 0.4, 2.5)
    for loss in (GAMES[name].d_loss, GAMES[name].g_loss):
        alone = [loss(real[i : i + 1], fake[i : i + 1]) for i in range(3)]
        torch.testing.assert_close(loss(real, fake), torch.cat(alone), rtol=0, atol=0)


@pytest.mark.parametrize("name", GAMES)
def test_hopeless_logits_give_finite_losses_and_slopes(name):
    for real, fake in [(-1e4, 1e4), (1e4, -1e4)]:
        assert all(map(math.isfinite, losses(GAMES[name], real, fake)))
        assert all(map(math.isfinite, slopes(GAMES[name].d_loss, real, fake)))
        assert all(map(math.isfinite, slopes(GAMES[name].g_loss, real, fake)))


@pytest.mark.shapes
@pytest.mark.parametrize("name", GAMES)
def test_a_column_of_logits_is_refused_not_broadcast(name):
    for loss in (GAMES[name].d_loss, GAMES[name].g_loss):
        with pytest.raises(TypeCheckError):
            loss(torch.zeros(3), torch.zeros(3, 1))


@pytest.mark.parametrize("name", GAMES)
def test_losses_of_bf16_logits_are_those_of_fp32_within_a_percent(name):
    real, fake = torch.tensor([1.3, -0.4]), torch.tensor([-0.7, 0.2])
    for loss in (GAMES[name].d_loss, GAMES[name].g_loss):
        coarse = loss(real.bfloat16(), fake.bfloat16()).float()
        torch.testing.assert_close(coarse, loss(real, fake), rtol=0.01, atol=0.005)


@pytest.mark.parametrize("name", CROSS_ENTROPY)
def test_smoothing_is_cross_entropy_against_the_softer_target_on_real_images_only(name):
    real, fake = logits(2.0, -3.0), logits(-1.0, 0.5)
    on_real = binary_cross_entropy_with_logits(real, torch.full_like(real, 0.9), reduction="none")
    on_fake = binary_cross_entropy_with_logits(fake, torch.zeros_like(fake), reduction="none")
    torch.testing.assert_close(smoothed(GAMES[name], 0.9).d_loss(real, fake), on_real + on_fake)


@pytest.mark.parametrize("name", CROSS_ENTROPY)
@pytest.mark.parametrize("target", [0.3, 0.9])
def test_the_draw_of_a_smoothed_game_is_at_half_the_target(name, target):
    game = smoothed(GAMES[name], target)
    p = target / 2
    draw = math.log(p / (1 - p))
    assert game.undecided == pytest.approx(draw)
    assert sum(slopes(game.d_loss, draw, draw)) == pytest.approx(0, abs=1e-12)
    assert game.d_draw == pytest.approx(-2 * (p * math.log(p) + (1 - p) * math.log(1 - p)))
    assert game.g_draw == pytest.approx(math.log(1 - p) if name == "minimax" else -math.log(p))


def test_smoothing_leaves_the_generator_and_the_name_alone():
    game = smoothed(GAMES["non-saturating"], 0.9)
    assert game.g_loss is GAMES["non-saturating"].g_loss
    assert game.name == "non-saturating"


def test_a_game_is_found_by_its_name_and_smoothed_as_asked():
    assert all(game_named(name) is game for name, game in GAMES.items())
    found, expected = game_named("minimax", 0.8), smoothed(GAMES["minimax"], 0.8)
    assert losses(found, REAL, FAKE) == losses(expected, REAL, FAKE)


@pytest.mark.parametrize("game", GAMES.values(), ids=list(GAMES))
def test_a_target_of_one_smooths_nothing(game):
    assert smoothed(game, 1.0) is game


@pytest.mark.parametrize("name", sorted(set(GAMES) - set(CROSS_ENTROPY)))
def test_games_without_labels_refuse_to_be_smoothed_and_name_those_that_have_them(name):
    with pytest.raises(ConfigError) as caught:
        smoothed(GAMES[name], 0.9)
    assert str(caught.value) == (
        f"the game '{name}' has no labels to smooth\n"
        "  expected: one of minimax, non-saturating\n"
        "  try:      --set loss.game=non-saturating"
    )


@pytest.mark.parametrize("target", [0.0, -0.1, 1.1])
def test_a_target_that_is_no_probability_is_refused(target):
    with pytest.raises(ConfigError, match=f"a real target of {target}"):
        smoothed(GAMES["minimax"], target)

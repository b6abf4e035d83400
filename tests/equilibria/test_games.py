"""The small games: their eigenvalues and gaps on paper, reached by autograd as for networks."""

import cmath
import math

import pytest
import torch

from facewright.equilibria.games import bilinear, quadratic, stable_but_not_nash, with_consensus
from facewright.equilibria.small_gans import dirac_gan
from facewright.equilibria.spectrum import Jacobian
from facewright.objective.adversarial import GAMES
from tests.equilibria.toys import linear_quadratic_gan

CROSS_ENTROPY = ["minimax", "non-saturating", "relativistic"]


def matrix(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def vector(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def in_order(numbers):
    return sorted(numbers, key=lambda n: (round(n.real, 8), round(n.imag, 8)))


def eigenvalues(game):
    return in_order(torch.linalg.eigvals(Jacobian(game, *game.equilibrium).dense()).tolist())


def pair(middle, square):
    half = cmath.sqrt(square)
    return in_order([middle - half, middle + half])


def close_to(expected):
    return pytest.approx(in_order(expected), abs=1e-9)


QUADRATIC = quadratic(matrix([6.0]), matrix([4.0]), matrix([2.0]))
"""3 x^2 + 4 x y - y^2."""


def test_a_bilinear_game_turns_at_the_speed_of_its_singular_values():
    assert eigenvalues(bilinear(matrix([1.0, 0.0], [0.0, 2.0]))) == close_to([1j, -1j, 2j, -2j])


def test_the_gap_of_a_bilinear_game_on_a_box_is_reached_at_its_corners():
    a, x, y = matrix([1.0, -2.0], [0.5, 1.0]), vector(0.3, -0.7), vector(-0.2, 0.9)
    game = bilinear(a, limit=2.0)
    corners = torch.cartesian_prod(vector(-2, 2), vector(-2, 2))
    worst_y = max(float(x @ a @ corner) for corner in corners)
    worst_x = min(float(corner @ a @ y) for corner in corners)
    assert game.regrets is not None
    x_regret, y_regret = game.regrets(x, y)
    assert float(x_regret + y_regret) == pytest.approx(worst_y - worst_x)
    assert float(x_regret) == pytest.approx(float(x @ a @ y) - worst_x)
    assert bilinear(a).regrets is None, "without a box the gap is infinite"


def test_the_quadratic_game_has_the_eigenvalues_and_the_regrets_of_the_formula():
    assert eigenvalues(QUADRATIC) == close_to(pair(4, -12))
    assert QUADRATIC.regrets is not None
    for x, y in ((1.0, 0.0), (0.0, 1.0), (0.4, -1.3)):
        x_regret, y_regret = QUADRATIC.regrets(vector(x), vector(y))
        assert float(x_regret) == pytest.approx(3 * x * x + 4 * x * y + 4 / 3 * y * y)
        assert float(y_regret) == pytest.approx(4 * x * x - 4 * x * y + y * y)
        assert float(x_regret + y_regret) == pytest.approx(7 * x * x + 7 / 3 * y * y)


def test_nobody_gains_alone_by_more_than_the_regret():
    own_x, own_y = matrix([2.0, 0.5], [0.5, 1.0]), matrix([3.0, 1.0], [1.0, 2.0])
    game = quadratic(own_x, matrix([1.0, 2.0], [0.0, -1.0]), own_y)
    x, y = vector(0.7, -1.1), vector(0.2, 0.4)
    assert game.regrets is not None
    for player, regret in enumerate(game.regrets(x, y)):
        moving = [x.clone(), y.clone()]
        for _ in range(2000):
            moving[player] = moving[player] - 0.1 * game.gradients(*moving)[player]
        gain = game.losses(x, y)[player] - game.losses(*moving)[player]
        assert float(gain) == pytest.approx(float(regret), abs=1e-9)


def test_a_game_without_bowls_claims_no_equilibrium():
    game = stable_but_not_nash()
    assert game.equilibrium is None
    assert game.regrets is None


@pytest.mark.parametrize("name", CROSS_ENTROPY)
def test_dirac_gan_without_regulariser_circles(name):
    assert eigenvalues(dirac_gan(GAMES[name])) == close_to([0.5j, -0.5j])


@pytest.mark.parametrize("clip", [math.inf, 0.5])
def test_a_dirac_wgan_circles_twice_as_fast_clipped_or_not(clip):
    game = dirac_gan(GAMES["wasserstein"], clip=clip)
    assert eigenvalues(game) == close_to([1j, -1j])
    assert game.limits[1] == clip


@pytest.mark.parametrize("name", CROSS_ENTROPY)
@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
def test_either_penalty_pulls_in_and_critically_at_1(name, gamma):
    expected = pair(gamma / 2, gamma**2 / 4 - 1 / 4)
    for game in (dirac_gan(GAMES[name], r1=gamma), dirac_gan(GAMES[name], r2=gamma)):
        assert eigenvalues(game) == pytest.approx(in_order(expected), abs=1e-7)
    if gamma == 0.3:
        assert expected[1] == pytest.approx(0.15 + 0.476970j, abs=1e-6)
    if gamma == 2.0:
        assert expected == pytest.approx([0.133975, 1.866025], abs=1e-6)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 2.0])
def test_both_penalties_pull_twice_as_hard(gamma):
    game = dirac_gan(GAMES["relativistic"], r1=gamma, r2=gamma)
    expected = pair(gamma, gamma**2 - 1 / 4)
    assert eigenvalues(game) == pytest.approx(in_order(expected), abs=1e-7)


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
@pytest.mark.parametrize("std", [0.7, math.sqrt(2)])
def test_instance_noise_pulls_in(name, std):
    expected = pair(std**2 / 4, std**4 / 16 - 1 / 4)
    assert eigenvalues(dirac_gan(GAMES[name], noise=std)) == pytest.approx(expected, abs=1e-7)
    if std == 0.7:
        assert expected[1] == pytest.approx(0.1225 + 0.484762j, abs=1e-6)


def test_consensus_pulls_in_by_a_quarter_of_its_strength():
    game = with_consensus(dirac_gan(GAMES["minimax"]), 0.6)
    assert eigenvalues(game) == close_to([0.15 + 0.5j, 0.15 - 0.5j])


def test_consensus_adds_half_the_squared_gradient_to_both_losses():
    calm, bare = with_consensus(QUADRATIC, 0.5), QUADRATIC
    x, y = vector(1.0), vector(2.0)
    unrest = ((6 + 8) ** 2 + (4 - 4) ** 2) * 0.5 / 2
    for mended, plain in zip(calm.losses(x, y), bare.losses(x, y), strict=True):
        assert float((mended - plain).detach()) == pytest.approx(unrest)


def test_the_gradient_penalty_has_no_equilibrium_and_wants_slope_one():
    game = dirac_gan(GAMES["wasserstein"], gradient_penalty=10.0)
    assert game.equilibrium is None
    _, at_one = game.gradients(vector(0.0), vector(1.0))
    _, at_three = game.gradients(vector(0.0), vector(3.0))
    assert float(at_one) == 0
    assert float(at_three) == pytest.approx(10 * 2 * (3 - 1))


def test_losses_of_the_dirac_gan_are_those_of_the_points():
    theta, psi = vector(0.8), vector(-1.5)
    game = GAMES["relativistic"]
    g_loss, d_loss = dirac_gan(game).losses(theta, psi)
    real, fake = torch.zeros(1).double(), psi * theta
    assert float(g_loss) == pytest.approx(float(game.g_loss(real, fake)))
    assert float(d_loss) == pytest.approx(float(game.d_loss(real, fake)))


def test_noise_in_the_dirac_gan_is_an_average_over_normal_points():
    game = GAMES["minimax"]
    rng = torch.Generator().manual_seed(0)
    offset, other = 0.7 * torch.randn(2, 200_000, generator=rng, dtype=torch.float64)
    _, d_loss = dirac_gan(game, noise=0.7).losses(vector(0.8), vector(2.0))
    expected = game.d_loss(2 * offset, 2 * (0.8 + other)).mean()
    assert float(d_loss) == pytest.approx(float(expected), abs=0.01)


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (0, 1, [2j, 1j]),
        (1, 2, [4.495358j, 0.889807j]),
        (2, 0.5, [4.236068j, 0.236068j]),
    ],
)
def test_the_linear_quadratic_wgan_circles(mean, std, expected):
    found = eigenvalues(linear_quadratic_gan(mean, std))
    both_ways = in_order([*expected, *(-value for value in expected)])
    assert found == pytest.approx(both_ways, abs=1e-5)


def test_r1_brings_the_linear_quadratic_wgan_to_rest():
    found = eigenvalues(linear_quadratic_gan(0, 1, r1=1.0))
    expected = [2, 2, 0.5 + 0.75**0.5 * 1j, 0.5 - 0.75**0.5 * 1j]
    assert found == pytest.approx(in_order(expected), abs=1e-6)

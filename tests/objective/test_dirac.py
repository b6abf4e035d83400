"""The smallest GAN: one real point at 0, one generated point, a discriminator that is a line.

Near its equilibrium every game and penalty has eigenvalues known on paper (Mescheder et
al. 2018, arXiv:1801.04406); a wrong sign or weight in a loss changes them.
"""

import cmath

import pytest
import torch
from torch import nn

from facewright.objective.adversarial import GAMES
from facewright.objective.logit_gradients import LARGEST_EPSILON, finite_difference
from facewright.objective.penalties import gradient_penalty, r1_penalty, r2_penalty

EXACT = (r1_penalty, r2_penalty)


class Line(nn.Module):
    """D(x) = slope * x on images of one pixel."""

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, images):
        return self.slope * images.flatten(1).sum(1)


def tried(line, images):
    """As the square of a direction is 1 on average, so here: exactly what is expected."""
    return finite_difference(line, images, torch.ones_like(images), LARGEST_EPSILON)


def movement(point, game, r1, r2, penalties):
    """Where gradient descent of both players moves (position of the fake, slope of the line)."""
    position, slope = point
    line = Line(slope)
    real, fake = torch.zeros(1, 1, 1, 1), position.view(1, 1, 1, 1)
    d_loss = game.d_loss(line(real), line(fake)).mean()
    on_real, on_fake = (
        penalty(line, x) for penalty, x in zip(penalties, (real, fake), strict=True)
    )
    d_loss = d_loss + r1 / 2 * on_real.mean() + r2 / 2 * on_fake.mean()
    g_loss = game.g_loss(line(real), line(fake)).mean()
    (by_position,) = torch.autograd.grad(g_loss, position, create_graph=True)
    (by_slope,) = torch.autograd.grad(d_loss, slope, create_graph=True)
    return torch.stack([-by_position, -by_slope])


def in_order(numbers):
    return sorted(numbers, key=lambda number: (number.real, number.imag))


def eigenvalues(game, r1=0.0, r2=0.0, penalties=EXACT):
    jacobian = torch.autograd.functional.jacobian(
        lambda point: movement(point.unbind(), game, r1, r2, penalties), torch.zeros(2)
    )
    assert isinstance(jacobian, torch.Tensor)
    return sorted(
        torch.linalg.eigvals(jacobian).tolist(), key=lambda value: (value.real, value.imag)
    )


def pair(middle, square):
    half = cmath.sqrt(square)
    return in_order([middle - half, middle + half])


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "relativistic"])
def test_cross_entropy_games_circle_at_half_speed(name):
    assert eigenvalues(GAMES[name]) == pytest.approx([-0.5j, 0.5j], abs=1e-6)


@pytest.mark.parametrize("name", ["wasserstein", "hinge"])
def test_linear_games_circle_at_full_speed(name):
    assert eigenvalues(GAMES[name]) == pytest.approx([-1j, 1j], abs=1e-6)


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "relativistic"])
@pytest.mark.parametrize("gamma", [0.3, 2.0])
def test_either_penalty_pulls_the_circle_in(name, gamma):
    expected = pair(-gamma / 2, gamma**2 / 4 - 1 / 4)
    assert eigenvalues(GAMES[name], r1=gamma) == pytest.approx(expected, abs=1e-5)
    assert eigenvalues(GAMES[name], r2=gamma) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("penalties", [EXACT, (tried, tried)], ids=["exact", "finite-difference"])
@pytest.mark.parametrize("gamma", [0.3, 2.0])
def test_both_penalties_pull_twice_as_hard(gamma, penalties):
    found = eigenvalues(GAMES["relativistic"], r1=gamma, r2=gamma, penalties=penalties)
    assert found == pytest.approx(pair(-gamma, gamma**2 - 1 / 4), abs=1e-5)


def test_the_gradient_penalty_of_a_line_wants_slope_one():
    slope = torch.tensor(3.0, requires_grad=True)
    real, fake, mix = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), torch.tensor([0.5])
    (by_slope,) = torch.autograd.grad(gradient_penalty(Line(slope), real, fake, mix).sum(), slope)
    assert by_slope.item() == pytest.approx(2 * (3 - 1))

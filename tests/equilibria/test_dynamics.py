"""Factors per step that are known on paper."""

import math

import pytest
import torch

from facewright.equilibria.dynamics import trajectory
from facewright.equilibria.games import bilinear, with_consensus
from facewright.equilibria.small_gans import dirac_gan
from facewright.objective.adversarial import GAMES


def start(*numbers):
    x, y = numbers
    return torch.tensor([x], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)


def circle(speed=1.0):
    return bilinear(torch.tensor([[speed]], dtype=torch.float64))


def distances(game, *, rule, step, steps, begin=(1.0, 0.0), y_moves=1):
    places = trajectory(game, start(*begin), rule=rule, step=step, steps=steps, y_moves=y_moves)
    assert places.shape == (steps + 1, 2)
    return places.norm(dim=1)


@pytest.mark.parametrize(("step", "speed", "factor"), [(0.1, 1, 1.0049876), (0.5, 2, 2**0.5)])
def test_simultaneous_descent_flies_apart(step, speed, factor):
    away = distances(circle(speed), rule="simultaneous", step=step, steps=20)
    assert (away[1:] / away[:-1]).tolist() == pytest.approx([factor] * 20, abs=1e-7)


def test_alternating_descent_circles_for_ever():
    away = distances(circle(), rule="alternating", step=0.5, steps=2000)
    assert away.max() < 1.5
    assert away[-100:].max() > 0.9


def test_alternating_descent_lets_y_move_first_and_as_often_as_told():
    places = trajectory(circle(), start(1.0, 0.0), rule="alternating", step=0.1, steps=1, y_moves=3)
    assert places[1].tolist() == pytest.approx([1 - 0.1 * 0.3, 0.3])


@pytest.mark.parametrize(("step", "factor"), [(0.1, 0.9950377), (1.0, 1.0)])
def test_extragradient_spirals_in_as_predicted(step, factor):
    away = distances(circle(), rule="extragradient", step=step, steps=20)
    assert (away[1:] / away[:-1]).tolist() == pytest.approx([factor] * 20, abs=1e-7)


def test_optimistic_descent_converges_below_one_over_root_three_and_not_above():
    bound = 1 / math.sqrt(3)
    below = distances(circle(), rule="optimistic", step=0.98 * bound, steps=1500)
    above = distances(circle(), rule="optimistic", step=1.02 * bound, steps=1500)
    assert below[-1] < 1e-6
    assert above[-1] > 1e3


def test_r1_brings_the_dirac_gan_in_by_its_factor_per_step():
    game = dirac_gan(GAMES["minimax"], r1=0.3)
    away = distances(game, rule="simultaneous", step=0.2, steps=500, begin=(0.01, 0.0))
    factor = abs(1 - 0.2 * complex(0.15, 0.476970))
    assert factor == pytest.approx(0.97468, abs=1e-5)
    assert float(away[-1] / away[0]) == pytest.approx(2.7e-6, rel=0.02)


def test_the_bare_dirac_gan_grows_by_its_factor_per_step():
    away = distances(
        dirac_gan(GAMES["minimax"]), rule="simultaneous", step=0.2, steps=50, begin=(1e-3, 0.0)
    )
    assert (away[1:] / away[:-1]).tolist() == pytest.approx([1.00499] * 50, abs=1e-5)


def test_consensus_brings_the_dirac_gan_in():
    game = with_consensus(dirac_gan(GAMES["minimax"]), 1.0)
    away = distances(game, rule="simultaneous", step=0.2, steps=200, begin=(0.1, 0.0))
    assert away[-1] < 1e-3 * away[0]


def test_a_clipped_slope_stays_within_its_bound_and_never_settles():
    game = dirac_gan(GAMES["wasserstein"], clip=0.5)
    for rule in ("simultaneous", "alternating"):
        places = trajectory(game, start(1.0, 0.2), rule=rule, step=0.1, steps=1000)
        assert places[:, 1].abs().max() == 0.5
        assert places[-100:].norm(dim=1).max() > 0.3


def test_wgan_with_a_weak_gradient_penalty_ends_in_a_cycle():
    game = dirac_gan(GAMES["wasserstein"], gradient_penalty=0.25)
    begin = start(0.5, 0.5)
    places = trajectory(game, begin, rule="alternating", step=0.1, steps=400, y_moves=5)
    last = places[-100:]
    assert float(last[:, 0].max()) == pytest.approx(0.632, abs=0.03)
    assert float(last[:, 0].min()) == pytest.approx(-0.632, abs=0.03)
    assert last.norm(dim=1).min() > 0.3


def test_wgan_with_a_strong_gradient_penalty_rests_at_a_wrong_place():
    """From the wrong side the penalty's ridge at slope 0 keeps the slope from turning round."""
    game = dirac_gan(GAMES["wasserstein"], gradient_penalty=1.0)
    places = trajectory(game, start(0.5, 0.5), rule="alternating", step=0.1, steps=600)
    assert places[-1].tolist() == pytest.approx([2.0, 0.0], abs=1e-6)

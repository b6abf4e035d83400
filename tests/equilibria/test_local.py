"""The local verdict on games whose answer is known, then on networks."""

import json
import math

import numpy as np
import pytest
import torch

from facewright.config import LossConfig
from facewright.equilibria.dynamics import trajectory
from facewright.equilibria.games import TwoPlayerGame, bilinear, quadratic, stable_but_not_nash
from facewright.equilibria.local import local_reading, read_place
from facewright.equilibria.networks import as_game, flat
from facewright.equilibria.small_gans import dirac_gan
from facewright.errors import MetricError
from facewright.objective.adversarial import GAMES
from tests.equilibria.small_networks import batch, networks

ZERO = (torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
QUADRATIC = quadratic(*torch.tensor([[[6.0]], [[4.0]], [[2.0]]], dtype=torch.float64))


def said(reading):
    return " ".join(reading.verdict)


def test_stable_but_not_nash_is_read_as_just_that():
    reading = read_place(stable_but_not_nash(), ZERO)
    assert reading.stability == "stable"
    assert reading.local_nash == "no"
    first, second = reading.curvatures
    assert (first.at_minimum, second.at_minimum) == ("no", "yes")
    assert first.smallest == pytest.approx(-0.5)
    assert second.largest == pytest.approx(1.0)
    assert reading.eigenvalues[0] == pytest.approx(0.25 + 1.299038j, abs=1e-6)
    assert "normal for good GANs" in said(reading)


def test_the_quadratic_game_is_a_local_nash_equilibrium():
    reading = read_place(QUADRATIC, ZERO)
    assert (reading.stability, reading.local_nash, reading.at_rest) == ("stable", "yes", True)
    assert reading.rotation == pytest.approx(math.sqrt(12) / 4)
    assert "neither gains" in said(reading)


def test_the_admissible_step_is_exact_on_the_quadratic_game():
    step = read_place(QUADRATIC, ZERO).admissible_step
    assert step == pytest.approx(2 * 4 / 28)
    start = (ZERO[0] + 1, ZERO[1])

    def end(share):
        return trajectory(QUADRATIC, start, rule="simultaneous", step=share * step, steps=600)[
            -1
        ].norm()

    assert end(0.98) < 1e-2
    assert end(1.02) > 1e2


def test_a_circle_is_neither_stable_nor_unstable():
    for game in (bilinear(torch.eye(1).double()), dirac_gan(GAMES["non-saturating"])):
        reading = read_place(game, ZERO)
        assert reading.stability == "circling"
        assert reading.rotation == math.inf
        assert reading.admissible_step == 0
        assert "turn around" in said(reading)
        assert json.loads(json.dumps(reading.as_json(), allow_nan=False))["rotation"] == "inf"


def test_the_dirac_gan_with_r1_is_stable():
    reading = read_place(dirac_gan(GAMES["non-saturating"], r1=0.3), ZERO)
    assert reading.stability == "stable"
    assert reading.leftmost.real == pytest.approx(0.15)
    assert reading.rotation == pytest.approx(0.476970 / 0.15, rel=1e-5)


def test_the_leftmost_eigenvalue_has_the_smallest_real_part():
    one_to_three = TwoPlayerGame("bowl", lambda x, y: (0.5 * (x @ x), 1.5 * (y @ y)))
    assert read_place(one_to_three, ZERO).leftmost == pytest.approx(1)


def test_a_hill_for_both_is_unstable():
    hill = TwoPlayerGame("hill", lambda x, y: (-x.square().sum(), -y.square().sum()))
    reading = read_place(hill, ZERO)
    assert (reading.stability, reading.local_nash) == ("unstable", "no")
    assert reading.admissible_step == 0
    assert "driven away" in said(reading)


def test_flat_directions_do_not_spoil_stability_but_nothing_else_than_flat_says_nothing():
    def bowl(x, y):
        return x[:1].square().sum(), y[:1].square().sum()

    zeros = torch.zeros(3, dtype=torch.float64)
    assert read_place(TwoPlayerGame("bowl", bowl), (zeros, zeros)).stability == "stable"
    flat_game = TwoPlayerGame("flat", lambda x, y: (0 * x.square().sum(), 0 * y.square().sum()))
    reading = read_place(flat_game, (zeros, zeros))
    assert reading.stability == "cannot tell"
    assert reading.rotation is None
    assert reading.admissible_step is None


def test_a_rough_search_cannot_tell_and_says_so():
    values = torch.linspace(0.0, 1.0, 500, dtype=torch.float64)

    def losses(x, y):
        return (values * x.square()).sum(), (values * y.square()).sum()

    zeros = torch.zeros(500, dtype=torch.float64)
    rough = read_place(TwoPlayerGame("many", losses), (zeros, zeros), products=6)
    assert rough.stability == "cannot tell"
    assert rough.local_nash == "cannot tell"
    assert rough.admissible_step is None
    assert rough.settled < len(rough.eigenvalues)
    assert "more products" in said(rough)
    values[-1] = 3.0  # settles at once, and says nothing about the other end
    half_known = read_place(TwoPlayerGame("many", losses), (zeros, zeros), products=6)
    assert half_known.settled > 0
    assert half_known.stability == "cannot tell"
    thorough = read_place(TwoPlayerGame("many", losses), (zeros, zeros), products=60)
    assert (thorough.stability, thorough.local_nash) == ("stable", "yes")


def test_rest_is_judged_against_fresh_networks():
    near, far = (ZERO[0] + 1e-4, ZERO[1]), (ZERO[0] + 0.5, ZERO[1])
    still = read_place(QUADRATIC, near, reference=(1.0, 1.0))
    moving = read_place(QUADRATIC, far, reference=(1.0, 1.0))
    assert still.relative_norms == pytest.approx((6e-4, 4e-4))
    assert (still.at_rest, still.local_nash) == (True, "yes")
    assert (moving.at_rest, moving.local_nash) == (False, "no")
    assert "still moving" in said(moving)
    assert read_place(QUADRATIC, far).at_rest is None
    # One player at rest is not enough.
    assert read_place(QUADRATIC, far, reference=(1.0, 1e4)).at_rest is False


def test_too_few_products_are_refused():
    with pytest.raises(MetricError, match="2 products"):
        read_place(QUADRATIC, ZERO, products=2)


def test_networks_are_read_like_the_dense_matrix_says_and_stay_untouched():
    pair, fresh = networks(), networks(seed=1)
    real, z = batch()
    before = [flat(network) for network in pair]
    game = GAMES["non-saturating"]
    reading = local_reading(
        *pair,
        game=game,
        real=real,
        z=z,
        weights=LossConfig(r1=1.0),
        fresh=fresh,
        dtype=torch.float64,
        products=100,
    )
    played = as_game(
        *pair, game=game, real=real, z=z, weights=LossConfig(r1=1.0), dtype=torch.float64
    )
    place = [flat(network, torch.float64) for network in pair]
    for norm, gradient in zip(reading.gradient_norms, played.gradients(*place), strict=True):
        assert norm == pytest.approx(float(gradient.norm()))
    assert reading.images == len(real)
    assert reading.relative_norms is not None
    assert len(reading.eigenvalues) == 20
    assert np.all(np.diff(np.abs(reading.eigenvalues)) <= 1e-12)
    for network, weights in zip(pair, before, strict=True):
        assert torch.equal(flat(network), weights)
        assert network.training
    table = json.loads(json.dumps(reading.as_json(), allow_nan=False))
    assert table["eigenvalues"][0] == [reading.eigenvalues[0].real, reading.eigenvalues[0].imag]
    assert table["gradient_norms"]["discriminator"] == reading.gradient_norms[1]


def test_r1_of_the_recipe_is_part_of_the_reading():
    real, z = batch()
    arguments = {"game": GAMES["non-saturating"], "real": real, "z": z, "dtype": torch.float64}
    bare = local_reading(*networks(), **arguments, products=100)
    curved = local_reading(*networks(), **arguments, products=100, weights=LossConfig(r1=10.0))
    assert curved.curvatures[1].largest > bare.curvatures[1].largest
    assert curved.curvatures[0] == bare.curvatures[0], "the generator's own loss has no penalty"

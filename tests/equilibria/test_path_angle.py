"""Attraction and rotation on lines through known fields."""

import dataclasses
import math

import pytest
import torch

from facewright.config import LossConfig
from facewright.equilibria.games import TwoPlayerGame, bilinear
from facewright.equilibria.networks import as_game, flat
from facewright.equilibria.path_angle import (
    ALPHAS,
    network_path_angle,
    path_angle,
    save_figure,
)
from facewright.objective.adversarial import GAMES
from tests.equilibria.small_networks import batch, networks


def place(x, y):
    return torch.tensor([x], dtype=torch.float64), torch.tensor([y], dtype=torch.float64)


BOWL = TwoPlayerGame("bowl", lambda x, y: (x.square().sum() / 2, y.square().sum() / 2))
HILL = TwoPlayerGame("hill", lambda x, y: (-x.square().sum() / 2, -y.square().sum() / 2))
CIRCLE = bilinear(torch.eye(1, dtype=torch.float64))


def test_thirteen_places_from_0_6_to_1_2():
    assert len(ALPHAS) == 13
    assert (ALPHAS[0], ALPHAS[-1]) == (0.6, 1.2)
    assert 1.0 in ALPHAS


def test_at_the_bottom_of_a_bowl_the_cosine_jumps_from_minus_1_to_1():
    reading = path_angle(BOWL, place(1.0, 0.0), place(1e-9, 0.0))
    assert reading.cosines[:8] == pytest.approx([-1] * 8)
    assert reading.cosines[9:] == pytest.approx([1] * 4)
    assert reading.norms[0] == pytest.approx(0.4)
    assert reading.attraction == pytest.approx(1)
    assert "towards it" in reading.verdict[0]


def test_on_top_of_a_hill_it_is_the_other_way_round():
    reading = path_angle(HILL, place(2.0, 0.0), place(0.0, 0.0))
    assert reading.attraction == pytest.approx(-1)
    assert reading.bump == pytest.approx(0)
    assert "away from it" in reading.verdict[0]


def test_around_a_centre_the_cosine_has_the_bump_of_the_formula():
    off = 0.05
    reading = path_angle(CIRCLE, place(1.0, off), place(0.0, off))
    # The line passes the centre at the distance `off`; F is at right angles to the way there.
    expected = [-off / math.hypot(off, 1 - alpha) for alpha in ALPHAS]
    assert reading.cosines == pytest.approx(expected)
    assert reading.norms == pytest.approx([math.hypot(off, 1 - alpha) for alpha in ALPHAS])
    assert reading.attraction == pytest.approx(0)
    assert reading.bump == pytest.approx(1 - off / math.hypot(off, 0.2))
    assert "turn" in reading.verdict[1]


def test_both_at_once_are_both_reported():
    spiral = TwoPlayerGame(
        "spiral", lambda x, y: ((x * x / 2 + x * y).sum(), (y * y / 2 - x * y).sum())
    )
    reading = path_angle(spiral, place(1.0, 0.05), place(0.0, 0.05))
    assert reading.attraction > 0.5
    assert reading.bump > 0.3


def test_checkpoints_are_the_ends_of_the_line():
    earlier, later = networks(seed=1), networks(seed=2)
    real, z = batch()
    game = GAMES["relativistic"]
    reading = network_path_angle(
        earlier,
        later,
        game=game,
        real=real,
        z=z,
        weights=LossConfig(r1=1.0, r2=1.0),
        alphas=(0.0, 0.5, 1.0, 1.5),
    )
    for index, pair in ((0, earlier), (2, later)):
        played = as_game(*pair, game=game, real=real, z=z, weights=LossConfig(r1=1.0, r2=1.0))
        field = torch.cat(played.gradients(*(flat(network) for network in pair)))
        assert reading.norms[index] == pytest.approx(float(field.norm()), rel=1e-4)


def test_a_place_where_nothing_pulls_has_no_direction():
    reading = path_angle(BOWL, place(1.0, 0.0), place(0.0, 0.0), alphas=(0.5, 1.0, 1.5))
    assert reading.cosines == pytest.approx((-1, 0, 1))
    assert reading.norms[1] == 0


def test_among_many_directions_a_small_cosine_is_already_no_chance():
    few = path_angle(BOWL, place(1.0, 0.0), place(0.0, 0.0))
    assert few.chance == 0.1
    assert dataclasses.replace(few, weights=1_000_000).chance == pytest.approx(0.002)
    weak = dataclasses.replace(few, cosines=tuple(0.01 * c for c in few.cosines))
    assert "nothing carries" in weak.verdict[0]
    assert "towards it" in dataclasses.replace(weak, weights=1_000_000).verdict[0]


def test_random_directions_stay_below_chance():
    rng = torch.Generator().manual_seed(0)
    ways = torch.randn(200, 1000, generator=rng)
    uphill = torch.randn(1000, generator=rng)
    cosines = torch.cosine_similarity(ways, uphill[None])
    chance = dataclasses.replace(
        path_angle(BOWL, place(1.0, 0.0), place(0.0, 0.0)), weights=1000
    ).chance
    assert float((cosines.abs() < chance).float().mean()) == pytest.approx(0.95, abs=0.04)


def test_the_figure_is_a_png(tmp_path):
    save_figure(path_angle(CIRCLE, place(1.0, 0.05), place(0.0, 0.05)), tmp_path / "a" / "b.png")
    assert (tmp_path / "a" / "b.png").read_bytes().startswith(b"\x89PNG")

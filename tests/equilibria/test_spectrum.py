"""Eigenvalues without the matrix, against the matrix."""

import numpy as np
import pytest
import torch

from facewright.config import LossConfig
from facewright.equilibria.games import TwoPlayerGame, quadratic
from facewright.equilibria.networks import as_game, flat
from facewright.equilibria.spectrum import Jacobian
from facewright.objective.adversarial import GAMES
from facewright.rng import rng_for
from tests.equilibria.small_networks import batch, networks

PRODUCTS = 25


def tiny(dtype=torch.float64):
    """The Jacobian of 44 weights."""
    pair = networks()
    real, z = batch()
    game = as_game(
        *pair,
        game=GAMES["non-saturating"],
        real=real,
        z=z,
        weights=LossConfig(r1=1.0, r2=1.0),
        dtype=dtype,
    )
    return Jacobian(game, flat(pair[0], dtype), flat(pair[1], dtype))


def by_size(values):
    return values[np.argsort(-np.abs(values))]


def search(jacobian, products=PRODUCTS):
    return jacobian.spectrum(products=products, rng=rng_for(0, 0, "search"))


def test_every_column_of_the_jacobian_is_a_finite_difference_of_the_gradients():
    pair = networks()
    real, z = batch()
    game = as_game(
        *pair,
        game=GAMES["relativistic"],
        real=real,
        z=z,
        weights=LossConfig(r1=1.0, r2=1.0),
        dtype=torch.float64,
    )
    x, y = (flat(network, torch.float64) for network in pair)
    both, small = torch.cat([x, y]), 1e-5
    dense = Jacobian(game, x, y).dense()
    for column in (0, 5, len(x) - 1, len(x), len(both) - 1):
        step = torch.zeros_like(both)
        step[column] = small
        after, before = (
            torch.cat(game.gradients(*(both + way * step).split([len(x), len(y)])))
            for way in (1, -1)
        )
        torch.testing.assert_close(
            dense[:, column], (after - before) / (2 * small), atol=1e-7, rtol=1e-5
        )


def test_the_search_finds_the_largest_and_the_leftmost_eigenvalues_of_networks():
    jacobian = tiny()
    exact = by_size(np.linalg.eigvals(jacobian.dense().numpy()))
    found = search(jacobian)
    assert not found.is_complete
    assert found.products == PRODUCTS
    np.testing.assert_allclose(found.values[:4], exact[:4], rtol=1e-5)
    assert found.radius == pytest.approx(abs(exact[0]))
    assert found.values.real.min() == pytest.approx(exact.real.min(), abs=0.01 * found.radius)


def test_as_many_products_as_weights_give_every_eigenvalue_exactly():
    jacobian = tiny()
    found = search(jacobian, products=100)
    exact = by_size(np.linalg.eigvals(jacobian.dense().numpy()))
    assert found.is_complete
    assert not found.errors.any()
    np.testing.assert_allclose(np.abs(found.values), np.abs(exact), atol=1e-10)


def test_curvatures_are_the_eigenvalues_of_the_diagonal_blocks():
    jacobian = tiny()
    dense, own = jacobian.dense().numpy(), jacobian.curvatures(products=15, rng=rng_for(0, 0, "c"))
    size = len(jacobian.gradients[0])
    for found, block in zip(own, (dense[:size, :size], dense[size:, size:]), strict=True):
        exact = np.linalg.eigvalsh(block)
        assert not found.values.imag.any()
        assert found.values.real.max() == pytest.approx(exact.max(), rel=1e-5)
        assert found.values.real.min() == pytest.approx(exact.min(), abs=0.01 * abs(exact).max())


def diagonal_game(values):
    """Each player's own Hessian is diagonal; nothing happens between the two."""
    own = torch.tensor(values, dtype=torch.float64)

    def losses(x, y):
        return (own * x.square()).sum() / 2, (own * y.square()).sum() / 2

    return TwoPlayerGame(name="diagonal", losses=losses)


def test_errors_bound_the_distance_to_the_nearest_eigenvalue():
    values = np.linspace(-1.0, 1.0, 60) ** 3 + np.r_[np.zeros(59), 2.0]
    game = diagonal_game(values)
    zeros = torch.zeros(60, dtype=torch.float64)
    found, _ = Jacobian(game, zeros, zeros).curvatures(products=20, rng=rng_for(0, 0, "c"))
    distance = np.abs(found.values.real[:, None] - values[None]).min(1)
    assert (distance <= found.errors + 1e-12).all()
    assert found.errors[0] < 1e-8, "the largest has settled"
    assert found.errors.max() > 1e-3, "those in the middle have not"


def test_a_space_that_closes_early_ends_the_search():
    game = diagonal_game([1.0] * 20 + [3.0] * 20)
    zeros = torch.zeros(40, dtype=torch.float64)
    found, _ = Jacobian(game, zeros, zeros).curvatures(products=20, rng=rng_for(0, 0, "c"))
    assert found.values.real.tolist() == pytest.approx([3.0, 1.0])
    assert found.products == 2
    assert not found.errors.any()


def test_single_precision_is_exact_enough():
    double, single = search(tiny()), search(tiny(torch.float32))
    np.testing.assert_allclose(single.values[:3], double.values[:3], rtol=1e-4)


def test_the_same_start_gives_the_same_numbers():
    np.testing.assert_array_equal(search(tiny()).values, search(tiny()).values)


def test_a_large_quadratic_game_agrees_with_its_blocks():
    rng = np.random.default_rng(0)
    a, c = (np.diag(rng.uniform(0.5, 4, 40)) for _ in range(2))
    b = rng.normal(size=(40, 40))
    game = quadratic(*(torch.from_numpy(m) for m in (a, b, c)))
    exact = by_size(np.linalg.eigvals(np.block([[a, b], [-b.T, c]])))
    assert game.equilibrium is not None
    found = search(Jacobian(game, *game.equilibrium), products=60)
    assert abs(found.values[0]) == pytest.approx(abs(exact[0]), rel=1e-4)

"""Counting modes on mixtures whose centres are known."""

import math

import pytest
import torch

from facewright.data.toys import Mixture, grid2d, ring2d


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_ring_has_the_published_geometry():
    ring = ring2d()
    assert ring.modes.shape == (8, 2)
    torch.testing.assert_close(ring.modes.norm(dim=1), torch.full((8,), 2 / 1.414))
    torch.testing.assert_close(ring.modes[2], torch.tensor([0.0, 2 / 1.414]), atol=1e-6, rtol=0)
    assert ring.std == pytest.approx(0.02 / 1.414)


def test_neighbours_on_a_hexagonal_ring_are_one_radius_apart():
    ring = ring2d(6, radius=3.0, scale=1.0)
    assert torch.dist(ring.modes[0], ring.modes[1]).item() == pytest.approx(3.0, rel=1e-6)


def test_the_grid_runs_from_minus_four_to_four_in_steps_of_two():
    grid = grid2d()
    assert grid.modes.shape == (25, 2)
    assert sorted(set(grid.modes.flatten().tolist())) == [-4, -2, 0, 2, 4]
    assert len({tuple(mode) for mode in grid.modes.tolist()}) == 25
    torch.testing.assert_close(grid.modes.mean(dim=0), torch.zeros(2))


def test_a_sample_counts_up_to_three_standard_deviations_from_its_mode():
    toy = Mixture(modes=torch.tensor([[0.0, 0.0], [10.0, 0.0]]), std=1.0)
    samples = torch.tensor([[0.0, 2.99], [0.0, 3.01], [10.0, -2.99], [5.0, 0.0], [2.2, 2.2]])
    # The last one is 3.11 away, though each coordinate is within three standard deviations.
    assert toy.hits(samples).tolist() == [1, 1]
    assert toy.captured_modes(samples) == 2
    assert toy.high_quality_share(samples) == pytest.approx(2 / 5)


def test_of_real_samples_a_share_of_one_minus_exp_of_minus_nine_halves_counts():
    share = ring2d().high_quality_share(ring2d().sample(100_000, rng()))
    # Standard error of the share: sqrt(0.989 * 0.011 / 1e5) = 0.00033.
    assert share == pytest.approx(1 - math.exp(-4.5), abs=0.0015)


@pytest.mark.parametrize("toy", [ring2d(), grid2d()], ids=["ring", "grid"])
def test_real_samples_capture_all_modes_about_equally_often(toy: Mixture):
    hits = toy.hits(toy.sample(2500, rng()))
    expected = 2500 * 0.989 / len(toy.modes)
    assert toy.captured_modes(toy.sample(2500, rng())) == len(toy.modes)
    assert (hits - expected).abs().max() < 5 * math.sqrt(expected)


def test_samples_spread_by_the_standard_deviation_along_each_axis():
    one = Mixture(modes=torch.tensor([[1.0, -2.0]]), std=0.5)
    samples = one.sample(50_000, rng())
    torch.testing.assert_close(samples.mean(dim=0), one.modes[0], atol=0.02, rtol=0)
    torch.testing.assert_close(samples.std(dim=0), torch.full((2,), 0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize("kept", [1, 3, 7])
def test_a_generator_that_dropped_modes_is_found_out(kept: int):
    ring = ring2d()
    collapsed = Mixture(ring.modes[:kept], ring.std).sample(2500, rng())
    assert ring.captured_modes(collapsed) == kept
    assert ring.high_quality_share(collapsed) > 0.97


def test_samples_between_the_modes_are_of_low_quality():
    ring = ring2d()
    halfway = (ring.modes + ring.modes.roll(1, dims=0)) / 2
    assert ring.captured_modes(halfway) == 0
    assert ring.high_quality_share(halfway) == 0.0


def test_known_blind_spot_one_stray_sample_captures_a_mode():
    ring = ring2d()
    samples = torch.cat([ring.modes[:1].repeat(2000, 1), ring.modes[1:]])
    assert ring.captured_modes(samples) == 8


def test_equal_sources_give_equal_samples():
    assert torch.equal(grid2d().sample(10, rng(3)), grid2d().sample(10, rng(3)))
    assert not torch.equal(grid2d().sample(10, rng(3)), grid2d().sample(10, rng(4)))

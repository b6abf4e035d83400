"""Divergences and best verdicts known on paper."""

import math

import pytest
import torch

from facewright.lessons.clouds import Cloud, Duel, ring2d
from facewright.lessons.judges import Border, learn, maxout
from facewright.rng import rng_for


def normals(mean, std=1.0):
    return Duel("normals", Cloud.normal(0, 1), Cloud.normal(mean, std))


@pytest.mark.parametrize(
    ("mean", "std", "js", "value"),
    [
        (0.5, 1, 0.030311, -1.325672),
        (1, 1, 0.111421, -1.163451),
        (2, 1, 0.336831, -0.712633),
        (3, 1, 0.526777, -0.332740),
        (4, 1, 0.632720, -0.120854),
        (0, 2, 0.092733, -1.200828),
    ],
)
def test_divergence_and_best_value_of_normals(mean, std, js, value):
    duel = normals(mean, std)
    assert duel.js() == pytest.approx(js, abs=2e-6)
    assert duel.best_value() == pytest.approx(value, abs=2e-6)
    assert duel.best_value() == pytest.approx(-math.log(4) + 2 * duel.js())


@pytest.mark.parametrize(
    ("kept", "js", "value"),
    [(1, 0.496929, -0.392436), (4, 0.215762, -0.954771), (7, 0.045407, None)],
)
def test_dropping_modes_of_a_ring_costs_what_disjoint_modes_cost(kept, js, value):
    modes = ring2d().modes
    duel = Duel("ring", Cloud(modes, 0.1), Cloud(modes[:kept], 0.1))
    assert duel.js() == pytest.approx(js, abs=1e-3)
    if value is not None:
        assert duel.best_value() == pytest.approx(value, abs=2e-3)


def test_the_best_verdict_on_a_ring_of_which_half_is_made_is_a_third():
    modes = ring2d().modes
    duel = Duel("ring", Cloud(modes, 0.1), Cloud(modes[::2], 0.1))
    verdicts = duel.best_logits(modes).sigmoid()
    assert verdicts.tolist() == pytest.approx([1 / 3, 1] * 4, abs=1e-4)


def test_the_best_logit_between_two_normals_is_a_line():
    duel = normals(2.0)
    points = torch.tensor([[-1.0], [1.0], [4.0]])
    # log p - log q = ((x - 2)^2 - x^2) / 2 = 2 - 2 x.
    assert duel.best_logits(points).tolist() == pytest.approx([4.0, 0.0, -6.0])


def test_no_other_verdict_is_worth_more_than_the_best():
    duel = normals(1.0)
    best = duel.best_logits(duel.grid())
    for other in (best + 0.1, 0.9 * best, 1.1 * best, torch.zeros_like(best)):
        assert duel.value(other) < duel.best_value()
    assert duel.value(torch.zeros_like(best)) == pytest.approx(-math.log(4))


def test_the_distance_is_the_mean_difference_of_verdicts_where_points_are():
    duel = normals(0.0)
    grid = duel.grid()
    assert duel.distance(torch.zeros(len(grid))) == 0
    sure = torch.full((len(grid),), math.log(3.0))
    assert duel.distance(sure) == pytest.approx(0.25)
    # Far apart: a quarter off on real points, three quarters on generated ones.
    assert normals(20.0).distance(sure) == pytest.approx(0.5)


def test_samples_have_the_density():
    cloud = Cloud(ring2d().modes, 0.1)
    samples = cloud.sample(20_000, rng_for(0, 0, "samples"))
    duel = Duel("ring", cloud, cloud)
    density = cloud.log_density(duel.grid()).exp()
    entropy = -float((density * cloud.log_density(duel.grid())).sum() / density.sum())
    assert -float(cloud.log_density(samples).mean()) == pytest.approx(entropy, abs=0.03)


def test_a_discriminator_learns_the_formula_from_samples_and_never_gets_above_it():
    duel = normals(2.0)
    trained = learn(duel, maxout(duel, 0), 150, 0)
    assert trained.values[-1] == pytest.approx(duel.best_value(), abs=0.02)
    assert trained.distance < 0.02
    assert max(trained.values) <= duel.best_value()
    assert trained.steps[-1] == 150
    assert len(trained.steps) == len(trained.values)


def test_one_border_finds_nothing_between_a_narrow_and_a_wide_normal():
    trained = learn(normals(0.0, 2.0), Border(), 400, 0)
    assert trained.values[0] < -1.4
    assert trained.values[-1] == pytest.approx(-math.log(4), abs=0.005)


def test_the_ring_has_the_published_geometry():
    ring = ring2d()
    assert ring.modes.shape == (8, 2)
    torch.testing.assert_close(ring.modes.norm(dim=1), torch.full((8,), 2 / 1.414))
    torch.testing.assert_close(ring.modes[2], torch.tensor([0.0, 2 / 1.414]), atol=1e-6, rtol=0)
    assert ring.std == pytest.approx(0.02 / 1.414)


def test_samples_vary_by_the_standard_deviation_along_each_axis():
    one = Cloud(torch.tensor([[1.0, -2.0]]), 0.5)
    samples = one.sample(50_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(samples.mean(dim=0), one.modes[0], atol=0.02, rtol=0)
    torch.testing.assert_close(samples.std(dim=0), torch.full((2,), 0.5), atol=0.02, rtol=0)


def test_samples_come_from_all_modes_about_equally_often():
    ring = ring2d()
    samples = ring.sample(2500, torch.Generator().manual_seed(0))
    distance, nearest = torch.cdist(samples, ring.modes).min(dim=1)
    # 1 - exp(-9/2) of a plane Gaussian lie within three standard deviations.
    near = torch.bincount(nearest[distance <= 3 * ring.std], minlength=8)
    expected = 2500 * (1 - math.exp(-4.5)) / 8
    assert (near - expected).abs().max() < 5 * math.sqrt(expected)
    assert torch.equal(samples, ring.sample(2500, torch.Generator().manual_seed(0)))

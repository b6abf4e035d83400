"""The Fréchet distance has answers on paper, and its interval is held against repetitions."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Z95, Estimate
from facewright.metrics.frechet import (
    Moments,
    frechet_distance,
    frechet_floor_at,
    frechet_from_moments,
    frechet_infinity,
)


def normal(count: int, width: int, seed: int) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def mixed(count: int, seed: int) -> Tensor:
    """Correlated features of unlike scales, away from 0."""
    return normal(count, 12, seed) @ (normal(12, 12, 99) * torch.logspace(0, -2, 12)) + 5


def by_definition(real: Tensor, fake: Tensor) -> float:
    a, b = real.double().numpy(), fake.double().numpy()
    s, t = np.cov(a.T), np.cov(b.T)
    gap = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(gap + np.trace(s + t - 2 * np.real(scipy.linalg.sqrtm(s @ t))))


def share_within(estimates: list[Estimate]) -> float:
    """How many intervals, put around their own values, hold the mean of all repetitions?"""
    middle = np.mean([estimate.value for estimate in estimates])
    hits = [low <= middle <= high for low, high in (e.interval or (1, 0) for e in estimates)]
    return float(np.mean(hits))


def test_two_normal_distributions_lie_73_apart():
    # N(0, 1) and N(3 e1, 4) in 64 dimensions: 3^2 + 64 * (2 - 1)^2.
    shift = 3.0 * (torch.arange(64) == 0).double()
    unit = torch.eye(64, dtype=torch.float64)
    exact = frechet_from_moments(
        Moments(torch.zeros(64, dtype=torch.float64), unit, 10), Moments(shift, 4 * unit, 10)
    )
    assert exact == pytest.approx(73, rel=1e-12)
    real, fake = normal(10000, 64, 0), 2 * normal(10000, 64, 1) + shift.float()
    assert frechet_distance(real, fake).value == pytest.approx(73, abs=1.2)


def test_it_agrees_with_the_definition():
    real, fake = mixed(300, 0), 1.3 * mixed(200, 1).square()
    found = frechet_distance(real, fake).value
    assert found == pytest.approx(by_definition(real, fake), rel=1e-9)
    assert frechet_from_moments(Moments.of(real), Moments.of(fake)) == pytest.approx(found)


def test_moments_are_those_of_numpy():
    moments = Moments.of(mixed(5000, 0))
    numbers = mixed(5000, 0).double().numpy()
    np.testing.assert_allclose(moments.mean.numpy(), numbers.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance.numpy(), np.cov(numbers.T), rtol=1e-9)
    assert moments.count == 5000


def test_fewer_samples_than_features_are_measured_too():
    # Both covariances are singular. The trace is then the sum of singular values of the
    # product of the two sets of deviations.
    real, fake = normal(8, 30, 0), 2 * normal(11, 30, 1) + 1
    a, b = real.double() - real.double().mean(dim=0), fake.double() - fake.double().mean(dim=0)
    overlap = torch.linalg.svdvals(a @ b.T).sum() / math.sqrt(7 * 10)
    gap = (real.double().mean(dim=0) - fake.double().mean(dim=0)).square().sum()
    expected = gap + a.square().sum() / 7 + b.square().sum() / 10 - 2 * overlap
    there, back = frechet_distance(real, fake), frechet_distance(fake, real)
    assert [there.value, back.value] == pytest.approx([float(expected)] * 2, rel=1e-6)
    assert there.interval == pytest.approx(back.interval, rel=1e-5)


def test_a_constant_set_is_its_distance_from_the_mean_and_the_spread_away():
    real, fake = mixed(100, 0), torch.full((9, 12), 2.0)
    gap = (real.double().mean(dim=0) - 2).square().sum()
    expected = pytest.approx(float(gap + real.double().var(dim=0).sum()), rel=1e-9)
    assert frechet_distance(real, fake).value == expected
    assert frechet_distance(fake, real).value == expected


def test_equal_sets_are_0_apart():
    features = mixed(200, 0)
    assert frechet_distance(features, features.flip(0)).value == pytest.approx(0, abs=1e-9)


def test_the_roles_of_the_sets_can_be_swapped_with_their_chance():
    # Both the value and the interval treat the two sets alike, whatever their sizes.
    real, fake = mixed(300, 0), 2 * mixed(80, 1)
    there, back = frechet_distance(real, fake), frechet_distance(fake, real)
    assert there.value == pytest.approx(back.value, rel=1e-9)
    assert there.interval == pytest.approx(back.interval, rel=1e-6)


def test_sample_size_alone_costs_what_the_closed_form_says():
    # Identical isotropic normals: (1/N + 1/M) (d (d + 1) / 4 + d).
    width, n, m = 16, 1000, 500
    runs = [
        frechet_distance(normal(n, width, seed), normal(m, width, 1000 + seed)).value
        for seed in range(30)
    ]
    expected = (1 / n + 1 / m) * (width * (width + 1) / 4 + width)
    assert np.mean(runs) == pytest.approx(expected, rel=0.05)


def test_the_floor_is_carried_to_other_sizes_by_the_same_law():
    def closed(n: int, m: int) -> float:
        return (1 / n + 1 / m) * (64 * 65 / 4 + 64)

    moved = frechet_floor_at(closed(5000, 2000), 5000, 2000, 20000, 10000)
    assert moved == pytest.approx(closed(20000, 10000))


def test_noise_blur_and_lost_variety_all_raise_it():
    real, fake = mixed(2000, 0), mixed(2000, 1)
    floor = frechet_distance(real, fake).value
    noisy = [frechet_distance(real, fake + s * normal(2000, 12, 2)).value for s in (0.3, 0.6)]
    assert floor < noisy[0] < noisy[1]
    blurred = (fake + fake.roll(1, dims=0)) / 2
    assert frechet_distance(real, blurred).value > 3 * floor
    assert frechet_distance(real, fake[:3].repeat(600, 1)).value > 3 * floor


@pytest.mark.parametrize(("scale", "shift"), [(2, 0.5), (1, 2)])
@pytest.mark.parametrize(("n", "m"), [(300, 300), (100, 1000), (1000, 100)])
def test_the_interval_holds_95_of_100_repetitions(n, m, scale, shift):
    runs = [
        frechet_distance(normal(n, 8, seed), scale * normal(m, 8, 1000 + seed) + shift)
        for seed in range(200)
    ]
    spread = np.std([run.value for run in runs])
    halves = [(run.interval[1] - run.value) / Z95 for run in runs if run.interval]
    assert np.mean(halves) == pytest.approx(spread, rel=0.15)
    assert 0.88 <= share_within(runs) <= 0.99


def test_extrapolation_removes_what_the_number_of_generated_images_costs():
    # True distance: 16 * 0.2^2 = 0.64. With 400 images the plain distance is far above it.
    real = normal(20000, 16, 5)
    runs = [frechet_infinity(real, 1.2 * normal(400, 16, seed), points=8) for seed in range(40)]
    plain = [frechet_distance(real, 1.2 * normal(400, 16, seed)).value for seed in range(40)]
    assert np.mean(plain) > 0.80
    assert np.mean([run.value for run in runs]) == pytest.approx(0.64, abs=0.05)
    assert share_within(runs) >= 0.90


def test_extrapolation_is_less_sure_than_the_plain_distance():
    real, fake = mixed(300, 0), 1.5 * mixed(300, 1)
    plain, extrapolated = frechet_distance(real, fake), frechet_infinity(real, fake)
    assert plain.interval is not None
    assert extrapolated.interval is not None
    half = plain.interval[1] - plain.value
    assert half < extrapolated.interval[1] - extrapolated.value < 2 * half


def test_extrapolation_from_fewer_samples_than_features_is_refused():
    with pytest.raises(MetricError, match="from 40 to 80 generated") as refusal:
        frechet_infinity(normal(100, 40, 0), normal(80, 40, 1))
    assert "82 generated samples" in refusal.value.expected
    assert frechet_infinity(normal(100, 40, 0), normal(82, 40, 1), points=3).interval is not None


@pytest.mark.parametrize(("count", "width", "first"), [(12000, 3, 5000), (12000, 5500, 5501)])
def test_extrapolation_starts_at_5000_or_beyond_the_features_and_needs_a_line(count, width, first):
    fake = torch.zeros(1, width).expand(count, width)
    with pytest.raises(MetricError, match=f"2 points from {first} to {count} "):
        frechet_infinity(torch.zeros(2, width), fake, points=2)


def test_extrapolation_is_decided_by_its_seed():
    real, fake = mixed(100, 0), mixed(60, 1)
    first = frechet_infinity(real, fake, points=4)
    assert first == frechet_infinity(real, fake, points=4, seed=0)
    assert first != frechet_infinity(real, fake, points=4, seed=1)


@pytest.mark.parametrize("measure", [frechet_distance, frechet_infinity])
@pytest.mark.parametrize(
    ("real", "fake", "reason"),
    [
        (torch.ones(1, 4), torch.ones(9, 4), "1 real samples"),
        (torch.ones(9, 4), torch.ones(9, 5), r"\(9, 4\) real and \(9, 5\) generated"),
        (torch.ones(9, 4), torch.full((9, 4), math.nan), "generated features that are not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, real, fake, reason):
    with pytest.raises(MetricError, match=reason):
        measure(real, fake)

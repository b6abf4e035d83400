"""The kernel distance is unbiased, and its interval is held against repetitions."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics import neighbours
from facewright.metrics.estimate import Z95, Estimate
from facewright.metrics.kernel import kernel_distance


def normal(count: int, seed: int, width: int = 32) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def by_loops(real: Tensor, fake: Tensor) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    x, y = real.double().numpy(), fake.double().numpy()
    rr = [kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    ff = [kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    rf = [kernel(a, b) for a in x for b in y]
    return float(np.mean(rr) + np.mean(ff) - 2 * np.mean(rf))


def spread_and_belief(runs: list[Estimate]) -> tuple[float, float]:
    """The standard deviation of repetitions, and what their intervals say it is."""
    halves = [(run.interval[1] - run.value) / Z95 for run in runs if run.interval]
    return float(np.std([run.value for run in runs])), math.sqrt(np.mean(np.square(halves)))


def test_it_agrees_with_loops_over_pairs():
    real, fake = normal(30, 0), normal(40, 1) + 0.2
    assert kernel_distance(real, fake).value == pytest.approx(by_loops(real, fake), rel=1e-5)


def test_two_constants_have_their_distance_on_paper():
    # (1 + 1)^3 + (4 + 1)^3 - 2 (2 + 1)^3 = 8 + 125 - 54
    real, fake = torch.ones(7, 16), torch.full((5, 16), 2.0)
    found = kernel_distance(real, fake)
    assert found.value == pytest.approx(79)
    assert found.interval == pytest.approx((79, 79))


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    real, fake = normal(50, 0), normal(33, 1)
    whole = kernel_distance(real, fake)
    monkeypatch.setattr(neighbours, "BLOCK", 300)
    pieces = kernel_distance(real, fake)
    assert pieces.value == pytest.approx(whole.value, abs=1e-7)
    assert pieces.interval == pytest.approx(whole.interval, abs=1e-7)


def test_equal_distributions_are_0_apart_on_average_however_few_the_samples():
    values = [kernel_distance(normal(20, s), normal(30, 1000 + s)).value for s in range(400)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 20
    assert min(values) < 0


def test_noise_blur_and_lost_variety_all_raise_it():
    real, fake = normal(400, 0), normal(400, 1)
    floor = abs(kernel_distance(real, fake).value)
    noisy = [kernel_distance(real, fake + s * normal(400, 2)).value for s in (1.0, 2.0)]
    assert 2 * floor < noisy[0] < noisy[1]
    assert kernel_distance(real, (fake + fake.roll(1, dims=0)) / 2).value > 2 * floor
    assert kernel_distance(real, fake[:3].repeat(133, 1)).value > 2 * floor


def test_swapping_the_sets_swaps_nothing_but_their_chance():
    real, fake = normal(100, 0), 2 * normal(300, 1)
    there, back = kernel_distance(real, fake), kernel_distance(fake, real)
    assert there.value == pytest.approx(back.value)
    assert there.interval == pytest.approx(back.interval)


@pytest.mark.parametrize(
    ("n", "m", "shift"), [(150, 150, 0.0), (80, 300, 0.0), (150, 150, 0.3), (300, 80, 0.3)]
)
def test_the_interval_knows_the_spread_of_repetitions_with_and_without_a_difference(n, m, shift):
    runs = [kernel_distance(normal(n, s), normal(m, 1000 + s) + shift) for s in range(300)]
    spread, believed = spread_and_belief(runs)
    assert believed == pytest.approx(spread, rel=0.2)
    middle = np.mean([run.value for run in runs])
    hits = [run.interval[0] <= middle <= run.interval[1] for run in runs if run.interval]
    assert 0.90 <= np.mean(hits) <= 0.995


def test_the_variance_is_that_of_all_pairs_to_second_order():
    # The kernel of a pair is a mean, a part of each of the two, and a rest of its own. The
    # variance holds both parts; estimated ones have some of the rests in them.
    real, fake = normal(60, 0).double(), 2 * normal(50, 1).double()

    def parts(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, float]:
        pairs = (a @ b.T / 32 + 1) ** 3
        if a is b:
            pairs.fill_diagonal_(math.nan)
        rows, columns = pairs.nanmean(dim=1), pairs.nanmean(dim=0)
        rests = pairs - rows[:, None] - columns + pairs.nanmean()
        return rows, columns, float((rests**2).nanmean())

    (rr, _, rr_rest), (ff, _, ff_rest) = parts(real, real), parts(fake, fake)
    rf, fr, rf_rest = parts(real, fake)
    estimated = 4 * (rr - rf).var() / 60 + 4 * (ff - fr).var() / 50
    rests = 2 * rr_rest / 60**2 + 2 * ff_rest / 50**2 + 4 * rf_rest / 60 / 50
    found = kernel_distance(real.float(), fake.float())
    assert found.interval is not None
    half = (found.interval[1] - found.value) / Z95
    assert half**2 == pytest.approx(float(estimated) - rests, rel=1e-3)


@pytest.mark.parametrize(
    ("real", "fake", "reason"),
    [
        (torch.ones(1, 4), torch.ones(9, 4), "1 real samples"),
        (torch.ones(9, 4), torch.ones(9, 5), r"\(9, 4\) real and \(9, 5\) generated"),
        (torch.full((9, 4), math.inf), torch.ones(9, 4), "real features that are not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(real, fake, reason):
    with pytest.raises(MetricError, match=reason):
        kernel_distance(real, fake)

"""Bins of real images: which are too full, which too empty?"""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from facewright.errors import MetricError
from facewright.metrics.bins import compare_counts, different_bins


def around(centres: list[float], count: int, seed: int) -> torch.Tensor:
    """(len(centres) * count, 1) features close to the centres."""
    noise = torch.randn(len(centres), count, 1, generator=torch.Generator().manual_seed(seed))
    return (torch.tensor(centres)[:, None, None] + 0.05 * noise).flatten(0, 1)


def normal(count: int, seed: int, mean: float = 0.0) -> torch.Tensor:
    return mean + torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def test_the_test_of_two_proportions_has_its_threshold_where_the_tables_say():
    # 30 of 50 against 20 of 50: z = .2 / sqrt(.5 * .5 * (1/50 + 1/50)) = 2, above 1.96;
    # 57 of 100 against 44 of 100: z = .13 / sqrt(.505 * .495 * .02) = 1.84, below.
    assert compare_counts(np.array([30, 20]), np.array([20, 30])).share.value == 1
    assert compare_counts(np.array([57, 43]), np.array([44, 56])).share.value == 0
    # 12 of 100 against 5 of 100: z = .07 / sqrt(.085 * .915 * .02) = 1.775; of 200, 2.51.
    assert compare_counts(np.array([12, 88]), np.array([5, 95])).share.value == 0
    assert compare_counts(np.array([24, 176]), np.array([10, 190])).share.value == 1
    # 10 of 1,000 against 6 of 200 pool to 1/75, not to 1/50: z = 2.25, not 1.84.
    assert compare_counts(np.array([10, 990]), np.array([6, 194])).share.value == 1


def test_sets_of_different_sizes_are_compared_by_their_proportions():
    found = compare_counts(np.array([500, 300, 200]), np.array([50, 30, 20]))
    assert (found.share.value, found.js.value) == (0, pytest.approx(0))


def test_the_same_images_differ_nowhere():
    real = normal(400, 0)
    found = different_bins(real, real, bins=20)
    assert (found.share.value, found.js.value) == (0, 0)


def test_the_divergence_agrees_with_scipy_and_ends_at_log_2():
    rng = np.random.default_rng(0)
    real, fake = rng.integers(1, 50, 30), rng.integers(0, 20, 30)
    expected = jensenshannon(real / real.sum(), fake / fake.sum()) ** 2
    assert compare_counts(real, fake).js.value == pytest.approx(expected)
    apart = compare_counts(np.array([50, 50, 0, 0]), np.array([0, 0, 50, 50]))
    assert apart.js.value == pytest.approx(math.log(2))


def test_chance_alone_makes_one_bin_in_twenty_different():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(100, 5))
    found = [
        compare_counts(rng.multinomial(5000, shares), rng.multinomial(3000, shares))
        for _ in range(200)
    ]
    assert np.mean([f.share.value for f in found]) == pytest.approx(0.05, abs=0.008)
    expected = 99 * (1 / 5000 + 1 / 3000) / 8
    assert np.mean([f.js.value for f in found]) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("mixed", [0.0, 0.3, 1.0])
def test_the_intervals_hold_in_95_of_100_repetitions(mixed):
    rng = np.random.default_rng(0)
    real, other = rng.dirichlet(np.full(100, 5), size=2)
    fake = (1 - mixed) * real + mixed * other
    found = [
        compare_counts(rng.multinomial(5000, real), rng.multinomial(5000, fake)) for _ in range(300)
    ]
    for estimates in ([f.share for f in found], [f.js for f in found]):
        truth = float(np.mean([e.value for e in estimates]))
        low, high = np.array([e.interval for e in estimates]).T
        assert 0.91 <= ((low <= truth) & (truth <= high)).mean() <= 0.995
        spread = np.std([e.value for e in estimates])
        assert (high - low).mean() / 2 == pytest.approx(1.96 * spread, rel=0.15)


def test_bins_fitted_to_real_images_give_other_real_images_a_small_share():
    shares = [different_bins(normal(1000, s), normal(1000, 100 + s), bins=20) for s in range(20)]
    assert np.mean([f.share.value for f in shares]) < 0.07


def test_a_dropped_region_is_noticed():
    real, whole = around([0, 1, 2, 3], 250, 0), around([0, 1, 2, 3], 250, 1)
    dropped = around([0, 1, 2], 333, 1)
    assert different_bins(real, whole, bins=4).share.value <= 0.25
    found = different_bins(real, dropped, bins=4)
    assert found.share.value == 1
    # A quarter of the real mass has no counterpart, and 1/3 stands against 1/4 elsewhere.
    expected = jensenshannon([1 / 4] * 4, [1 / 3] * 3 + [0]) ** 2
    assert found.js.value == pytest.approx(expected, abs=1e-3)


def test_the_bins_are_those_of_the_real_images():
    # Around 10 there is no real image, so these fakes fill the bin of 1, as they should by
    # number. With bins of the fakes, all real images would share one. A blind spot as well.
    real, fake = around([0, 1], 200, 0), around([0, 10], 200, 1)
    assert different_bins(real, fake, bins=2).share.value == 0
    assert different_bins(real, fake, bins=2).js.value == pytest.approx(0, abs=1e-6)
    uneven = torch.cat([around([0], 300, 0), around([1], 100, 0)])
    assert different_bins(uneven, fake, bins=2).share.value == 1


def test_further_away_differs_more():
    found = [different_bins(normal(1000, 0), normal(1000, 1, m), bins=50) for m in (0, 0.2, 0.5)]
    for values in ([f.share.value for f in found], [f.js.value for f in found]):
        assert values == sorted(values)
        assert values[2] > values[0] + 0.1


def test_the_same_seed_gives_the_same_bins():
    real, fake = normal(500, 0), normal(500, 1)
    assert different_bins(real, fake, bins=20) == different_bins(real, fake, bins=20)
    assert different_bins(real, fake, bins=20) != different_bins(real, fake, bins=20, seed=1)


def test_too_few_different_real_images_are_refused():
    with pytest.raises(MetricError, match="199 different real samples for 20 bins"):
        different_bins(normal(199, 0), normal(500, 1), bins=20)
    with pytest.raises(MetricError, match="1 different real samples"):
        different_bins(torch.zeros(500, 8), normal(500, 1), bins=20)
    with pytest.raises(MetricError, match="features"):
        different_bins(normal(500, 0), normal(500, 1)[:, :4])
    with pytest.raises(MetricError, match="not finite"):
        different_bins(normal(500, 0), normal(500, 1) * torch.nan, bins=20)

"""How soon draws repeat themselves says from how many they are."""

import math

import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics import birthday
from facewright.metrics.birthday import _squared_distances, birthday_support

WIDTH = 8


def photos(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))


def draws(frequencies: Tensor, count: int, seed: int) -> Tensor:
    """From far apart points with these frequencies, which need not add up to 1."""
    rng = torch.Generator().manual_seed(seed)
    points = 50 * torch.randn(len(frequencies), WIDTH, generator=rng)
    return points[torch.multinomial(frequencies, count, replacement=True, generator=rng)]


def covered(frequencies: Tensor, count: int) -> float:
    """Share of 60 repetitions whose interval holds 1 / sum(p^2)."""
    truth = float(frequencies.sum() ** 2 / frequencies.square().sum())
    real = photos(200)
    found = [
        birthday_support(real, draws(frequencies, count, seed), quantile=1e-3).interval
        for seed in range(60)
    ]
    return sum(low <= truth <= high for low, high in filter(None, found)) / 60


def test_every_pair_is_looked_at_once(monkeypatch):
    monkeypatch.setattr(birthday, "BLOCK", 7)
    points = photos(30) + 1000
    seen = torch.cat([squares.flatten() for _, squares in _squared_distances(points)])
    expected = torch.nn.functional.pdist(points.double()).square().sort().values
    torch.testing.assert_close(seen[seen.isfinite()].sort().values, expected)


def test_photos_set_the_threshold_and_generated_images_are_counted():
    collapsed = draws(torch.ones(5), 200, seed=0) + 1e-3 * photos(200)
    assert birthday_support(photos(200), collapsed, quantile=1e-3).value < 10
    swapped = birthday_support(collapsed, photos(200), quantile=1e-3)
    assert swapped.interval is not None
    assert swapped.interval[1] == math.inf


def test_thirty_pairs_of_twins_have_the_interval_of_poisson():
    fake = draws(torch.ones(1), 1, 0) + 100 * photos(30).repeat(2, 1)
    support = birthday_support(photos(200), fake, quantile=1e-3)
    pairs = 60 * 59 / 2
    low, middle, high = chi2.ppf([0.025, 0.5, 0.975], [60, 62, 62]) / 2
    assert support.value == pytest.approx(pairs / middle)
    assert support.interval == pytest.approx((pairs / high, pairs / low))


def test_without_a_collision_there_is_only_a_lower_bound():
    support = birthday_support(photos(200), 1000 * photos(100), quantile=1e-3)
    assert support.interval == pytest.approx((4950 / -math.log(0.025), math.inf))
    # The rule of the birthday paradox: half the sets of s have a collision at s^2 / (2 ln 2).
    assert support.value == pytest.approx(4950 / math.log(2))


def test_one_face_is_a_support_of_one():
    support = birthday_support(photos(200), torch.ones(100, WIDTH), quantile=1e-3)
    assert support.interval is not None
    assert support.interval[0] == 1
    assert support.value == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(("number", "count"), [(10, 50), (1000, 100), (1000, 400)])
def test_even_draws_find_how_many_there_are(number, count):
    assert covered(torch.ones(number), count) >= 0.9


@pytest.mark.parametrize(
    "frequencies",
    [torch.arange(1, 1001) ** -1.0, torch.cat([torch.tensor([4300.0]), torch.ones(10000)])],
    ids=["Zipf", "one face in 30 %"],
)
def test_uneven_draws_find_the_effective_number(frequencies):
    assert covered(frequencies, 200) >= 0.9


def test_the_interval_of_uneven_draws_is_no_wider_than_it_must_be():
    # The frequent image is in 60 +- 6.5 of 200: the support of about 11 is known to 22 %.
    frequencies = torch.cat([torch.tensor([4300.0]), torch.ones(10000)])
    support = birthday_support(photos(200), draws(frequencies, 200, seed=0), quantile=1e-3)
    assert support.interval is not None
    low, high = support.interval
    assert (high - low) / (2 * 1.96) == pytest.approx(0.22 * support.value, rel=0.3)


@pytest.mark.parametrize("quantile", [1e-3, 1e-2])
def test_photos_score_one_over_the_quantile(quantile):
    support = birthday_support(photos(500), photos(500, seed=1), quantile=quantile)
    assert support.value == pytest.approx(1 / quantile, rel=0.35)


@pytest.mark.parametrize(("gap", "collisions"), [(0.999, 20), (1.001, 0)])
def test_near_is_what_the_nearest_photos_are(gap, collisions):
    # Photos on a line, one apart: 29 of their 435 pairs are at distance 1, none nearer.
    real = torch.arange(30.0)[:, None]
    fake = torch.cat([torch.arange(20) * 100.0, torch.arange(20) * 100.0 + gap])[:, None]
    support = birthday_support(real, fake, quantile=20 / 435)
    median = chi2.ppf(0.5, 2 * (collisions + 1)) / 2
    assert support.value == pytest.approx(780 / median)


def test_the_value_does_not_depend_on_the_size_of_blocks(monkeypatch):
    real, fake = photos(200), draws(torch.ones(50), 100, seed=1)
    at_once = birthday_support(real, fake, quantile=1e-3)
    monkeypatch.setattr(birthday, "BLOCK", 7)
    assert birthday_support(real, fake, quantile=1e-3) == at_once


def test_known_blind_spot_replayed_photos_are_rich():
    real = photos(500)
    assert birthday_support(real, real, quantile=1e-3).value > 900


@pytest.mark.parametrize(
    ("real", "quantile", "reason"),
    [
        (photos(949), 1e-5, "of 949 photos"),
        (photos(100), 1.0, "of 100 photos"),
        (photos(50).repeat(4, 1), 1.5e-2, "copies of each other"),
        (photos(100)[:, :4], 1e-2, "real and"),
        (photos(100) * math.nan, 1e-2, "not finite"),
    ],
)
def test_photos_that_set_no_threshold_are_refused(real, quantile, reason):
    with pytest.raises(MetricError, match=reason):
        birthday_support(real, photos(100), quantile=quantile)

"""The Vendi score of separate modes is their number."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.vendi import vendi_score


def modes(count: int, number: int, seed: int) -> Tensor:
    """Images of so many equally likely kinds, at right angles."""
    rng = torch.Generator().manual_seed(seed)
    return torch.eye(number)[torch.randint(number, (count,), generator=rng)]


def cloud(count: int, width: int, seed: int) -> Tensor:
    """Normal features that vary less and less from one to the next."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=rng) * torch.arange(1, width + 1) ** -0.5


def entropy(features: Tensor) -> float:
    """Of the kernel matrix, the way the paper writes it."""
    x = features.double().numpy()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(x @ x.T / len(x))
    values = values[values > 1e-12]
    return float(-(values * np.log(values)).sum())


@pytest.mark.parametrize("copies", [1, 5])
def test_images_at_right_angles_count_as_many_as_they_are(copies):
    assert vendi_score(torch.eye(6).repeat(copies, 1)).value == pytest.approx(6)


def test_equal_images_count_as_one():
    same = vendi_score(torch.ones(50, 3))
    assert same.value == pytest.approx(1)
    assert same.interval == pytest.approx((1, 1))


def test_unevenly_frequent_modes_count_as_the_exponential_of_their_entropy():
    frequencies = torch.tensor([50, 25, 25])
    features = torch.eye(3).repeat_interleave(frequencies, dim=0)
    assert vendi_score(features).value == pytest.approx(2**1.5)


@pytest.mark.parametrize("number", [4, 8, 16])
def test_random_draws_of_modes_miss_their_number_by_what_chance_takes(number):
    # The entropy of frequencies is log K - chi2 / (2 n), with K - 1 degrees of freedom.
    score = vendi_score(modes(4000, number, seed=0))
    spread = number * math.sqrt((number - 1) / 2) / 4000
    assert score.value == pytest.approx(number - number * (number - 1) / 8000, abs=4 * spread)


@pytest.mark.parametrize(("count", "width"), [(30, 50), (50, 30), (40, 40)])
def test_it_is_the_formula_of_the_paper(count, width):
    features = cloud(count, width, seed=1)
    assert vendi_score(features).value == pytest.approx(math.exp(entropy(features)), rel=1e-6)


def test_lengths_do_not_matter():
    features = cloud(30, 10, seed=2)
    lengths = torch.linspace(0.1, 10, 30)[:, None]
    assert vendi_score(features * lengths).value == pytest.approx(vendi_score(features).value)


def test_features_that_are_always_zero_change_nothing():
    # With them there are more features than images, and the other matrix is used.
    features = cloud(60, 20, seed=3)
    narrow, wide = (vendi_score(f) for f in (features, torch.nn.functional.pad(features, (0, 80))))
    assert wide.value == pytest.approx(narrow.value)
    assert wide.interval == pytest.approx(narrow.interval)


def test_losing_modes_lowers_it():
    varied, poor = (vendi_score(modes(400, number, seed=0)) for number in (16, 12))
    assert varied.interval is not None
    assert poor.value < varied.interval[0]


@pytest.mark.parametrize(
    ("features", "tolerance"),
    [
        (cloud(60, 20, seed=4), 0.05),
        (cloud(40, 60, seed=5), 0.2),  # every image is a third of its own direction
        (torch.eye(6).repeat_interleave(torch.tensor([20, 20, 8, 8, 4, 4]), dim=0), 0.05),
    ],
    ids=["few features", "many features", "modes"],
)
def test_the_interval_is_what_leaving_images_out_one_by_one_gives(features, tolerance):
    count = len(features)
    without = np.array(
        [entropy(torch.cat([features[:i], features[i + 1 :]])) for i in range(count)]
    )
    jackknife = math.sqrt((count - 1) * without.var())
    interval = vendi_score(features).interval
    assert interval is not None
    assert math.log(interval[1] / interval[0]) / (2 * 1.96) == pytest.approx(
        jackknife, rel=tolerance
    )


def test_the_interval_of_a_large_sorted_set_is_known_on_paper():
    # The surprise of an image is the -log of its mode's frequency, and n is large.
    frequent = 0.9
    features = torch.eye(2).repeat_interleave(torch.tensor([5400, 600]), dim=0)
    spread = math.log(frequent / (1 - frequent)) * math.sqrt(frequent * (1 - frequent) / 6000)
    score = vendi_score(features)
    entropy_on_paper = -frequent * math.log(frequent) - (1 - frequent) * math.log(1 - frequent)
    assert score.value == pytest.approx(math.exp(entropy_on_paper))
    assert score.interval == pytest.approx(
        (score.value * math.exp(-1.96 * spread), score.value * math.exp(1.96 * spread)), rel=1e-3
    )


def test_the_interval_holds_the_mean_score_in_nearly_all_repetitions():
    scores = [vendi_score(cloud(100, 60, seed)) for seed in range(100)]
    mean = np.mean([score.value for score in scores])
    inside = [score.interval[0] <= mean <= score.interval[1] for score in scores if score.interval]
    assert 0.89 <= np.mean(inside) <= 0.995


def test_known_blind_spot_noise_is_diverse():
    noise = torch.randn(200, 32, generator=torch.Generator().manual_seed(0))
    assert vendi_score(noise).value > vendi_score(modes(200, 16, seed=0)).value


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (torch.ones(1, 4), "shape"),
        (torch.ones(4, 2, 2), "shape"),
        (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), "zero or not finite"),
        (torch.tensor([[1.0, 0.0], [0.0, math.nan]]), "zero or not finite"),
        (torch.ones(1, 1).expand(4097, 4097), "4097 images with 4097 features"),
    ],
)
def test_what_has_no_score_is_refused(features, reason):
    with pytest.raises(MetricError, match=reason):
        vendi_score(features)

"""Scores from classes have answers on paper."""

import math

import numpy as np
import pytest
import torch

from facewright.errors import MetricError
from facewright.metrics.classes import count_modes, inception_score, stacked_digits
from facewright.metrics.extractors.digits import Digits
from tests.metrics.printed import printed_digits

SURE = 1000.0
"""A logit beside which the others have no probability."""


def sure_of(classes: torch.Tensor, count: int = 10) -> torch.Tensor:
    return SURE * torch.nn.functional.one_hot(classes, count).float()


def soft(count: int, seed: int, *, sharpness: float = 2.0) -> torch.Tensor:
    return sharpness * torch.randn(count, 10, generator=torch.Generator().manual_seed(seed))


def share_inside(estimates, truth: float) -> float:
    low, high = np.array([e.interval for e in estimates]).T
    return ((low <= truth) & (truth <= high)).mean()


# --- Inception Score


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_sure_and_balanced_scores_the_number_of_classes(classes):
    logits = sure_of(torch.arange(20 * classes) % classes, classes)
    assert inception_score(logits, splits=1).value == pytest.approx(classes, rel=1e-12)


def test_always_the_same_answer_scores_one():
    assert inception_score(soft(1, 0).expand(200, 10)).value == pytest.approx(1)
    assert inception_score(sure_of(torch.full((200,), 3))).value == pytest.approx(1)


def test_sure_but_unbalanced_scores_the_exponent_of_the_entropy():
    logits = sure_of(torch.tensor([0] * 90 + [1] * 10))
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert inception_score(logits, splits=1).value == pytest.approx(math.exp(entropy), rel=1e-9)


def test_unsure_images_cost_the_entropy_of_each():
    # Two classes, p = .8 for one or the other: log 2 less the entropy of (.8, .2).
    logits = torch.tensor([[math.log(4), 0], [0, math.log(4)]]).repeat(50, 1)
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    expected = math.exp(math.log(2) - entropy)
    assert inception_score(logits, splits=1).value == pytest.approx(expected, rel=1e-6)


def test_it_agrees_with_the_difference_of_entropies():
    # E KL(p(y|x) || p(y)) = H(y) - H(y|x), computed another way.
    logits = soft(500, 1)
    p = torch.softmax(logits.double(), dim=1).numpy()
    marginal = p.mean(axis=0)
    information = (p * np.log(p)).sum(1).mean() - (marginal * np.log(marginal)).sum()
    score = inception_score(logits, splits=1)
    assert score.value == pytest.approx(math.exp(information), rel=1e-9)
    assert score.interval is None


def test_the_splits_are_drawn_at_random():
    # In order of their class, each part would hold one class and score 1.
    score = inception_score(sure_of(torch.arange(10).repeat_interleave(100)))
    assert score.value > 9
    assert score == inception_score(sure_of(torch.arange(10).repeat_interleave(100)))
    assert score != inception_score(sure_of(torch.arange(10).repeat_interleave(100)), seed=1)


def test_small_splits_score_less_for_the_same_images():
    logits = sure_of(torch.arange(1000) % 10)
    scores = [inception_score(logits, splits=splits).value for splits in (1, 5, 20)]
    assert scores == sorted(scores, reverse=True)


def test_the_interval_of_the_score_holds_in_95_of_100_repetitions():
    scores = [inception_score(soft(250, seed), splits=5) for seed in range(400)]
    truth = float(np.mean([score.value for score in scores]))
    assert 0.925 <= share_inside(scores, truth) <= 0.985


def test_the_score_refuses_too_few_images_and_what_are_no_logits():
    with pytest.raises(MetricError, match="99 images in 10 splits"):
        inception_score(soft(99, 0))
    with pytest.raises(MetricError, match="splits"):
        inception_score(soft(99, 0), splits=0)
    with pytest.raises(MetricError, match="logits"):
        inception_score(soft(100, 0) * torch.nan)
    with pytest.raises(MetricError, match="logits"):
        inception_score(soft(100, 0)[:, 0])


# --- Modes


def test_all_modes_equally_often_have_no_divergence():
    found = count_modes(np.arange(3000) % 1000)
    assert found.captured.value == 1000
    assert found.kl.value == pytest.approx(0, abs=1e-12)


def test_one_mode_of_a_thousand_is_log_1000_away():
    found = count_modes(np.full(500, 7))
    assert found.captured.value == 1
    assert found.kl.value == pytest.approx(math.log(1000))


def test_half_of_the_modes_cost_log_2():
    found = count_modes(np.arange(5000) % 500)
    assert found.captured.value == 500
    assert found.kl.value == pytest.approx(math.log(2))


def test_the_divergence_is_that_of_the_generated_from_the_real():
    # KL((3/4, 1/4) || (1/2, 1/2)); the other direction would be log(4 / 3) / 2 here, and
    # infinite where a real mode is not reached.
    found = count_modes(np.array([0, 0, 0, 1]), 2)
    assert found.kl.value == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    found = count_modes(np.array([0, 0, 0, 1]), 3)
    assert found.kl.value == pytest.approx(0.75 * math.log(2.25) + 0.25 * math.log(0.75))


def test_chance_alone_gives_the_divergence_and_the_count_on_paper():
    rng = np.random.default_rng(0)
    kl = [count_modes(rng.integers(1000, size=26_000)).kl.value for _ in range(50)]
    assert np.mean(kl) == pytest.approx(999 / 52_000, rel=0.03)
    captured = [count_modes(rng.integers(1000, size=1000)).captured.value for _ in range(50)]
    assert np.mean(captured) == pytest.approx(1000 * (1 - (1 - 1 / 1000) ** 1000), rel=0.01)


@pytest.mark.parametrize("concentration", [0.5, 5, math.inf])
@pytest.mark.parametrize(("field", "each"), [("captured", 2), ("kl", 20)])
def test_the_intervals_of_modes_hold_in_95_of_100_repetitions(field, each, concentration):
    # From modes of very uneven frequency to even ones, where the usual first-order variance
    # of the divergence would be twice the true one. On average `each` images are in a mode.
    rng = np.random.default_rng(0)
    shares = np.full(300, 1 / 300)
    if math.isfinite(concentration):
        shares = rng.dirichlet(np.full(300, concentration))
    estimates = [
        getattr(count_modes(rng.choice(300, 300 * each, p=shares), 300), field) for _ in range(400)
    ]
    values = [e.value for e in estimates]
    assert 0.92 <= share_inside(estimates, float(np.mean(values))) <= 0.98
    low, high = np.array([e.interval for e in estimates]).T
    assert (high - low).mean() / 2 == pytest.approx(1.96 * np.std(values), rel=0.12)


def test_what_are_no_modes_is_refused():
    for modes in (np.array([0.0, 1.0]), np.array([], int), np.array([[0, 1]])):
        with pytest.raises(MetricError, match="modes of shape"):
            count_modes(modes, 2)
    for modes in (np.array([0, 2]), np.array([-1, 0])):
        with pytest.raises(MetricError, match="modes from"):
            count_modes(modes, 2)


# --- Stacked digits


def test_red_is_the_hundreds_green_the_tens_and_blue_the_ones():
    printed = printed_digits()[..., 0]
    stacked = np.stack(
        [
            np.stack([printed[3], printed[1], printed[4]], axis=-1),
            np.stack([printed[0], printed[0], printed[7]], axis=-1),
        ]
    )
    assert stacked_digits(stacked, Digits()).tolist() == [314, 7]


def test_gray_images_have_no_three_digits():
    with pytest.raises(MetricError, match="images of shape"):
        stacked_digits(printed_digits(), Digits())

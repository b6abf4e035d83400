"""The fresh judge on distributions whose divergence is known."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from facewright.equilibria.budget import LIVE
from facewright.equilibria.fresh_discriminator import (
    FreshReading,
    bits,
    fresh_discriminator,
    js_from_fresh_discriminator,
)
from facewright.errors import MetricError
from facewright.images import to_model_range
from facewright.rng import rng_for
from tests.equilibria.toys import BUDGET, build_fresh, gaussian, one_hot

TINY = dataclasses.replace(LIVE, fresh_steps=4, every=2, batch=8)


def judged(
    real_search, real_test, fake_search, fake_test, *, seed=0, budget=BUDGET
) -> FreshReading:
    return js_from_fresh_discriminator(
        real_search,
        real_test,
        fake_search,
        fake_test,
        seed=seed,
        budget=budget,
        build=build_fresh,
    )


@pytest.mark.parametrize(
    ("mean", "std", "value", "accuracy"),
    [(1.0, 1.0, -1.163451, 0.6915), (3.0, 1.0, -0.332740, 0.9332), (0.0, 2.0, -1.200828, 0.6613)],
)
def test_two_gaussians_are_told_apart_as_well_as_on_paper(mean, std, value, accuracy):
    found = judged(
        gaussian(5000, 0),
        gaussian(5001, 0),
        gaussian(5002, 0, mean=mean, std=std),
        gaussian(5003, 0, mean=mean, std=std),
    )
    assert found.search.reported.value == pytest.approx(value, abs=0.02)
    assert found.js_bits == pytest.approx((value + math.log(4)) / math.log(4), abs=0.015)
    assert found.accuracy == pytest.approx(accuracy, abs=0.02)
    assert found.n_test == 2500


def dropped(k: int, n: int) -> float:
    """Divergence in bits when a generator makes only k of n equally likely things."""
    real, fake = 1 / n, 1 / k
    mixed = (real + fake) / 2
    kept = k / n * math.log(real / mixed) + math.log(fake / mixed)
    return (kept + (1 - k / n) * math.log(2)) / 2 / math.log(2)


@pytest.mark.parametrize("k", [1, 5, 8])
def test_dropped_modes_are_found_as_on_paper(k):
    everything, kept = range(10), range(k)
    found = judged(
        one_hot(2000, 0, everything),
        one_hot(2000, 1, everything),
        one_hot(2000, 2, kept),
        one_hot(2000, 3, kept),
    )
    assert found.js_bits == pytest.approx(dropped(k, 10), abs=0.04)


def test_the_oracle_of_dropped_modes_is_that_of_the_literature():
    assert dropped(4, 8) * math.log(2) == pytest.approx(0.215762, abs=1e-6)
    assert dropped(1, 10) * math.log(2) == pytest.approx(0.525597, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_photos_against_photos_stay_in_the_null_band(seed):
    sets = [one_hot(600, 10 * seed + part, range(10)) for part in range(4)]
    found = judged(*sets, seed=seed)
    low, high = found.null_band
    assert -0.1 < low <= found.js_bits <= high < 0.1
    assert found.accuracy_null_band[0] - 0.02 < found.accuracy < found.accuracy_null_band[1] + 0.02


def test_one_half_chooses_the_judge_and_the_other_says_what_it_is_worth():
    """Every other test photo, which is half of them, is a generated image in disguise."""
    real, fake = (one_hot(600, part, modes) for part, modes in ((1, range(5)), (2, range(5, 10))))
    test = torch.stack([real, fake], dim=1).flatten(0, 1)
    found = judged(one_hot(600, 3, range(5)), test, one_hot(600, 4, range(5, 10)), test[1::2])
    assert found.search.best_step > 0
    assert bits(found.search.best_score) > 0.9
    assert found.js_bits < 0


def replays(photos, count: int, seed: int):
    """Images that a generator makes who has learned its training photos by heart."""
    return photos[torch.randint(len(photos), (count,), generator=rng_for(seed, 0, "replays"))]


def noise(count: int, seed: int):
    """Photos that are all different."""
    return 10 * torch.randn(count, 20, 1, 1, generator=rng_for(seed, 0, "noise"))


def test_replayed_photos_are_found_with_photos_that_the_generator_never_saw():
    trained_on = noise(30, 0)
    fakes = replays(trained_on, 2000, 1), replays(trained_on, 1000, 2)
    assert judged(noise(2000, 3), noise(1000, 4), *fakes).js_bits > 0.5
    # The blind spot that this avoids: a judge who learns from the photos of the training set
    # meets each under both names.
    assert judged(trained_on, noise(1000, 4), *fakes).js_bits < 0.05


def test_the_same_seed_gives_the_same_judge_and_no_global_number_is_drawn():
    sets = [one_hot(64, part, range(10)) for part in range(4)]
    state = torch.get_rng_state()
    first, second, third = (judged(*sets, seed=seed, budget=TINY) for seed in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    assert dataclasses.replace(first.search, seconds=0) == dataclasses.replace(
        second.search, seconds=0
    )
    assert first.search.checks != third.search.checks


def test_stored_pixels_and_floats_are_the_same_images():
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (16, 16, 16, 3), dtype=np.uint8) for _ in range(4)]
    stored = js_from_fresh_discriminator(*pixels, budget=TINY)
    floats = js_from_fresh_discriminator(*map(to_model_range, pixels), budget=TINY)
    assert stored.search.checks == floats.search.checks


def test_a_fresh_judge_begins_at_a_draw_and_judges_each_image_alone():
    judge = fresh_discriminator((3, 28, 28), rng_for(0, 0, "judge"))
    images = torch.randn(4, 3, 28, 28, generator=rng_for(0, 0, "images"))
    assert judge(images).abs().max() == 0
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in judge.modules())


def test_a_judge_who_learns_nothing_guesses():
    pixels = np.zeros((16, 16, 16, 3), np.uint8)
    found = js_from_fresh_discriminator(pixels, pixels, pixels, pixels, budget=TINY)
    assert (found.search.best_step, found.accuracy) == (0, 0.5)


def test_bits_are_0_for_who_cannot_tell_and_1_for_who_always_can():
    assert bits(-math.log(4)) == pytest.approx(0)
    assert bits(0.0) == pytest.approx(1)
    assert bits(-2.0) < 0  # worse than saying nothing: kept as it is


def test_the_null_band_is_wider_where_there_are_fewer_images():
    def band(count: int) -> float:
        sets = [gaussian(count + part, part, mean=part // 2) for part in range(4)]
        low, high = judged(*sets).null_band
        assert low == -high
        return high

    assert 0.02 < band(4000) < band(200)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([(20, 2), (20, 2), (20, 3), (20, 3)], "different kinds"),
        ([(20, 2), (7, 2), (20, 2), (20, 2)], "7 images in real_test"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(sets, message):
    with pytest.raises(MetricError, match=message):
        judged(*(torch.zeros(n, c, 1, 1) for n, c in sets))

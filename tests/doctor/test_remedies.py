"""Every remedy changes what it says, by how much it says, and only where it applies."""

import typing

import pytest

from facewright import settings
from facewright.config import Config
from facewright.doctor.finding import Verdict
from facewright.doctor.remedies import (
    AUGMENT,
    AUGMENT_ADAPTIVELY,
    AUGMENT_MORE,
    FASTER,
    FASTER_DISCRIMINATOR,
    FASTER_GENERATOR,
    LESS_NOISE,
    MORE_ROUNDS,
    NO_MOMENTUM,
    NOISE,
    ONE_ANSWER,
    ONE_ROUND,
    R1,
    R2,
    REMEDIES,
    SLOWER,
    SLOWER_DISCRIMINATOR,
    USUAL_MOMENTUM,
    USUAL_RATES,
    WEAKER_PENALTY,
    initial_weight,
)
from facewright.training.amend import CHANGEABLE

ALL = {remedy.code: remedy for remedies in REMEDIES.values() for remedy in remedies}


def config(*changes: str) -> Config:
    return settings.override(Config(), changes)


def rates(g: float, d: float) -> Config:
    return config(f"optimiser.lr_g={g}", f"optimiser.lr_d={d}")


@pytest.mark.parametrize(
    ("remedy", "before", "after"),
    [
        (SLOWER, rates(2e-4, 1e-3), {"optimiser.lr_g": 6e-5, "optimiser.lr_d": 3e-4}),
        (SLOWER, rates(2e-6, 1e-7), {"optimiser.lr_g": 1e-6}),
        (SLOWER, rates(1e-6, 0), None),
        (SLOWER, rates(1.0, 1e-6), {"optimiser.lr_g": 2e-3}),
        (SLOWER_DISCRIMINATOR, rates(2e-4, 1e-3), {"optimiser.lr_d": 3e-4}),
        (FASTER, rates(2e-5, 1e-4), {"optimiser.lr_g": 2e-4, "optimiser.lr_d": 1e-3}),
        (FASTER, rates(1e-4, 2e-3), {"optimiser.lr_g": 1e-3}),
        (FASTER, rates(2e-3, 2e-3), None),
        (USUAL_RATES, rates(2e-6, 0.05), {"optimiser.lr_g": 2e-4, "optimiser.lr_d": 2e-4}),
        (USUAL_RATES, rates(1e-3, 1e-4), {"optimiser.lr_g": 2e-4}),
        (USUAL_RATES, rates(8e-4, 4e-5), {"optimiser.lr_d": 2e-4}),
        (USUAL_RATES, rates(8e-4, 5e-5), None),
        (FASTER_GENERATOR, rates(1e-6, 2e-4), {"optimiser.lr_g": 5e-5}),
        (FASTER_GENERATOR, rates(2e-5, 1e-3), {"optimiser.lr_g": 2e-4}),
        (FASTER_GENERATOR, rates(1e-4, 4e-4), None),
        (FASTER_DISCRIMINATOR, rates(2e-4, 2e-7), {"optimiser.lr_d": 2e-4}),
        (FASTER_DISCRIMINATOR, rates(2e-4, 2e-4), {"optimiser.lr_d": 8e-4}),
        (FASTER_DISCRIMINATOR, rates(1e-3, 1e-3), {"optimiser.lr_d": 2e-3}),
        (FASTER_DISCRIMINATOR, rates(1e-4, 4e-4), None),
        (R1, config(), {"loss.r1": 1.0}),
        (R1, config("loss.r1=2"), {"loss.r1": 8.0}),
        (R1, config("loss.r1=0.05"), {"loss.r1": 1.0}),
        (R1, config("loss.r1=16"), None),
        (R2, config("loss.r1=16"), {"loss.r2": 1.0}),
        (WEAKER_PENALTY, config("loss.r1=3000", "loss.r2=1"), {"loss.r1": 1.0}),
        (WEAKER_PENALTY, config("loss.r1=10"), None),
        (USUAL_MOMENTUM, config("optimiser.beta1=0.9"), {"optimiser.beta1": 0.5}),
        (USUAL_MOMENTUM, config("optimiser.beta1=0.5"), None),
        (NO_MOMENTUM, config("optimiser.beta1=0.5"), {"optimiser.beta1": 0.0}),
        (NO_MOMENTUM, config("optimiser.beta1=0.0"), None),
        (
            NOISE,
            config("train.images=5000"),
            {"loss.instance_noise": 0.1, "loss.instance_noise_images": 5000},
        ),
        (NOISE, config("loss.instance_noise=0.01"), None),
        (AUGMENT, config(), {"augment.probability": 0.3}),
        (AUGMENT, config("augment.probability=0.3"), None),
        (AUGMENT_MORE, config("augment.probability=0.3"), {"augment.probability": 0.6}),
        (AUGMENT, config("augment.adaptive=true"), None),
        (AUGMENT_ADAPTIVELY, config("augment.probability=0.6"), {"augment.adaptive": True}),
        (AUGMENT_ADAPTIVELY, config("augment.probability=0.9"), None),
        (AUGMENT_ADAPTIVELY, config("augment.adaptive=true"), None),
        (AUGMENT_ADAPTIVELY, config("augment.signal=sign"), None),
        (AUGMENT_ADAPTIVELY, config("schedule.augment_from=0.5"), None),
        (ONE_ROUND, config("train.d_steps=5"), {"train.d_steps": 1}),
        (ONE_ROUND, config(), None),
        (ONE_ANSWER, config("train.g_steps=3"), {"train.g_steps": 1}),
        (ONE_ANSWER, config(), None),
        (MORE_ROUNDS, config("train.d_steps=2"), {"train.d_steps": 4}),
        (MORE_ROUNDS, config("train.d_steps=5"), None),
    ],
)
def test_a_remedy_changes_what_it_says(remedy, before, after):
    assert remedy.change(before, 28) == after


@pytest.mark.parametrize(("size", "weight"), [(28, 1.0), (32, 1.0), (64, 4.0), (256, 294.1)])
def test_penalties_weigh_more_on_larger_images(size, weight):
    # Huang et al. use 2 at 64 px and 150 at 256 px, with batches of 256.
    assert initial_weight(size) == weight
    assert R1.change(config(), size) == {"loss.r1": weight}


@pytest.mark.parametrize(
    "verdict", sorted(set(REMEDIES) - {"discriminator-overfitting"} - {"plateau"})
)
def test_noise_that_hides_the_photos_is_a_suspect(verdict):
    noisy = config("loss.instance_noise=1.0")
    first = next(remedy for remedy in REMEDIES[verdict] if remedy.change(noisy, 28))
    assert first.change(noisy, 28) == {"loss.instance_noise": 0.05}
    assert LESS_NOISE.change(config("loss.instance_noise=0.1"), 28) is None


def test_every_problem_has_a_remedy_and_nothing_else_has():
    assert set(REMEDIES) == set(typing.get_args(Verdict)) - {"healthy", "not-applicable"}


@pytest.mark.parametrize("verdict", sorted(set(REMEDIES) - {"discriminator-overfitting"}))
@pytest.mark.parametrize("odd", [rates(1e-8, 1e-8), rates(2e-4, 0.05)], ids=["slow", "hot"])
def test_whatever_the_problem_rates_far_from_the_usual_are_the_first_suspects(verdict, odd):
    first = next(remedy for remedy in REMEDIES[verdict] if remedy.change(odd, 28))
    assert first is USUAL_RATES


def test_photos_known_by_heart_are_first_of_all_distorted():
    assert REMEDIES["discriminator-overfitting"][0] is AUGMENT


@pytest.mark.parametrize("remedy", ALL.values(), ids=list(ALL))
@pytest.mark.parametrize(
    "before",
    [
        config(),
        rates(1e-6, 1e-3),
        rates(1e-3, 1e-8),
        config("train.d_steps=3", "train.g_steps=3", "optimiser.beta1=0.9", "loss.r2=500"),
    ],
    ids=["usual", "slow generator", "slow discriminator", "odd"],
)
def test_what_a_remedy_sets_is_valid_reversible_and_new(remedy, before):
    values = remedy.change(before, 64)
    if values is None:
        return
    lines = [settings.assignment(name, value) for name, value in values.items()]
    after = settings.override(before, lines)
    assert len(settings.differences(before, after)) == len(values) > 0
    assert all(name.startswith(CHANGEABLE) for name in values)


@pytest.mark.parametrize("remedies", REMEDIES.values(), ids=list(REMEDIES))
def test_no_remedy_stands_twice_in_a_list_and_each_names_its_source(remedies):
    assert len({remedy.code for remedy in remedies}) == len(remedies)
    assert all("arXiv:" in remedy.source for remedy in remedies)

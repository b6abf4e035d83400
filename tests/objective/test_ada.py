"""The controller against steps counted on paper."""

from itertools import accumulate

import pytest

from facewright.doctor.thresholds import SEEN_ABOVE
from facewright.objective.ada import (
    HELD_OUT_TARGET,
    NEUTRAL,
    WINDOW,
    Adaptation,
    Controller,
    usual_target,
)


def controller(*, target=0.6, stride=0.01, maximum=0.8, weight=1.0):
    return Controller(target, stride, maximum, weight)


def at(probability, signal=0.5):
    return Adaptation(probability, "held-out", signal)


@pytest.mark.parametrize(
    ("measured", "probability"), [(0.9, 0.31), (0.61, 0.31), (0.6, 0.3), (0.59, 0.29), (0.1, 0.29)]
)
def test_photos_known_by_heart_make_distortions_likelier_and_others_less(measured, probability):
    assert controller().moved(at(0.3), measured).probability == pytest.approx(probability)


@pytest.mark.parametrize(("looks", "probability"), [(1, 0.01), (7, 0.07), (79, 0.79), (200, 0.8)])
def test_it_moves_by_one_stride_at_each_look_up_to_the_maximum(looks, probability):
    moments = accumulate([1.0] * looks, controller().moved, initial=at(0.0))
    assert list(moments)[-1].probability == pytest.approx(probability)


def test_it_comes_down_to_nought_and_no_further():
    moments = accumulate([0.0] * 5, controller().moved, initial=at(0.025))
    found = [now.probability for now in moments]
    assert found == pytest.approx([0.025, 0.015, 0.005, 0, 0, 0])
    assert min(found) == 0


def test_a_probability_above_the_maximum_is_taken_down_to_it():
    assert controller(maximum=0.2).moved(at(0.5), 1.0).probability == 0.2


def test_a_measurement_counts_as_much_as_its_weight():
    signals = accumulate([0.9, 0.5], controller(weight=0.25).moved, initial=at(0.0, 0.5))
    # 0.5 + 0.4 / 4 = 0.6, then 0.6 - 0.1 / 4
    assert [now.signal for now in signals] == pytest.approx([0.5, 0.6, 0.575])


def test_the_smoothed_signal_decides_not_the_single_measurement():
    calm = controller(weight=0.1)
    assert calm.moved(at(0.3, signal=0.5), 1.0).probability < 0.3  # 0.55, below 0.6
    assert calm.moved(at(0.3, signal=0.7), 0.0).probability > 0.3  # 0.63


@pytest.mark.parametrize("of", NEUTRAL)
def test_nothing_is_taken_for_learned_by_heart_at_the_beginning(of):
    begun = Adaptation.beginning(0.2, of)
    assert (begun.probability, begun.of) == (0.2, of)
    assert begun.signal == {"held-out": 0.5, "sign": 0.0}[of]
    assert begun.signal < usual_target(of, 5000, 500)


def test_with_many_photos_the_target_lies_between_nothing_and_the_doctors_alarm():
    assert usual_target("held-out", 20_000, 2_000) == HELD_OUT_TARGET
    assert (
        0.5 < HELD_OUT_TARGET < (0.5 + SEEN_ABOVE) / 2
    )  # nearer to nothing: distortions hide some


def test_with_few_photos_chance_alone_does_not_raise_the_probability():
    # (90 + 10 + 1) / (12 * 90 * 10) is 0.0967 squared.
    assert usual_target("held-out", 90, 10) == pytest.approx(0.5 + 2.5 * 0.0967, abs=1e-3)
    assert usual_target("sign", 90, 10) == usual_target("sign", 9000, 1000) == 0.6


def test_the_window_makes_single_looks_quiet():
    weight = 64 / WINDOW
    std = (weight / (2 - weight)) ** 0.5  # of an exponential average, in single standard deviations
    assert 0.051 * std == pytest.approx(0.013, abs=5e-4)

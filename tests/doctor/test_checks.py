"""Every check: guilty, healthy, cannot tell, and what it is known not to see."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from facewright.doctor.balance import (
    DiscriminatorDominance,
    GeneratorDominance,
    WeakDiscriminator,
)
from facewright.doctor.checks import CHECKS, OF_OTHER_LOOPS
from facewright.doctor.convergence import Divergence, Oscillation, Plateau, Stalled
from facewright.doctor.diagnose import diagnose
from facewright.doctor.history import History
from facewright.doctor.overfitting import DiscriminatorOverfitting
from facewright.doctor.own_loop import OtherPhotos, Probabilities, SwappedTargets
from facewright.doctor.progress import RunsAway, StaysAway
from facewright.doctor.variety import Repeats
from tests.doctor.histories import history, looks, snapshot


@pytest.mark.parametrize("check", [*OF_OTHER_LOOPS, *CHECKS], ids=lambda check: check.code)
def test_no_false_alarm_on_fifty_healthy_trainings(check):
    levels = {check.examine(history(seed=seed)).level for seed in range(50)}
    assert "problem" not in levels


def test_a_healthy_training_is_called_healthy():
    assert {diagnose(history(seed=seed)).verdict for seed in range(20)} == {"healthy"}


# NC01


def test_a_loss_that_is_not_finite_is_divergence():
    broken = history(g_loss=lambda step: np.where(step > 599, np.nan, 1.0))
    assert Divergence().examine(broken).level == "problem"


@pytest.mark.parametrize(("logit", "level"), [(40.0, "ok"), (60.0, "problem")])
def test_verdicts_of_a_game_with_a_scale_must_stay_small(logit, level):
    assert Divergence().examine(history(real_logit=logit, d_loss=20.0)).level == level


def test_a_discriminator_that_is_right_every_time_does_not_diverge():
    assert Divergence().examine(history(real_logit=90.0, d_loss=1e-9)).level == "ok"


def test_a_constant_in_all_verdicts_of_a_critic_is_no_divergence():
    shifted = history(game="wasserstein", real_logit=9001.0, fake_logit=9000.0)
    # Noise of 5 % of 9000 averages out over few steps only; what counts is the difference.
    steady = {
        name: np.full(600, {"real_logit": 9001.0, "fake_logit": 9000.0}.get(name, 1.0))
        for name in shifted.steps
    }
    steady["step"] = shifted.steps["step"]
    assert Divergence().examine(shifted.with_steps(steady)).level == "ok"


def test_only_the_difference_counts_in_a_relativistic_game():
    steps = history(game="relativistic").steps
    high = {**steps, "real_logit": np.full(600, 901.0), "fake_logit": np.full(600, 900.0)}
    shifted = history(game="relativistic").with_steps(high)
    assert Divergence().examine(shifted).level == "ok"


def test_one_infinite_gradient_of_mixed_precision_is_no_divergence():
    skipped = history(g_grad_norm=lambda step: np.where(step == 598, np.inf, 3.0))
    assert Divergence().examine(skipped).level == "ok"


def test_a_critic_that_separates_images_by_more_than_they_differ_diverges():
    assert Divergence().examine(history(game="wasserstein", real_logit=900.0)).level == "problem"


def test_gradients_a_thousand_times_their_usual_length_are_divergence():
    burst = history(g_grad_norm=lambda step: np.where(step > 580, 5000.0, 3.0))
    assert Divergence().examine(burst).level == "problem"


def test_divergence_needs_one_moment_only_and_no_grace():
    early = history(5, g_loss=lambda step: np.where(step == 5, np.inf, 1.0), looks=[])
    found = diagnose(early)
    assert (found.verdict, found.findings[0].first_seen_images) == ("divergence", 5 * 64)


def test_known_blind_spot_verdicts_that_grow_slowly_below_the_limit():
    creeping = history(real_logit=lambda step: step / 15)
    assert Divergence().examine(creeping).level == "ok"


# NC02


def test_images_that_do_not_move_are_stalled():
    assert Stalled().examine(history(looks=looks(drift=1e-4))).level == "problem"


def test_the_same_drift_over_fewer_steps_is_faster():
    slow = looks(drift=0.01, drift_steps=400)
    assert Stalled().examine(history(looks=slow)).level == "problem"
    assert Stalled().examine(history(looks=looks(drift=0.01, drift_steps=50))).level == "ok"


def test_standing_still_for_want_of_a_gradient_is_left_to_dominance():
    dead = history(
        looks=looks(drift=1e-4, steepness=1e-8, real_logit=90.0), d_loss=1e-6, real_logit=90.0
    )
    assert Stalled().examine(dead).level == "ok"
    assert diagnose(dead).verdict == "discriminator-dominance"


def test_looks_far_apart_do_not_make_a_moving_training_stand_still():
    # Distances grow up to those of new images, however many steps lie between.
    rare = looks(drift=0.7, drift_steps=20_000)
    assert Stalled().examine(history(looks=rare)).level == "ok"
    assert Plateau().examine(history(looks=rare)).level != "problem"


@pytest.mark.parametrize(("check", "drift"), [(Stalled(), 1e-3), (Plateau(), 0.01)])
@pytest.mark.parametrize(("lr_factor", "set_"), [(1.0, True), (0.1, False)])
def test_images_may_move_less_at_rates_that_a_schedule_lowers(check, drift, lr_factor, set_):
    found = check.examine(history(looks=looks(drift=drift), lr_factor=lr_factor))
    assert (found.level == "problem") == set_


def test_only_the_rates_between_two_looks_count():
    slow = looks(drift=1e-3)
    lowered_before = history(looks=slow, lr_factor=lambda step: np.where(step > 550, 1.0, 0.01))
    assert Stalled().examine(lowered_before).level == "problem"


def test_at_rates_of_zero_nothing_moves():
    still = history(looks=looks(drift=0.0), lr_factor=0.0)
    assert Stalled().examine(still).level == "problem"


def test_one_snapshot_cannot_tell_whether_anything_moves():
    first = history(looks=[snapshot(drift=None, drift_steps=None)])
    assert Stalled().examine(first).level == "cannot tell"


# NC03


def _leads(period: float, height: float = 1.0):
    return lambda step: height * np.sign(np.sin(2 * np.pi * step / period))


def test_players_that_overtake_each_other_in_turns_circle():
    circling = history(real_logit=_leads(100), fake_logit=_leads(100, -1.0), d_loss=1.6)
    assert Oscillation().examine(circling).level == "problem"
    assert diagnose(circling).verdict == "oscillation"


def test_a_lead_smaller_than_the_spread_within_a_batch_is_none():
    noise = history(real_logit=_leads(100, 0.1), fake_logit=_leads(100, -0.1), d_loss=1.6)
    assert Oscillation().examine(noise).level == "ok"


def test_known_blind_spot_cycles_longer_than_the_window():
    slow = history(1200, real_logit=_leads(1000), fake_logit=_leads(1000, -1.0), d_loss=1.6)
    assert Oscillation().examine(slow).level == "ok"


# NC04


def test_images_that_crawl_are_a_plateau():
    assert Plateau().examine(history(looks=looks(drift=0.01))).level == "problem"


@pytest.mark.parametrize(("late", "level"), [(1.0, "problem"), (0.5, "ok")])
def test_a_distance_that_no_longer_falls_is_a_plateau(late, level):
    scores = [(3840 * i, 1.0 if i <= 7 else late) for i in range(1, 11)]
    assert Plateau().examine(history(scores=scores)).level == level


def test_without_scored_checkpoints_nobody_knows_whether_it_gets_better():
    assert Plateau().examine(history()).level == "cannot tell"


# BA


def test_a_discriminator_without_mistakes_dominates():
    assert DiscriminatorDominance().examine(history(d_loss=1e-4)).level == "problem"


@pytest.mark.parametrize(("distances", "level"), [((0.5, 0.3), "ok"), ((0.5, 0.48), "problem")])
def test_a_discriminator_without_mistakes_may_be_a_good_teacher(distances, level):
    seen = [
        snapshot(step, distance=distance)
        for step, distance in zip((550, 600), distances, strict=True)
    ]
    assert DiscriminatorDominance().examine(history(d_loss=1e-3, looks=seen)).level == level


def test_known_blind_spot_images_that_get_better_for_now():
    fast = looks(400)
    learning = [replace(look, distance=1 / look.step) for look in fast]
    assert diagnose(history(400, d_loss=1e-3, looks=learning)).verdict == "healthy"


def test_a_sure_discriminator_whose_gradient_vanishes_dominates():
    flat = history(d_loss=0.3, looks=looks(steepness=1e-6))
    assert DiscriminatorDominance().examine(flat).level == "problem"


def test_a_flat_discriminator_that_is_not_sure_does_not_dominate():
    flat = history(d_loss=1.38, looks=looks(steepness=1e-6))
    assert DiscriminatorDominance().examine(flat).level == "ok"


def test_dominance_is_relative_to_the_draw_of_the_game():
    # 0.005 is 2 % of the draw of least squares, and 0.4 % of that of cross entropy.
    assert DiscriminatorDominance().examine(history(d_loss=0.005)).level == "problem"
    squares = history(d_loss=0.005, game="least-squares")
    assert DiscriminatorDominance().examine(squares).level == "ok"


def test_nobody_dominates_a_game_without_scale():
    critic = history(game="wasserstein", d_loss=-5.0)
    assert DiscriminatorDominance().examine(critic).level == "cannot tell"


def test_a_discriminator_that_prefers_generated_images_is_dominated():
    fooled = history(real_logit=-1.0, fake_logit=1.0, d_loss=2.6)
    assert GeneratorDominance().examine(fooled).level == "problem"
    assert diagnose(fooled).verdict == "generator-dominance"


def test_a_preference_too_faint_to_cost_anything_is_no_dominance():
    faint = history(real_logit=-1e-6, fake_logit=1e-6, real_logit_std=1e-7, d_loss=1.3863)
    steady = {**faint.steps, "d_loss": np.full(600, 1.3863)}
    assert GeneratorDominance().examine(faint.with_steps(steady)).level == "ok"


def _undecided(**changes):
    return history(real_logit=0.01, fake_logit=0.01, looks=looks(**changes))


@pytest.mark.parametrize(("js_bits", "level"), [(0.97, "problem"), (0.4, "ok")])
def test_only_another_judge_knows_a_draw_from_a_weak_discriminator(js_bits, level):
    assert WeakDiscriminator().examine(_undecided(js_bits=js_bits)).level == level


@pytest.mark.parametrize(("std", "level"), [(0.002, "problem"), (0.05, "cannot tell")])
def test_a_discriminator_that_sees_a_difference_must_say_so(std, level):
    # Both kinds are 0.008 apart: four deviations, or a sixth of one; the loss is that of a draw.
    at_a_draw = history(real_logit=0.004, fake_logit=-0.004, real_logit_std=std, fake_logit_std=std)
    steady = {**at_a_draw.steps, "d_loss": np.full(600, 1.3843)}
    assert WeakDiscriminator().examine(at_a_draw.with_steps(steady)).level == level


def test_a_discriminator_may_be_sure_of_a_difference_that_it_is_paid_for():
    assert WeakDiscriminator().examine(history(d_loss=0.8)).level == "ok"


def test_nobody_asked_a_fresh_judge():
    assert WeakDiscriminator().examine(_undecided()).level == "cannot tell"


# MC01


def test_sixty_four_images_for_all_latents_are_a_collapse():
    found = Repeats().examine(history(looks=looks(support=64.0)))
    assert found.level == "problem"
    assert found.evidence["support"] == 64.0


def test_images_crowded_together_are_a_collapse_without_any_copy():
    assert Repeats().examine(history(looks=looks(nearest_ratio=0.1))).level == "problem"


def test_as_many_images_as_there_are_photos_are_no_collapse():
    few = history(looks=looks(support=60.0), n_train=100)
    assert Repeats().examine(few).level == "ok"


def test_a_generator_that_unfolds_look_by_look_has_not_collapsed():
    unfolding = [snapshot(s, diversity=s / 4000, support=1.2) for s in range(50, 601, 50)]
    assert Repeats().examine(history(looks=unfolding)).level == "cannot tell"
    assert Repeats().examine(history(looks=looks(diversity=0.15, support=1.2))).level == "problem"


def test_more_and_more_images_are_no_collapse_but_always_as_few_are():
    more = [snapshot(s, support=float(s) ** 1.5 / 100) for s in range(50, 601, 50)]
    assert Repeats().examine(history(looks=more[:6])).level == "cannot tell"
    same = [snapshot(s, support=15.0 + s % 3) for s in range(50, 601, 50)]
    assert Repeats().examine(history(looks=same)).level == "problem"


def test_photos_that_have_copies_leave_the_distances():
    assert Repeats().examine(history(looks=looks(support=None))).level == "ok"


def test_a_rare_label_with_one_image_is_a_collapse_that_all_images_together_hide():
    found = Repeats().examine(history(looks=looks(support=3_000.0, label_support=1.2)))
    assert found.level == "problem"
    assert "of one label it makes only about 1 different image" in found.message
    assert Repeats().examine(history(looks=looks(label_support=45.0))).level == "ok"


def test_known_blind_spot_half_of_the_photos_left_out():
    assert Repeats().examine(history(looks=looks(coverage=0.2))).level == "ok"


# OV01


def _overfitting(by_heart: float, distances: Sequence[float] = (), **changes: Any) -> History:
    """A discriminator whose lead is 2, of which a part is which photos it has seen."""
    known = {"seen_above_held_out": 0.62, "held_out_logit": 1.0 - 2 * by_heart, **changes}
    steady = looks(**known)
    early, late = np.split(np.array(steady), [len(steady) - len(distances)])
    late = [replace(look, distance=d) for look, d in zip(late, distances, strict=True)]
    return history(looks=[*early, *late])


GETTING_WORSE = (0.016, 0.022, 0.024, 0.024, 0.027)
"""After a distance of 0.01."""
GETTING_BETTER = (0.009, 0.011, 0.008, 0.007)


def test_photos_known_by_heart_are_a_problem_even_if_images_get_better():
    found = diagnose(_overfitting(0.7, GETTING_BETTER))
    assert (found.verdict, found.grade) == ("discriminator-overfitting", "problem")


def test_photos_known_in_part_are_a_problem_once_images_get_worse():
    found = diagnose(_overfitting(0.2, GETTING_WORSE))
    assert (found.verdict, found.grade) == ("discriminator-overfitting", "problem")
    assert "2.4 times as far" in found.message


@pytest.mark.parametrize("by_heart", [0.2, 0.4])
def test_photos_known_in_part_are_to_be_watched_while_images_get_no_worse(by_heart):
    found = diagnose(_overfitting(by_heart, GETTING_BETTER))
    assert (found.verdict, found.grade) == ("healthy", "watch")
    assert "nothing is wrong yet" in found.message
    assert [finding.grade for finding in found.findings] == ["watch"]


@pytest.mark.parametrize("seed", range(50))
def test_distances_that_only_scatter_do_not_get_worse_however_many_they_are(seed):
    # By as much as those of a training on 56 photos that no longer moved.
    noise = np.exp(0.24 * np.random.default_rng(seed).standard_normal(60))
    known = {"seen_above_held_out": 0.62, "held_out_logit": 0.6}
    many = [snapshot(50 * n, distance=0.015 * d, **known) for n, d in enumerate(noise, start=1)]
    assert diagnose(history(3000, looks=many)).grade == "watch"


def test_distances_of_a_healthy_demo_do_not_get_worse():
    # Its rates fall late, before which medians of three lie up to 1.5 times above their least.
    seen = [0.0315, 0.0154, 0.0091, 0.0073, 0.0095, 0.0161, 0.0137, 0.0036, 0.0021]
    demo = [
        replace(look, distance=distance)
        for look, distance in zip(looks(450, seen_above_held_out=0.6), seen, strict=True)
    ]
    for count in range(2, 10):
        opinion = DiscriminatorOverfitting().examine(history(450, looks=demo[:count]))
        assert opinion.level == "watch"


def test_what_lies_within_the_distance_of_photos_from_photos_does_not_get_worse():
    near = _overfitting(0.2, [0.0001, -0.0002, 0.0001, 0.001, 0.0015, 0.0012])
    assert DiscriminatorOverfitting().examine(near).level == "watch"


def test_whether_images_get_worse_takes_more_than_three_looks():
    for count, told in ((3, False), (4, True)):
        few = history(looks=_overfitting(0.2).snapshots[:count])
        found = DiscriminatorOverfitting().examine(few)
        assert found.level == "watch"
        assert ("nothing is wrong yet" in found.message) is told
        assert ("distance_over_best" in found.evidence) is told


def test_one_bad_look_is_not_yet_harm():
    once = _overfitting(0.2, [0.01, 0.01, 0.01, 0.03])
    assert DiscriminatorOverfitting().examine(once).level == "watch"


def test_images_that_get_worse_are_no_overfitting_while_photos_are_rated_alike():
    alike = _overfitting(0.0, GETTING_WORSE, seen_above_held_out=0.52)
    assert DiscriminatorOverfitting().examine(alike).level == "ok"


@pytest.mark.parametrize("held_out", [-0.4, -4.0])
def test_photos_that_lead_nobody_are_not_known_by_heart(held_out):
    behind = _overfitting(0.7, real_logit=-2.0, held_out_logit=held_out, fake_logit=1.0)
    assert DiscriminatorOverfitting().examine(behind).level == "watch"


@pytest.mark.parametrize("count", [0, 1])
def test_of_overfitting_one_look_cannot_tell(count):
    few = history(looks=looks(seen_above_held_out=0.9)[:count])
    assert DiscriminatorOverfitting().examine(few).level == "cannot tell"


def test_of_few_photos_some_excess_is_chance():
    some = looks(seen_above_held_out=0.62)
    assert DiscriminatorOverfitting().examine(history(looks=some)).level == "watch"
    assert DiscriminatorOverfitting().examine(history(looks=some, n_train=20)).level == "ok"


@pytest.mark.parametrize(("held_out", "level"), [(None, "watch"), (512, "watch"), (30, "ok")])
def test_of_few_held_out_photos_too(held_out, level):
    some = replace(history(looks=looks(seen_above_held_out=0.62)), n_held_out=held_out)
    assert DiscriminatorOverfitting().examine(some).level == level


def test_rating_held_out_photos_higher_is_not_overfitting():
    assert (
        DiscriminatorOverfitting().examine(history(looks=looks(seen_above_held_out=0.3))).level
        == "ok"
    )


def test_known_blind_spot_held_out_photos_of_another_kind():
    # Nothing was learned by heart; the others are simply not like those it trained on.
    apart = _overfitting(0.7, GETTING_BETTER, seen_above_held_out=0.95)
    assert DiscriminatorOverfitting().examine(apart).level == "problem"


# NC05, NC06


def at_distances(*distances: float) -> list[Any]:
    """Looks at images so far from the photos."""
    steps = range(50, 50 * len(distances) + 1, 50)
    return [snapshot(step, distance=d) for step, d in zip(steps, distances, strict=True)]


@pytest.mark.parametrize(
    ("distances", "level"),
    [
        ((0.5, 0.1, 0.02, 0.01, 0.01, 0.3, 0.5), "problem"),  # black photos from the middle on
        ((0.5, 0.1, 0.02, 0.01, 0.01, 0.3, 0.02), "ok"),  # one look alone
        ((0.5, 0.1, 0.02, 0.01, 0.01, 0.05, 0.06), "problem"),  # rates a hundred times as high
        ((0.5, 0.1, 0.02, 0.01, 0.004, 0.015, 0.02), "ok"),  # worse, and still near
        ((0.5, 0.4, 0.3, 0.25, 0.2, 0.22, 0.24), "ok"),  # never near: NC06
        ((0.5, 0.1, 0.02, 0.5), "cannot tell"),
    ],
)
def test_images_that_were_near_photos_and_are_far_have_run_away(distances, level):
    moment = history(50 * len(distances), looks=at_distances(*distances))
    assert RunsAway().examine(moment).level == level


@pytest.mark.parametrize(
    ("distances", "level"),
    [
        ((0.5, 0.52, 0.49, 0.5, 0.51, 0.5, 0.5), "problem"),  # noise to the end
        ((0.5, 0.49, 0.48, 0.47, 0.46, 0.45, 0.44), "problem"),  # a hair nearer at each look
        ((0.9, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2), "ok"),  # slow, and learning
        ((0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.2), "ok"),  # no nearer once
        ((0.9, 0.7, 0.6, 0.5, 0.4, 0.33, 0.28, 0.2), "watch"),  # still so after 400 steps
        ((0.5, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1), "ok"),  # near
        ((0.5, 0.5, 0.5, 0.5, 0.5), "cannot tell"),
    ],
)
def test_images_that_stay_far_from_photos_come_no_nearer(distances, level):
    moment = history(50 * len(distances), looks=at_distances(*distances))
    assert StaysAway().examine(moment).level == level


def test_looks_before_a_held_generator_learns_do_not_count():
    far = at_distances(*[0.3] * 7)
    assert StaysAway().examine(history(350, looks=far)).level == "problem"
    held = replace(history(350, looks=far), held_images=far[3].images_seen)
    assert StaysAway().examine(held).level == "cannot tell"


@pytest.mark.parametrize("game", ["non-saturating", "wasserstein"])
def test_what_has_run_away_is_not_forgotten_before_images_are_back(game):
    def ended(distance: float) -> History:
        loud = snapshot(300, real_logit=900.0, distance=0.4)
        return history(looks=[*looks(250), loud, snapshot(600, distance=distance)], game=game)

    assert Divergence().examine(ended(0.1)).level == "problem"
    assert Divergence().examine(ended(0.011)).level == "ok"


def test_a_discriminator_that_was_loud_because_it_is_right_has_not_run_away():
    loud = [snapshot(300, real_logit=90.0, distance=0.4), snapshot(600, distance=0.4)]
    sure = history(looks=[*looks(250), *loud], d_loss=1e-9)
    assert Divergence().examine(sure).level == "ok"


def test_a_critic_whose_verdicts_all_are_tens_of_thousands_has_run_away():
    steady = {name: np.full(600, 1.0) for name in history().steps}
    steady |= {"step": history().steps["step"], "real_logit": np.full(600, 25_001.0)}
    steady["fake_logit"] = np.full(600, 25_000.0)
    critic = history(game="wasserstein").with_steps(steady)
    assert Divergence().examine(critic).level == "problem"


# LP


@pytest.mark.parametrize(("shown", "level"), [(1.0, "ok"), (2.0, "ok"), (2.5, "problem")])
def test_photos_of_the_loop_are_rated_like_those_that_the_doctor_was_given(shown, level):
    # A standard deviation of verdicts is 0.7, and the photos that were given are at 1.
    assert OtherPhotos().examine(history(real_logit=shown)).level == level


def test_verdicts_that_wander_say_little_at_one_look():
    wandering = history(real_logit=lambda step: 3.0 + 2.5 * np.sin(step / 3))
    assert OtherPhotos().examine(wandering).level == "ok"


@pytest.mark.parametrize(
    ("told", "found", "level"),
    [
        (0.8, 0.8, "ok"),
        (0.4, 0.8, "ok"),  # halved, as some do
        (0.02, 20.0, "problem"),
        (20.0, 20.0, "ok"),  # a generator that wins
        (np.nan, 20.0, "cannot tell"),
    ],
)
def test_a_loss_that_its_own_verdicts_contradict_has_swapped_targets(told, found, level):
    assert SwappedTargets().examine(history(d_loss_told=told, d_loss=found)).level == level


@pytest.mark.parametrize(
    ("photos", "fakes", "spread", "level"),
    [
        (0.7, 0.4, 0.1, "problem"),
        (0.9, 0.5, 0.2, "ok"),  # above 1, as probabilities never are
        (0.5, 0.1, 0.2, "ok"),  # below 0
    ],
)
def test_verdicts_that_all_lie_between_0_and_1_are_probabilities(photos, fakes, spread, level):
    spreads = {"real_logit_std": spread, "fake_logit_std": spread}
    moment = history(real_logit=photos, fake_logit=fakes, **spreads)
    assert Probabilities().examine(moment).level == level

import json
from dataclasses import replace

import numpy as np
import pytest

from facewright.doctor.checks import CHECKS, OF_OTHER_LOOPS
from facewright.doctor.diagnose import Diagnosis, Examination, diagnose, examination_of
from facewright.doctor.finding import Assessment, Finding
from facewright.doctor.history import History
from facewright.doctor.monitor import Monitor
from facewright.doctor.overfitting import DiscriminatorOverfitting
from facewright.json_form import restored
from tests.doctor.histories import BATCH, history, looks, snapshot


def _collapsed(*steps: int):
    """Snapshots every 50 steps, collapsed at the given ones."""
    return [snapshot(step, support=8.0 if step in steps else np.inf) for step in range(50, 601, 50)]


def test_a_problem_seen_once_is_no_finding():
    assert diagnose(history(looks=_collapsed(400))).findings == []


def test_a_problem_that_only_the_last_look_saw_is_no_verdict_but_is_told():
    found = diagnose(history(looks=_collapsed(600)))
    assert (found.verdict, found.findings) == ("healthy", [])
    assert "the last look saw mode-collapse" in found.message
    assert "mode-collapse" not in diagnose(history(looks=_collapsed(400))).message


def test_losses_of_a_lost_game_are_not_called_without_failure_for_want_of_looks():
    few = diagnose(history(400, looks=[], d_loss=1e-9, real_logit=30.0, fake_logit=-30.0))
    assert few.verdict == "not-applicable" or few.findings
    assert "show no failure" not in few.message


def _graded(grades: str) -> Diagnosis:
    """One look for each letter: ok, watch or problem."""

    class Scripted(DiscriminatorOverfitting):
        def examine(self, history: History) -> Assessment:
            return assessments[grades[len(history.snapshots) - 4]]

    assessments = {letter[0]: Assessment(letter, letter) for letter in ("ok", "watch", "problem")}
    return diagnose(history(looks=looks()).until((3 + len(grades)) * 50 * BATCH), (Scripted(),))


@pytest.mark.parametrize(
    ("grades", "verdict", "grade", "found"),
    [
        ("oooo", "healthy", "ok", []),
        ("ooww", "healthy", "watch", ["watch"]),
        ("ooow", "healthy", "ok", []),
        ("wwoo", "healthy", "ok", ["watch"]),
        ("wwpp", "discriminator-overfitting", "problem", ["watch", "problem"]),
        ("wpwp", "healthy", "watch", ["watch"]),
        ("wopp", "discriminator-overfitting", "problem", ["problem"]),
        ("ppww", "healthy", "watch", ["problem", "watch"]),
    ],
)
def test_what_is_to_be_watched_is_found_like_a_problem_and_is_none(grades, verdict, grade, found):
    said = _graded(grades)
    assert (said.verdict, said.grade) == (verdict, grade)
    assert [finding.grade for finding in said.findings] == found
    assert [row["grade"] for row in said.as_json()["findings"]] == found
    assert said.as_json()["grade"] == grade


def test_a_problem_of_one_look_among_others_does_not_speak_for_them():
    (finding,) = _graded("wwwp").findings
    assert (finding.message, finding.looks, finding.active) == ("watch", 4, True)


def test_what_is_to_be_watched_explains_no_problem():
    watched = looks(seen_above_held_out=0.6)
    collapsed = [replace(s, support=8.0 if s.step > 400 else np.inf) for s in watched]
    found = diagnose(history(looks=collapsed))
    assert found.verdict == "mode-collapse"
    assert {(f.code, f.grade) for f in found.findings} == {("MC01", "problem"), ("OV01", "watch")}


@pytest.mark.parametrize(
    ("sick", "verdict", "grade"),
    [
        ({"drift": 0.01}, "plateau", "watch"),
        ({"drift": 1e-5}, "stalled", "problem"),
        ({}, "healthy", "ok"),
    ],
)
def test_a_plateau_is_a_verdict_and_only_to_be_watched(sick, verdict, grade):
    found = diagnose(history(looks=looks(**sick)))
    assert (found.verdict, found.grade) == (verdict, grade)
    assert {f.verdict: f.grade for f in found.findings}.get(verdict, "ok") == grade


def test_too_few_steps_to_judge_are_to_be_watched():
    assert diagnose(history(20, looks=[])).grade == "watch"


def test_a_problem_begins_with_the_first_of_two_moments():
    (finding,) = diagnose(history(looks=_collapsed(500, 550, 600))).findings
    assert finding.first_seen_images == 500 * BATCH
    assert finding.active


def test_numbers_out_of_bounds_need_no_second_look():
    late = lambda step: np.where(step > 590, 900.0, 1.0)  # noqa: E731
    assert diagnose(history(real_logit=late, d_loss=9.0)).verdict == "divergence"


def test_a_problem_that_has_passed_is_told_but_gives_no_verdict():
    found = diagnose(history(looks=_collapsed(300, 350)))
    assert found.verdict == "healthy"
    (finding,) = found.findings
    assert (finding.first_seen_images, finding.images_seen) == (300 * BATCH, 350 * BATCH)
    assert not finding.active


def test_two_stretches_are_two_findings():
    assert len(diagnose(history(looks=_collapsed(300, 350, 500, 550))).findings) == 2


def test_nothing_is_judged_in_the_first_steps():
    early = history(150, looks=looks(150, support=1.0))
    assert diagnose(early).verdict == "not-applicable"
    assert diagnose(early).findings == []


def test_a_run_without_steps_is_not_applicable():
    assert diagnose(history(0, looks=[])).verdict == "not-applicable"


def test_the_most_serious_problem_gives_the_verdict():
    both = history(
        looks=looks(support=1.0, drift=1e-5, real_logit=900.0, real_logit_std=90.0),
        real_logit=900.0,
        d_loss=9.0,
    )
    assert diagnose(both).verdict == "divergence"
    assert [f.verdict for f in diagnose(both).findings] == [
        "divergence",
        "stalled",
        "mode-collapse",
    ]


def _collapsed_and_dominated(collapsed: int, dominated: int):
    """A collapse from one step on, and generated images preferred from another one on."""
    fakes_above = lambda step: np.where(step > dominated - 95, 3.0, -1.0)  # noqa: E731
    return diagnose(
        history(looks=_collapsed(*range(collapsed, 601, 50)), fake_logit=fakes_above, d_loss=2.0)
    )


def test_what_began_first_gives_the_verdict_as_the_rest_follows_from_it():
    found = _collapsed_and_dominated(collapsed=250, dominated=450)
    assert [f.verdict for f in found.findings] == ["generator-dominance", "mode-collapse"]
    assert found.verdict == "mode-collapse"
    assert _collapsed_and_dominated(collapsed=500, dominated=300).verdict == "generator-dominance"


def test_of_what_began_within_two_looks_the_most_serious_gives_the_verdict():
    assert _collapsed_and_dominated(collapsed=350, dominated=450).verdict == "generator-dominance"


def test_numbers_that_run_away_give_the_verdict_whenever_they_begin():
    late = lambda step: np.where(step > 590, 900.0, 1.0)  # noqa: E731
    ill = history(looks=_collapsed(*range(200, 601, 50)), real_logit=late, d_loss=9.0)
    assert diagnose(ill).verdict == "divergence"


def test_live_and_afterwards_are_the_same():
    whole = history(
        looks=_collapsed(300, 350, 500, 550), d_loss=lambda s: np.where(s > 400, 1e-4, 1)
    )
    live = Examination()
    for look in whole.snapshots:
        live.look(whole.until(look.images_seen))
    assert live.diagnosis() == diagnose(whole)


@pytest.mark.parametrize("images", [6400, 19200, 38400])
def test_the_past_is_judged_without_the_future(images):
    whole = history(looks=_collapsed(300, 350, 400))
    later = replace(whole, steps={name: column.copy() for name, column in whole.steps.items()})
    later.steps["d_loss"][images // BATCH :] = np.nan
    assert diagnose(whole.until(images)) == diagnose(later.until(images))


def test_one_snapshot_and_the_end_after_it_are_not_two_looks():
    few = history(620, looks=_collapsed(600))
    assert diagnose(few).findings == []


def test_without_snapshots_the_losses_still_tell_something():
    blind = history(looks=[], d_loss=1e-4)
    assert diagnose(blind).verdict == "discriminator-dominance"
    assert diagnose(blind).as_json()["cannot_tell"].keys() >= {"MC01", "NC02", "OV01"}


def test_nobody_is_healthy_whom_nobody_looked_at():
    assert diagnose(history(looks=[])).verdict == "not-applicable"


def test_evidence_without_bounds_is_still_json():
    crowded = history(looks=looks(nearest_ratio=0.1))
    (finding,) = diagnose(crowded).findings
    assert (
        json.loads(json.dumps(finding.as_json(), allow_nan=False))["evidence"]["support"] == "inf"
    )


def test_every_check_names_its_remedy_source_and_blind_spot():
    known = (*OF_OTHER_LOOPS, *CHECKS)
    for check in known:
        assert all((check.title, check.remedy, check.source, check.blind_spot)), check.code
    assert len({check.code for check in known}) == len(known)


def test_mistakes_of_a_loop_are_looked_for_in_loops_that_are_not_ours():
    swapped = history(d_loss_told=0.02, d_loss=20.0)
    assert "LP02" not in diagnose(swapped).assessments
    others = replace(swapped, is_ours=False)
    assert "LP02" in {finding.code for finding in diagnose(others).findings}


def test_an_examination_goes_on_where_another_one_stopped():
    whole = history(looks=_collapsed(300, 350, 400))
    half = examination_of(whole.until(300 * BATCH))
    for look in whole.snapshots[6:]:
        half.look(whole.until(look.images_seen))
    assert half.diagnosis() == diagnose(whole)


def test_numbers_that_were_not_finite_once_are_found_between_two_looks_live_and_afterwards():
    once = history(g_loss=lambda step: np.where((step > 129) & (step < 133), np.inf, 1.2))
    (finding,) = diagnose(once).findings
    assert (finding.code, finding.first_seen_images) == ("NC01", 130 * BATCH)
    assert finding.message == "g_loss not finite, first at step 130"
    assert not finding.active
    monitor, rows = Monitor(once.until(0)), rows_of(once)
    for look in once.snapshots:
        monitor.note(rows[look.step - 50 : look.step])
        monitor.add(look)
    assert monitor.diagnosis() == diagnose(once)


def test_numbers_that_stay_infinite_are_told_once_with_the_step_in_which_they_began():
    broken = history(looks=[], g_loss=lambda step: np.where(step > 129, np.nan, 1.2))
    (finding,) = diagnose(broken).findings
    assert (finding.first_seen_images, finding.active) == (130 * BATCH, True)
    assert "first at step 130" in finding.message


def test_a_finding_survives_its_record_and_one_of_an_earlier_version_is_read():
    (finding,) = diagnose(history(looks=looks(nearest_ratio=0.1))).findings
    row = json.loads(json.dumps(finding.as_json(), allow_nan=False))
    assert Finding.from_json(restored(row)) == finding
    early = {name: row[name] for name in row if name not in ("images_seen", "looks", "active")}
    assert Finding.from_json(early).images_seen == finding.first_seen_images


def rows_of(known):
    """The steps as the recorder hands them on."""
    return [
        dict(zip(known.steps, values, strict=True))
        for values in zip(*known.steps.values(), strict=True)
    ]


def test_a_generator_that_is_held_is_not_called_stalled_until_it_is_let_go():
    still = looks(drift=0.0)
    assert diagnose(history(looks=still)).verdict == "stalled"
    held = replace(history(looks=still), held_images=600 * BATCH)
    assert diagnose(held).verdict == "not-applicable"
    assert "held" in diagnose(held).assessments["NC02"].message
    let_go = replace(history(looks=still), held_images=300 * BATCH)
    assert diagnose(let_go).verdict == "stalled"
    assert diagnose(let_go).findings[0].first_seen_images > 300 * BATCH

"""Lessons 1 and 2: what their claims say, from their own numbers."""

import pytest

from facewright.equilibria.games import bilinear, quadratic
from facewright.lessons import minimax, nash, tutorial
from facewright.lessons.lesson import Setting
from facewright.lessons.orbits import dirac_orbits, found_gains, place


@pytest.fixture(scope="module")
def quick():
    return Setting(quick=True)


@pytest.mark.slow
def test_the_nash_lesson_predicts_what_its_games_do(quick):
    lecture = nash.teach(quick)
    numbers = lecture.numbers
    assert numbers["fates"]["3x² + 4xy - y²"]["eigenvalue"] == pytest.approx([4, 3.464102])
    assert numbers["fates"]["xy, both at once"]["left"] > 1.5
    assert numbers["resting"]["stability"] == "stable"
    held = {claim.sentence.split(",")[0]: claim.holds for claim in lecture.claims}
    for fact in (
        "Taking turns on xy",
        "Moving at once",
        "The eigenvalues of the Dirac-GAN are those of the paper",
        "The bare games",
        "The search behind `facewright equilibrium` finds the duality gap of the formula to 1 %",
        "Training may rest where there is no Nash equilibrium: one player could gain alone",
    ):
        assert held[fact] is True, fact
    text = tutorial.markdown(
        nash.LESSON, lecture, tutorial.Circumstances("facewright lesson nash", 1.0)
    )
    assert "0.15 ± 0.477i" in text
    assert "normal for good GANs" in text


def test_regularisers_bring_the_dirac_gan_to_rest_and_the_others_do_not():
    by_name = {orbit.name: orbit for orbit in dirac_orbits(300)}
    ends = {name: float(orbit.distances[-30:].max()) for name, orbit in by_name.items()}
    for name in ("R1, gamma 0.3", "relativistic, R1 + R2", "noise, sigma 0.7", "consensus 1"):
        assert ends[name] < 0.01
        assert by_name[name].reading.stability == "stable"
    for name in ("bare, both at once", "bare, taking turns", "WGAN, gradient penalty"):
        assert ends[name] > 0.9
    assert ends["WGAN, clipped at 0.5"] > 0.4


def test_the_search_finds_the_regrets_of_the_formula():
    one = place(1.0, 0.0)[0][None]
    for game in (quadratic(6 * one, 4 * one, 2 * one), bilinear(one, limit=3.0)):
        at = place(0.7, -0.4)
        assert game.regrets is not None
        exact = [float(regret) for regret in game.regrets(*at)]
        assert found_gains(game, at) == pytest.approx(exact, abs=1e-3)


def test_the_minimax_lesson_claims_only_what_it_measured(quick):
    lecture = minimax.teach(quick)
    assert set(lecture.figures) == {"verdicts", "values", "ring"}
    duels = lecture.numbers["duels"]
    assert duels["N(0, 1) and N(2, 1)"]["best_value"] == pytest.approx(-0.712633, abs=1e-5)
    assert duels["ring of 8, every second"]["js_nats"] == pytest.approx(0.2158, abs=1e-3)
    held = [claim.holds for claim in lecture.claims]
    # So few steps do not reach the formula, and the lesson says so; bounds hold at any time.
    assert held[0] is False
    assert held[2] is True
    assert held[3] is True
    text = tutorial.markdown(
        minimax.LESSON, lecture, tutorial.Circumstances("facewright lesson", 1.0)
    )
    assert "**does not hold**" in text

"""A few of the labelled trainings, made anew: the doctor beside a loop that is not ours."""

from dataclasses import replace

import benchmarks.failures.training as failures
import pytest
from benchmarks.failures.campaign import CAMPAIGN
from benchmarks.failures.oracle import Facts
from benchmarks.failures.recipes import ALL, DEVELOPMENT, HELD_OUT, RECIPES
from benchmarks.failures.scoring import Case, f1, macro_f1, summary

from facewright.doctor.diagnose import Diagnosis, diagnose
from tests.stores import write_store

PLAIN = [replace(recipe, name="", half="bugs") for recipe in CAMPAIGN]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    write_store(folder / failures.STORES["celeba"], count=800, size=16)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bn-faces", "one-latent", "detached", "minimax-faces", "no-rate", "sgd"]
)
def test_the_doctor_says_what_the_training_was_made_to_be(name, stores, tmp_path, monkeypatch):
    monkeypatch.setattr(failures, "WIDTH", 8)
    recipe = replace(RECIPES[name], data="celeba", steps=300, side=16)
    history = failures.train(recipe, 0, stores, tmp_path).history
    assert diagnose(history).verdict in (recipe.label, *recipe.also)


def test_the_halves_share_neither_recipes_nor_faces():
    assert not {r.name for r in DEVELOPMENT} & {r.name for r in HELD_OUT}
    assert {r.data for r in DEVELOPMENT} & {r.data for r in HELD_OUT} == {"mnist"}
    settings = [replace(r, name="", half="development") for r in DEVELOPMENT + HELD_OUT]
    assert len(set(map(repr, settings))) == len(settings)


def test_what_is_sealed_shares_no_recipe_with_what_may_be_looked_at():
    halves = [{r.half for r in ALL if replace(r, name="", half="bugs") == one} for one in PLAIN]
    assert {frozenset(half) for half in halves} == {frozenset({"bugs"}), frozenset({"sealed"})}


def test_every_verdict_has_three_recipes_in_each_half():
    for half in (DEVELOPMENT, HELD_OUT):
        labels = [recipe.label for recipe in half]
        assert all(labels.count(label) >= 3 for label in set(labels))
        assert len(set(labels)) == 10


def _case(label: str, said: str, detected: int | None = 250) -> Case:
    recipe = next(r for r in DEVELOPMENT if r.label == label)
    found = Diagnosis(said, "", [], {}, 0)  # pyright: ignore
    return Case(recipe, 0, Facts({600: 1.0}, 400, 0.0, 1.0, finite=True), 1.0, found, detected)


def test_macro_f1_weighs_rare_verdicts_like_frequent_ones():
    cases = [_case("healthy", "healthy")] * 9 + [_case("stalled", "healthy")]
    # Healthy: precision 0.9, recall 1; stalled: never said.
    assert f1(cases, "healthy") == pytest.approx(18 / 19)
    assert macro_f1(cases) == pytest.approx(9 / 19)


def test_delays_count_from_the_onset_in_parts_of_the_run():
    assert _case("stalled", "stalled", 320).delay == pytest.approx(120 / 600)
    assert summary([_case("stalled", "stalled", None)])["detected"] == 0

"""What ships together belongs together: model, card, generated faces and recipe."""

import json

import pytest

from facewright.data.sources import synthetic
from facewright.models import bundle
from facewright.models.bundle import SUFFIX, Bundle
from facewright.models.bundled import BUNDLED, bundled_names
from facewright.planning.recipes import RECIPES, read_recipe
from facewright.shipping.card_page import markdown


@pytest.fixture(scope="module", params=sorted({"faces-28", "faces-64", *bundled_names()}))
def model(request) -> Bundle:
    """Each model that comes with Facewright, and those that the README promises."""
    return bundle.read(BUNDLED / f"{request.param}{SUFFIX}")


def test_the_card_has_the_name_by_which_the_model_is_known(model):
    assert model.about.card.name == model.path.stem


def test_the_page_beside_a_model_is_that_of_its_card(model):
    page = model.path.with_suffix(".md").read_text(encoding="utf-8")
    assert page == markdown(model.about.card, bundled=True)


def test_a_model_has_the_networks_of_the_recipe_that_its_card_names(model):
    assert model.about.model == read_recipe(model.about.card.training.recipe).model


def test_a_model_was_exported_with_a_clean_audit_and_trained_in_health(model):
    card = model.about.card
    assert not card.forced
    assert (card.audit.verdict, card.doctor.verdict) == ("no sign of copying", "healthy")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_no_recipe_names_a_folder_that_users_do_not_have(path):
    assert "../" not in path.read_text(encoding="utf-8")


def test_the_generated_faces_are_those_of_the_model_that_ships():
    about = json.loads((synthetic.FOLDER / f"{synthetic.NAME}.json").read_text(encoding="utf-8"))
    name = about["model"]["name"]
    assert name in bundled_names()
    shipped = bundle.read(BUNDLED / f"{name}{SUFFIX}")
    assert about["model"]["sha256"] == shipped.sha256
    assert about["audit"]["store"] == shipped.about.card.photos.content_hash
    assert shipped.about.card.terms in about["licence"]

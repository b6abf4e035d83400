"""Settings to begin with: those that ship with Facewright, and those of one's own."""

import logging
from pathlib import Path

import torch

from facewright import settings
from facewright.config import Config
from facewright.errors import ConfigError, nearest
from facewright.models import bundle
from facewright.models.bundled import bundle_path
from facewright.planning.measured import read_table

log = logging.getLogger(__name__)

RECIPES = Path(__file__).parents[1] / "recipes"

RENAMED = {"faces-64": "gpu-64"}
"""Recipes by a name that they had: that name is of a model, which another recipe has trained."""


def read_recipe(recipe: str) -> Config:
    """The settings of a recipe that ships with Facewright, or of a TOML file.

    Raises:
        ConfigError: no such recipe or file.
    """
    if recipe.endswith(".toml"):
        return settings.read(Path(recipe))
    path = RECIPES / f"{RENAMED.get(recipe, recipe)}.toml"
    if not path.is_file():
        raise ConfigError(
            f"no recipe '{recipe}'",
            expected=_meant(recipe),
            fix="facewright plan DATA names one that suits",
        )
    return settings.read(path)


def current_name(recipe: str) -> str:
    """What a recipe is called now; says so where that is something else."""
    if recipe not in RENAMED:
        return recipe
    log.warning("the recipe %s is called %s now", recipe, RENAMED[recipe])
    return RENAMED[recipe]


def _meant(recipe: str) -> str:
    """The recipe of the model of this name, or the recipe with the nearest name."""
    if model := bundle_path(Path(recipe)):
        trained_by = bundle.read(model).about.card.training.recipe
        return f"'{trained_by}', if you want to train as the model {recipe} was"
    return nearest(recipe, [path.stem for path in RECIPES.glob("*.toml")])


def tell_device(recipe: str, device: torch.device) -> None:
    """Say so if a recipe is made for GPUs and will train on the processor, before it is begun.

    Args:
        recipe: its name.
        device: where it will train.
    """
    entries = {entry.name: entry for entry in read_table().recipes}
    entry = entries.get(recipe)
    if entry is None or entry.device == "cpu" or device.type != "cpu":
        return
    alike = [one for one in entries.values() if one.device == "cpu" and one.kind == entry.kind]
    closest = min(alike, key=lambda one: abs(one.size - entry.size))
    log.warning(
        "%s is made for a GPU; for this CPU: %s (%d px)", recipe, closest.name, closest.size
    )

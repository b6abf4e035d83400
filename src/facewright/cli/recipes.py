"""Settings to begin with: those that ship with Facewright, and those of one's own."""

from pathlib import Path

from facewright import settings
from facewright.config import Config
from facewright.errors import ConfigError, nearest

RECIPES = Path(__file__).parents[1] / "recipes"


def read_recipe(recipe: str) -> Config:
    """The settings of a recipe that ships with Facewright, or of a TOML file.

    Raises:
        ConfigError: no such recipe or file.
    """
    if recipe.endswith(".toml"):
        return settings.read(Path(recipe))
    path = RECIPES / f"{recipe}.toml"
    if not path.is_file():
        raise ConfigError(
            f"no recipe '{recipe}'",
            expected=nearest(recipe, [p.stem for p in RECIPES.glob("*.toml")]),
        )
    return settings.read(path)

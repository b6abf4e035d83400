"""Each recipe says what it costs and gives, and can be run."""

import re
from pathlib import Path

import pytest

from facewright import config as settings
from facewright.cli.train import RECIPES
from facewright.models.build import build_discriminator, build_generator
from facewright.rng import rng_for

FILES = sorted(RECIPES.glob("*.toml"))
SHAPES = {"mnist": (1, 28, 28), "celeba28": (3, 28, 28), "drawn": (3, 32, 32)}


def header(path: Path) -> dict[str, str]:
    """The "# key: value" lines at the top of a recipe; a value may go on over lines."""
    top = path.read_text(encoding="utf-8").split("\n\n[")[0]
    text = re.sub(r"\n#\s{3,}", " ", top)
    return dict(re.findall(r"^# (\w+):\s+(.+)$", text, re.MULTILINE))


def test_the_recipes_that_the_project_promises_exist():
    assert {"classic-celeba28", "classic-mnist28", "mlp-2014-mnist", "drawn-32"} <= {
        path.stem for path in FILES
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_header_states_command_machine_minutes_and_expected_numbers(path):
    said = header(path)
    assert f"facewright train --recipe {path.stem} " in said["command"]
    assert "facewright prepare " in said["store"]
    assert re.search(r"\d+ cores", said["machine"])
    assert float(re.findall(r"[\d.]+", said["minutes"])[0]) > 0
    assert re.search(r"(sliced_wasserstein|FID) \d+\.\d+", said["expected"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_settings_are_known_and_the_networks_can_be_built(path):
    config = settings.read(path)
    shape = next(shape for key, shape in SHAPES.items() if key in path.stem)
    build_generator(config.model, shape, rng_for(0, 0, "test"))
    build_discriminator(config.model, shape, rng_for(0, 0, "test"))


def test_the_classic_recipe_is_the_experiment_of_the_paper_era():
    config = settings.read(RECIPES / "classic-celeba28.toml")
    assert config.model.kernel == 5
    assert config.model.activation == "leaky-relu"
    assert config.model.normalisation == "batch"
    assert config.loss.game == "non-saturating"
    assert config.train.images == 8 * 202_500  # 8 epochs of CelebA's 202,599, to full batches


def test_digits_are_never_mirrored():
    assert all(not settings.read(path).data.flip for path in FILES if "mnist" in path.stem)

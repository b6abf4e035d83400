"""Each recipe says what it costs and gives, and can be run."""

import re
from pathlib import Path

import pytest
import torch

from facewright import settings
from facewright.networks.build import build_discriminator, build_generator
from facewright.planning.recipes import RECIPES, current_name, read_recipe
from facewright.rng import rng_for
from facewright.training.memory import estimate
from facewright.training.shortage import FILLED

FILES = sorted(RECIPES.glob("*.toml"))
FOR_GPUS = {"gpu-64", "faces-128", "faces-256"}
"""None was at hand so far."""


def header(path: Path) -> dict[str, str]:
    """The "# key: value" lines at the top of a recipe; a value may go on over lines."""
    top = path.read_text(encoding="utf-8").split("\n\n[")[0]
    text = re.sub(r"\n#\s{3,}", " ", top)
    return dict(re.findall(r"^# (\w+):\s+(.+)$", text, re.MULTILINE))


def shape(path: Path) -> tuple[int, int, int]:
    """(C, H, W) of the photos that a recipe is for."""
    side = int(re.findall(r"--size (\d+)", header(path)["store"])[0])
    gray = "mnist" in path.stem and "stacked" not in path.stem
    return (1 if gray else 3, side, side)


def test_the_recipes_that_the_project_promises_exist():
    promised = {"classic-celeba28", "classic-mnist28", "mlp-2014-mnist", "drawn-32"}
    promised |= {"fast-28", "fast-32", "fast-64", "stacked-mnist"}
    assert promised | FOR_GPUS <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_header_states_command_machine_minutes_and_expected_numbers(path):
    said = header(path)
    assert f"facewright train --recipe {path.stem} " in said["command"]
    assert "facewright prepare " in said["store"]
    if path.stem in FOR_GPUS:
        assert "not run yet" in said["machine"]
        assert said["minutes"] == said["expected"] == "not measured"
        return
    assert re.search(r"\d+ cores", said["machine"])
    assert float(re.findall(r"[\d.]+", said["minutes"])[0]) > 0
    assert re.search(r"(sliced_wasserstein|FID|KL) \d+\.\d+", said["expected"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_settings_are_known_and_the_networks_can_be_built(path):
    config = settings.read(path)
    with torch.device("meta"):  # the layers alone: no memory, no time
        build_generator(config.model, shape(path), rng_for(0, 0, "test"))
        build_discriminator(config.model, shape(path), rng_for(0, 0, "test"))


def test_the_classic_recipe_is_the_experiment_of_the_paper_era():
    config = settings.read(RECIPES / "classic-celeba28.toml")
    assert config.model.kernel == 5
    assert config.model.activation == "leaky-relu"
    assert config.model.normalisation == "batch"
    assert config.loss.game == "non-saturating"
    assert config.train.images == 8 * 202_500  # 8 epochs of CelebA's 202,599, to full batches


def test_the_recipes_for_gpus_are_those_of_the_paper_at_the_papers_size():
    """Huang et al. 2024, arXiv:2501.05441, for FFHQ-256; smaller sizes have fewer channels."""
    config = settings.read(RECIPES / "faces-256.toml")
    assert (config.loss.game, config.loss.r1, config.loss.r2) == ("relativistic", 150, 150)
    assert (config.schedule.lr_to, config.schedule.penalty_to) == (0.25, 0.1)
    assert (config.optimiser.beta1, config.optimiser.beta2, config.schedule.beta2_to) == (
        0,
        0.9,
        0.99,
    )
    for name in FOR_GPUS:
        config = settings.read(RECIPES / f"{name}.toml")
        assert config.schedule.images <= 20_000_000 <= config.train.images


@pytest.mark.parametrize("name", sorted(FOR_GPUS))
def test_the_recipes_for_gpus_fit_into_one_of_80_gib(name):
    config = settings.override(settings.read(RECIPES / f"{name}.toml"), ["train.precision=bf16"])
    side = int(name.partition("-")[2])
    assert estimate(config, (3, side, side)).total < FILLED * 80 * 2**30


def test_digits_are_never_mirrored():
    assert all(not settings.read(path).data.flip for path in FILES if "mnist" in path.stem)


def test_a_recipe_by_its_former_name_is_read_and_called_by_its_new_one(caplog):
    assert read_recipe("faces-64") == read_recipe("gpu-64")
    assert current_name("faces-64") == "gpu-64"
    assert caplog.messages == ["the recipe faces-64 is called gpu-64 now"]
    assert current_name("fast-28") == "fast-28"
    assert current_name("mine/faces-64.toml") == "mine/faces-64.toml"

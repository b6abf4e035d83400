"""The benchmark of speed counts the images that it shows, and compares networks of one size."""

import pytest
import torch
from benchmarks.plain_loop import plain_networks
from benchmarks.train_speed import INGREDIENTS, RECIPES, loops, options_from, target_of

from facewright.networks.build import build_discriminator, build_generator
from facewright.planning.recipes import read_recipe
from facewright.rng import rng_for

KNOWN = loops()


def test_as_many_images_are_counted_as_every_contestant_can_show():
    assert {loop.config.train.batch for loop in KNOWN.values()} == {16, 64}
    assert options_from([], KNOWN).images % 64 == 0
    assert options_from(["--images", "128"], KNOWN).images == 128


@pytest.mark.parametrize("images", ["0", "-64", "16", "100"])
def test_images_that_fill_no_batch_are_refused_with_what_would(images, capsys):
    with pytest.raises(SystemExit):
        options_from(["--images", images], KNOWN)
    assert "a multiple of 64" in capsys.readouterr().err


def test_the_target_stands_beside_penalties_in_every_step_only():
    every_step = {"R1 + R2, exact", "R1 + R2, tried", "R1 + R2, antithetic noise"}
    assert {name for name in INGREDIENTS if target_of(name)} == every_step


@pytest.mark.parametrize(("recipe", "side"), RECIPES.items())
def test_the_plain_networks_have_as_many_weights_and_make_as_many_pixels(recipe, side):
    model, shape = read_recipe(recipe).model, (3, side, side)
    own = (
        build_generator(model, shape, rng_for(0, 0, "g")),
        build_discriminator(model, shape, rng_for(0, 0, "d")),
    )
    plain = plain_networks(read_recipe(recipe), shape)
    for ours, theirs in zip(own, plain, strict=True):
        assert sum(w.numel() for w in theirs.parameters()) == sum(
            w.numel() for w in ours.parameters()
        )
    generator, discriminator = plain
    assert generator(torch.zeros(2, model.z_dim)).shape == (2, *shape)
    assert discriminator(torch.zeros(2, *shape)).shape == (2, 1)

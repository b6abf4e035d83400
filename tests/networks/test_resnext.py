"""Residual networks: the published sizes, and what every size must keep."""

import pytest
import torch

from facewright.config import ModelConfig
from facewright.errors import ConfigError
from facewright.networks import resnext
from facewright.networks.build import build_discriminator, build_generator
from facewright.rng import rng_for

SMALL = ModelConfig(name="resnext", z_dim=8, widths=(16, 8), blocks=1)
PATCHES = ModelConfig(name="resnext", z_dim=8, widths=(16, 8), blocks=1, patch=2)


def built(config: ModelConfig, shape: tuple[int, int, int]):
    return build_generator(config, shape, rng_for(0, 0, "g")), build_discriminator(
        config, shape, rng_for(0, 0, "d")
    )


def parameters(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("widths", "size", "millions"),
    [
        ((768, 768, 768, 768), 32, (20.73, 20.68)),
        ((768, 768, 768, 768, 384), 64, (22.43, 22.38)),
        ((768, 768, 768, 768, 384, 192, 96), 256, (23.06, 23.01)),
    ],
)
def test_the_published_models_have_as_many_parameters_as_published(widths, size, millions):
    config = ModelConfig(name="resnext", z_dim=64, widths=widths)
    with torch.device("meta"):
        networks = (
            resnext.ResnextGenerator(config, (3, size, size)),
            resnext.ResnextDiscriminator(config, (3, size, size)),
        )
    assert tuple(round(parameters(network) / 1e6, 2) for network in networks) == millions


@pytest.mark.parametrize("config", [SMALL, PATCHES], ids=["pixels", "patches"])
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (12, 20)], ids=str)
def test_images_have_the_size_that_was_asked_for(config, size):
    generator, discriminator = built(config, (3, *size))
    images = generator(torch.randn(2, 8))
    assert images.shape == (2, 3, *size)
    assert discriminator(images).shape == (2,)


@pytest.mark.parametrize("config", [SMALL, PATCHES], ids=["pixels", "patches"])
def test_maps_stay_channels_last_whatever_the_order_of_the_photos(config):
    kept: list[bool] = []

    def look(_layer, inputs, output):
        kept.extend(m.is_contiguous(memory_format=torch.channels_last) for m in (*inputs, output))

    for network, given in zip(built(config, (3, 16, 16)), [(2, 8), (2, 3, 16, 16)], strict=True):
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.register_forward_hook(look)
        network(torch.randn(given))
    assert all(kept)
    assert len(kept) > 20


def test_28_and_256_pixels_begin_at_7_and_4():
    assert resnext.stage_sizes(ModelConfig(widths=(16,) * 3), 28, 28)[0] == (7, 7)
    assert resnext.stage_sizes(ModelConfig(widths=(16,) * 7), 256, 256)[0] == (4, 4)
    assert resnext.stage_sizes(ModelConfig(widths=(16,) * 2, patch=2), 28, 28)[0] == (7, 7)


def test_a_fresh_block_changes_nothing():
    maps = torch.randn(2, 16, 5, 5)
    torch.testing.assert_close(resnext.ResnextBlock(16, 16, 4)(maps), maps, rtol=0, atol=0)


def test_a_filter_sees_only_its_own_group():
    block = resnext.ResnextBlock(8, 8, 1)
    with torch.no_grad():
        changed = block.filter(torch.eye(16)[:1].view(1, 16, 1, 1)).flatten()
    assert changed[:8].abs().min() > 0
    assert changed[8:].abs().max() == 0


def test_deeper_networks_begin_with_smaller_weights():
    shallow, deep = (
        resnext.ResnextBlock(256, 16, depth).widen.weight.std().item() for depth in (1, 16)
    )
    assert deep / shallow == pytest.approx(16**-0.25, rel=0.02)
    assert shallow == pytest.approx((2 / 256) ** 0.5, rel=0.02)


@pytest.mark.parametrize("config", [SMALL, PATCHES], ids=["pixels", "patches"])
def test_at_first_images_vary_about_as_much_as_photos(config):
    torch.manual_seed(0)
    generator, _ = built(config, (3, 28, 28))
    assert 0.3 < generator(torch.randn(64, 8)).std() < 3


def test_the_latent_weighs_the_channels_of_a_learned_map():
    generator, _ = built(SMALL, (3, 16, 16))
    still = generator(torch.zeros(1, 8))
    assert still.abs().max() == 0  # no channel has any weight, and nothing has a bias yet
    bright = generator(torch.ones(1, 8))
    assert bright[0, 0].std() > 0.1  # the map has a pattern of its own
    torch.testing.assert_close(generator(-torch.ones(1, 8)), -bright)  # fresh blocks are linear


def test_the_verdict_follows_its_features():
    discriminator = resnext.ResnextDiscriminator(SMALL, (3, 16, 16))
    images = torch.randn(4, 3, 16, 16)
    seen = discriminator.verdict(discriminator.features(images))
    torch.testing.assert_close(discriminator(images), seen)


def test_stages_of_one_size_have_one_name_whatever_the_image():
    small, _ = built(SMALL, (3, 8, 8))
    large, _ = built(ModelConfig(name="resnext", z_dim=8, widths=(16, 8, 8), blocks=1), (3, 16, 16))
    shared = {name for name in small.state_dict() if name.startswith("stages.")}
    assert shared
    assert shared <= set(large.state_dict())


@pytest.mark.parametrize(
    ("settings", "size", "what"),
    [
        ({"widths": ()}, 28, "model.widths is empty"),
        ({"widths": (16,) * 4}, 28, "4 stages and patches of 1 for 28x28"),
        ({"widths": (16, 16), "patch": 4}, 28, "2 stages and patches of 4 for 28x28"),
        ({"widths": (16, 12)}, 28, "model.widths = \\[16, 12\\]"),
    ],
)
def test_impossible_sizes_are_refused(settings, size, what):
    with pytest.raises(ConfigError, match=what):
        built(ModelConfig(name="resnext", **settings), (3, size, size))


def test_each_side_has_to_fit():
    for shape in ((3, 30, 28), (3, 28, 30)):
        with pytest.raises(ConfigError, match="3 stages"):
            built(ModelConfig(name="resnext", widths=(16,) * 3), shape)

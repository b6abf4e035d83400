"""The convolutional pair against sizes, counts and formulas known on paper."""

import math
from typing import Any, get_args

import pytest
import torch
from torch import nn
from torch.nn import functional

from facewright.config import ActivationName, ModelConfig, NormalisationName
from facewright.networks.build import build_discriminator, build_generator
from facewright.networks.colour import half_colour
from facewright.networks.dcgan import ACTIVATIONS, map_sizes
from facewright.networks.salimans import VirtualBatchNorm2d
from facewright.rng import rng_for


def pair(shape=(3, 28, 28), **settings) -> tuple[Any, Any]:
    config = ModelConfig(**settings)
    return (
        build_generator(config, shape, rng_for(0, 0, "g")),
        build_discriminator(config, shape, rng_for(0, 0, "d")),
    )


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((28, 28), [(28, 28), (14, 14), (7, 7)]),
        ((32, 32), [(32, 32), (16, 16), (8, 8), (4, 4)]),
        ((48, 48), [(48, 48), (24, 24), (12, 12), (6, 6)]),
        ((64, 64), [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4)]),
        ((30, 45), [(30, 45), (15, 23), (8, 12), (4, 6)]),
        ((16, 64), [(16, 64), (8, 32), (4, 16)]),
    ],
)
def test_maps_are_halved_until_the_shorter_side_is_at_most_seven(size, sizes):
    assert map_sizes(*size) == sizes


def test_the_smallest_map_has_four_to_seven_pixels_a_side_for_every_image():
    assert {min(map_sizes(side, side)[-1]) for side in range(16, 257)} == {4, 5, 6, 7}


# G: z to 7x7x128 without bias, batch norm, 5x5 from 128 to 64, batch norm, 5x5 from 64 to 3.
G_28 = 100 * 6272 + 2 * 128 + 25 * 128 * 64 + 2 * 64 + 25 * 64 * 3 + 3
# D: 5x5 from 3 to 64 with bias, 5x5 from 64 to 128, batch norm, 7x7x128 to the verdict.
D_28 = 25 * 3 * 64 + 64 + 25 * 64 * 128 + 2 * 128 + 6272 + 1


@pytest.mark.parametrize(
    ("shape", "settings", "g_count", "d_count"),
    [
        ((3, 28, 28), {}, G_28, D_28),
        # The colour channels touch the layers next to the image alone.
        ((1, 28, 28), {}, G_28 - 2 * (25 * 64 + 1), D_28 - 2 * 25 * 64),
        # Without batch norm its two numbers per channel go, and one bias comes.
        (
            (3, 28, 28),
            {"normalisation": "none"},
            G_28 - 2 * 128 - 2 * 64 + 6272 + 64,
            D_28 - 2 * 128 + 128,
        ),
        ((3, 28, 28), {"normalisation": "generator-batch"}, G_28, D_28 - 2 * 128 + 128),
        # Each kernel adds its column of the projection and one weight of the verdict.
        ((3, 28, 28), {"minibatch_kernels": 10}, G_28, D_28 + 6272 * 10 * 5 + 10),
        # At full size: 5x5 between 64 and 16 channels, normalised, and 3x3 between 16 and 3.
        (
            (3, 28, 28),
            {"full_width": 16},
            G_28 - (25 * 64 * 3 + 3) + 25 * 64 * 16 + 2 * 16 + 9 * 16 * 3 + 3,
            D_28 - 25 * 3 * 64 + 9 * 3 * 16 + 16 + 25 * 16 * 64,
        ),
        # Four stages: 8, 16, 32, 64 channels with 3x3 filters, then 4x4x64.
        (
            (1, 64, 64),
            {"width": 8, "kernel": 3, "z_dim": 10},
            10 * 1024 + 9 * (64 * 32 + 32 * 16 + 16 * 8 + 8) + 1 + 2 * (64 + 32 + 16 + 8),
            9 * (8 + 8 * 16 + 16 * 32 + 32 * 64) + 8 + 2 * (16 + 32 + 64) + 1024 + 1,
        ),
    ],
    ids=["colour 28", "gray 28", "no norm", "norm in one", "minibatch", "full size", "gray 64"],
)
def test_parameters_are_as_many_as_on_paper(shape, settings, g_count, d_count):
    generator, discriminator = pair(shape, **settings)
    assert (parameters(generator), parameters(discriminator)) == (g_count, d_count)


def test_channels_stop_doubling_at_eight_times_the_width():
    generator, _ = pair((3, 256, 256), width=2, z_dim=3)
    assert generator.smallest == (4, 4, 16)


@pytest.mark.parametrize("full_width", [0, 3])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 11])
@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 16, 16), (3, 30, 45), (3, 17, 64), (1, 48, 33)])
def test_the_pair_fits_any_size_and_kernel(shape, kernel, full_width):
    generator, discriminator = pair(shape, width=2, kernel=kernel, full_width=full_width)
    fake = generator(normal(3, 100))
    assert fake.shape == (3, *shape)
    assert fake.abs().max() <= 1
    assert discriminator(fake).shape == (3,)


def test_a_generator_with_filters_of_one_pixel_draws_one_pixel_in_sixteen():
    """Two doublings put each number on one pixel in four; nothing fills the others."""
    generator, _ = pair((1, 28, 28), width=4, kernel=1)
    alive = generator(normal(8, 100)).var(dim=0)[0] > 0
    assert alive.nonzero().tolist() == [[r, c] for r in range(0, 28, 4) for c in range(0, 28, 4)]


@pytest.mark.parametrize(
    ("name", "below", "above"),
    [
        ("relu", 0, 1),
        ("leaky-relu", -0.2, 1),
        ("sigmoid", 1 / (1 + math.e), 1 / (1 + 1 / math.e)),
        ("tanh", -math.tanh(1), math.tanh(1)),
    ],
)
def test_activations_are_those_they_are_named_after(name, below, above):
    found = ACTIVATIONS[name]()(torch.tensor([-1.0, 1.0]))
    assert found.tolist() == pytest.approx([below, above])


@pytest.mark.parametrize("full_width", [0, 3])
@pytest.mark.parametrize(
    ("activation", "normalisation"),
    [
        *(("leaky-relu", normalisation) for normalisation in get_args(NormalisationName)),
        *(
            (activation, "batch")
            for activation in sorted({*get_args(ActivationName)} - {"leaky-relu"})
        ),
    ],
)
def test_every_weight_of_every_variant_learns(activation, normalisation, full_width):
    settings = {"activation": activation, "normalisation": normalisation, "full_width": full_width}
    generator, discriminator = pair((3, 16, 16), width=4, minibatch_kernels=2, **settings)
    discriminator(generator(normal(4, 100))).square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.count_nonzero(), name


def test_the_generator_is_the_plain_chain_of_layers():
    generator, _ = pair(width=4)
    z = normal(5, 100)
    scale = functional.batch_norm
    first, _, up, second, _, last = generator.layers
    # Vectors become maps with the channel as the fastest index.
    maps = (z @ generator.project.weight.T).view(5, 7, 7, 8).permute(0, 3, 1, 2).contiguous()
    maps = functional.leaky_relu(scale(maps, None, None, first.weight, first.bias, True), 0.2)
    maps = functional.conv_transpose2d(maps, up.weight, None, 2, 2, 1)
    maps = functional.leaky_relu(scale(maps, None, None, second.weight, second.bias, True), 0.2)
    images = functional.conv_transpose2d(maps, last.weight, last.bias, 2, 2, 1).tanh()
    torch.testing.assert_close(generator(z), images)


def test_with_maps_of_full_size_the_generator_ends_in_one_more_layer():
    generator, _ = pair(width=4, full_width=6)
    z = normal(5, 100)
    *before, up, norm, _, last = generator.layers
    maps = (z @ generator.project.weight.T).view(5, 7, 7, 8).permute(0, 3, 1, 2)
    maps = functional.conv_transpose2d(nn.Sequential(*before)(maps), up.weight, None, 2, 2, 1)
    assert maps.shape == (5, 6, 28, 28)
    maps = functional.batch_norm(maps, None, None, norm.weight, norm.bias, True)
    images = functional.conv2d(functional.leaky_relu(maps, 0.2), last.weight, last.bias, 1, 1)
    torch.testing.assert_close(generator(z), images.tanh())


def test_with_maps_of_full_size_the_discriminator_begins_with_one_more_layer():
    _, discriminator = pair(width=4, full_width=6)
    real = normal(5, 3, 28, 28)
    _, first, _, second, *after = discriminator.layers
    maps = functional.leaky_relu(functional.conv2d(real, first.weight, first.bias, 1, 1), 0.2)
    assert maps.shape == (5, 6, 28, 28)
    maps = functional.conv2d(maps, second.weight, second.bias, 2, 2)
    features = nn.Sequential(*after)(maps).permute(0, 2, 3, 1).reshape(5, -1)
    torch.testing.assert_close(discriminator.features(real), features)


def test_at_half_the_colour_neither_player_deals_in_fine_colour():
    """The same weights as at full: what is drawn last and what is seen first is halved."""
    full, half = (pair(width=4, full_width=6, colour=colour) for colour in ("full", "half"))
    z, real = normal(5, 100), normal(5, 3, 28, 28)
    torch.testing.assert_close(half[0](z), half_colour(full[0](z).atanh()).tanh())
    torch.testing.assert_close(half[1](real), full[1](half_colour(real)))
    torch.testing.assert_close(half[1].features(real), full[1].features(half_colour(real)))


def test_the_discriminator_is_the_plain_chain_of_layers():
    _, discriminator = pair(width=4)
    real = normal(5, 3, 28, 28)
    first, _, second, norm, _ = discriminator.layers
    maps = functional.conv2d(real, first.weight, first.bias, 2, 2)
    maps = functional.conv2d(functional.leaky_relu(maps, 0.2), second.weight, None, 2, 2)
    maps = functional.batch_norm(maps, None, None, norm.weight, norm.bias, True)
    features = functional.leaky_relu(maps, 0.2).permute(0, 2, 3, 1).reshape(5, -1)
    linear = discriminator.verdict.linear
    torch.testing.assert_close(discriminator.features(real), features)
    torch.testing.assert_close(discriminator(real), features @ linear.weight[0] + linear.bias)


@pytest.mark.parametrize(("full_width", "layers"), [(0, 5 + 5), (3, 8 + 8)])
def test_maps_stay_channels_last_forwards_and_backwards(full_width, layers):
    generator, discriminator = pair(width=4, full_width=full_width)
    kept: list[bool] = []

    def look(tensor):
        kept.append(tensor.is_contiguous(memory_format=torch.channels_last))

    def look_both_ways(layer, inputs, output):
        look(output)
        output.register_hook(look)

    for layer in (*generator.layers[:-1], *discriminator.layers):
        layer.register_forward_hook(look_both_ways)
    # Photos come with the rows of each channel together.
    discriminator(generator(normal(4, 100)).contiguous()).sum().backward()
    # The generator's last output is the image itself.
    assert kept == [True] * 2 * layers


def test_weights_start_as_in_the_paper():
    generator, discriminator = pair()
    for network in (generator, discriminator):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                # The sample's deviation itself deviates by its share of 1 / sqrt(2 n).
                slack = 4 / math.sqrt(2 * layer.weight.numel())
                assert layer.weight.std().item() == pytest.approx(0.02, rel=slack)
                assert layer.bias is None or not layer.bias.count_nonzero()
            elif isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.5)


def test_batch_norm_is_left_out_next_to_the_image():
    generator, discriminator = pair((3, 64, 64), width=2)
    assert isinstance(discriminator.layers[0], nn.Conv2d)
    assert isinstance(discriminator.layers[1], nn.LeakyReLU)
    assert isinstance(generator.layers[-1], nn.ConvTranspose2d)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.layers) == 3
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in generator.layers) == 4


def test_without_batch_norm_each_image_is_judged_alone_whatever_the_generator_has():
    for normalisation, mixed in {"batch": True, "generator-batch": False, "none": False}.items():
        _, discriminator = pair((3, 16, 16), width=4, normalisation=normalisation)
        images = normal(4, 3, 16, 16)
        alone, together = discriminator(images[:2])[0], discriminator(images)[0]
        assert bool((alone - together).abs() > 1e-6) == mixed


def test_spectral_normalisation_makes_every_layer_one_lipschitz():
    _, discriminator = pair((3, 16, 16), width=8, normalisation="spectral")
    for _ in range(30):  # power iterations, one per pass
        discriminator(normal(2, 3, 16, 16))
    discriminator.eval()
    layers = [*discriminator.layers[::2], discriminator.verdict.linear]
    assert len(layers) == 3
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, abs=0.02)


def test_spectral_normalisation_leaves_the_reach_of_minibatch_discrimination_free():
    _, discriminator = pair((3, 16, 16), normalisation="spectral", minibatch_kernels=2)
    similarity = discriminator.verdict.similarity
    with torch.no_grad():
        similarity.projection.mul_(3)
    lengths = similarity.projection.norm(dim=0)
    torch.testing.assert_close(lengths, torch.full((10,), 3.0), rtol=0, atol=0.5)


def test_spectral_normalisation_leaves_the_generator_its_batch_norm():
    generator, _ = pair((3, 16, 16), width=4, normalisation="spectral")
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in generator.layers) == 2


def test_with_virtual_batch_norm_a_picture_does_not_depend_on_its_batch():
    generator, discriminator = pair((3, 16, 16), width=4, normalisation="virtual")
    z = normal(6, 100)
    torch.testing.assert_close(generator(z)[:1], generator(z[:1]))
    plain, _ = pair((3, 16, 16), width=4)
    assert not torch.allclose(plain(z)[:2], plain(z[:2]), atol=1e-3)
    assert any(isinstance(layer, VirtualBatchNorm2d) for layer in generator.modules())
    assert not any(isinstance(layer, VirtualBatchNorm2d) for layer in discriminator.modules())


def test_the_penalty_on_gradients_has_the_right_gradient():
    _, discriminator = pair((1, 16, 16), width=2, normalisation="none", activation="tanh")
    discriminator.double()
    real = normal(3, 1, 16, 16).double()

    def penalty():
        images = real.clone().requires_grad_(True)
        logits = discriminator(images)
        (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        return gradient.square().sum()

    weight = discriminator.layers[2].weight
    (found,) = torch.autograd.grad(penalty(), weight)
    step = 1e-4 * torch.sign(found)
    with torch.no_grad():
        weight += step
    above = penalty()
    with torch.no_grad():
        weight -= 2 * step
    change = (above - penalty()) / 2
    torch.testing.assert_close(change, (found * step).sum(), rtol=1e-5, atol=0)


def test_bf16_gives_the_same_verdicts_and_gradients_up_to_its_rounding():
    _, discriminator = pair(width=8)
    real = normal(16, 3, 28, 28)

    def verdict_and_gradient():
        logits = discriminator(real)
        weights = [p for p in discriminator.parameters() if p.dim() > 1]
        gradients = torch.autograd.grad(functional.softplus(-logits).mean(), weights)
        return logits, torch.cat([g.flatten() for g in gradients])

    exact, exact_gradient = verdict_and_gradient()
    with torch.autocast("cpu", torch.bfloat16):
        rounded, rounded_gradient = verdict_and_gradient()
    assert rounded.dtype == torch.float32
    # bf16 keeps 8 bits: 0.4 % of each number.
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.02 * exact.std().item())
    assert torch.cosine_similarity(exact_gradient, rounded_gradient, dim=0) > 0.999

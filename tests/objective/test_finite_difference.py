"""Finite differences in random directions: right on average, and where exact gradients fail."""

import functools
import inspect
import math

import pytest
import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.networks.build import build_discriminator
from facewright.objective import logit_gradients
from facewright.objective.logit_gradients import LARGEST_EPSILON, SMALLEST_EPSILON, epsilon_for
from facewright.objective.penalties import r1_penalty
from facewright.rng import rng_for
from tests.objective.test_penalties import Bowl, Plane, lengths, photos, small_network

EPSILONS = pytest.mark.parametrize("epsilon", [0.01, LARGEST_EPSILON, 1.0])


def finite_difference(network, images, directions, epsilon=LARGEST_EPSILON):
    return logit_gradients.finite_difference(network, images, directions, epsilon)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def along(images, directions):
    """Slope of a bowl along each direction: <x, direction>."""
    return (images * directions).flatten(1).sum(1)


@EPSILONS
def test_on_a_plane_it_is_the_squared_slope_along_the_direction(epsilon):
    plane, directions = Plane(drawn(3, 4, 4, seed=1)), drawn(5, 3, 4, 4)
    found = finite_difference(plane, photos(5, 3, 4, 4), directions, epsilon)
    expected = along(plane.slope.detach().expand(5, -1, -1, -1), directions).square()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@EPSILONS
def test_the_curvature_of_a_bowl_is_not_taken_for_a_slope(epsilon):
    images, directions = photos(4, 2, 3, 3), drawn(4, 2, 3, 3)
    found = finite_difference(Bowl(), images, directions, epsilon)
    torch.testing.assert_close(found, along(images, directions).square(), rtol=1e-3, atol=1e-4)
    at_the_bottom = finite_difference(Bowl(), torch.zeros(4, 2, 3, 3), directions, epsilon)
    assert at_the_bottom.max() < 1e-6


def test_on_average_over_directions_it_is_the_squared_length_of_the_slope():
    tries = 20_000
    image = photos(1, 2, 3, 3)
    found = finite_difference(Bowl(), image.expand(tries, -1, -1, -1), drawn(tries, 2, 3, 3))
    exact = lengths(image).square().item()
    # The square of a normal number has the variance 2.
    assert found.mean().item() == pytest.approx(exact, abs=4 * 2**0.5 * exact / tries**0.5)
    assert found.std().item() == pytest.approx(2**0.5 * exact, rel=0.05)


def test_values_and_gradients_agree_on_average_with_those_of_exact_slopes():
    network, tries = small_network(), 20_000
    weights = [weight for weight in network.parameters() if weight.ndim > 1]
    images = photos(2, 1, 4, 4)
    exact = r1_penalty(network, images).mean()
    found = finite_difference(
        network, images.repeat(tries, 1, 1, 1), drawn(2 * tries, 1, 4, 4)
    ).mean()
    assert found.item() == pytest.approx(exact.item(), rel=0.02)
    pairs = zip(*(torch.autograd.grad(loss, weights) for loss in (found, exact)), strict=True)
    for mine, right in pairs:
        assert (mine - right).norm() < 0.03 * right.norm()


def test_descending_it_flattens_a_plane():
    plane = Plane(drawn(1, 2, 2, seed=1))
    optimiser = torch.optim.SGD(plane.parameters(), lr=0.05)
    images, before = photos(8, 1, 2, 2), plane.slope.norm().item()
    for step in range(50):
        optimiser.zero_grad()
        finite_difference(plane, images, drawn(8, 1, 2, 2, seed=step)).mean().backward()
        optimiser.step()
    assert plane.slope.norm().item() < 0.05 * before


def test_each_image_has_the_penalty_it_has_alone():
    network, images, directions = small_network(), photos(5, 1, 4, 4), drawn(5, 1, 4, 4)
    alone = [finite_difference(network, images[[i]], directions[[i]]) for i in range(5)]
    torch.testing.assert_close(finite_difference(network, images, directions), torch.cat(alone))


def test_no_gradient_reaches_the_generator_and_the_batch_is_left_alone():
    made = torch.ones(1, requires_grad=True)
    images = made * photos(2, 1, 4, 4)
    before = images.clone()
    finite_difference(small_network(), images, drawn(2, 1, 4, 4)).mean().backward()
    assert made.grad is None
    assert images.equal(before)


def dcgan():
    config = ModelConfig(normalisation="none", width=8)
    return build_discriminator(config, (3, 16, 16), rng_for(0, 0, "test"))


def value_and_gradient(network, images, directions, penalty=finite_difference):
    weights = [weight for weight in network.parameters() if weight.ndim > 1]
    value = penalty(network, images, directions).mean()
    return value.detach(), torch.cat([g.flatten() for g in torch.autograd.grad(value, weights)])


def test_in_bf16_rounding_changes_little_with_this_epsilon_and_much_with_a_tiny_one():
    network, images, directions = dcgan(), photos(64, 3, 16, 16), drawn(64, 3, 16, 16)

    def error(epsilon):
        exact = finite_difference(network, images, directions, epsilon).mean()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = finite_difference(network, images, directions, epsilon).mean()
        return abs((rounded / exact).item() - 1)

    assert error(LARGEST_EPSILON) < 0.03
    assert error(SMALLEST_EPSILON) < 0.05
    assert error(0.001) > 0.3


def test_verdicts_in_bf16_are_subtracted_in_fp32():
    class Coarse(nn.Module):
        def forward(self, images):
            return images.flatten(1).sum(1).bfloat16()

    found = finite_difference(Coarse(), torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), 0.25)
    assert found.dtype == torch.float32
    assert found.item() == 1


def test_in_channels_last_it_is_the_same():
    def reordered(tensor):
        return tensor.contiguous(memory_format=torch.channels_last)

    images, directions = photos(4, 3, 16, 16), drawn(4, 3, 16, 16)
    one = value_and_gradient(dcgan(), images, directions)
    network = dcgan()
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = reordered(weight.data)
    other = value_and_gradient(network, reordered(images), reordered(directions))
    torch.testing.assert_close(one, other)


def test_compiled_it_has_the_values_and_the_gradients_of_eager():
    network, images, directions = small_network(), photos(4, 1, 4, 4), drawn(4, 1, 4, 4)
    # Without the tests' own shape checks, which cannot be compiled.
    eager = functools.partial(
        inspect.unwrap(logit_gradients.finite_difference), epsilon=LARGEST_EPSILON
    )
    compiled = torch.compile(eager, backend="aot_eager", fullgraph=True)
    one = value_and_gradient(network, images, directions, eager)
    torch.testing.assert_close(value_and_gradient(network, images, directions, compiled), one)
    assert one[1].norm() > 0


def test_a_spectral_norm_that_learns_at_each_look_does_not_look_like_a_slope():
    network = dcgan()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.utils.parametrizations.spectral_norm(layer)
    images, directions = photos(64, 3, 16, 16), drawn(64, 3, 16, 16)
    for _ in range(20):
        network(images)
    found = finite_difference(network, images, directions).mean().item()
    network.eval()  # here it stands still
    assert found == pytest.approx(
        finite_difference(network, images, directions).mean().item(), rel=0.1
    )


def test_known_blind_spot_the_chance_of_dropout_looks_like_a_slope():
    class Flat(nn.Module):
        def forward(self, images):
            return nn.functional.dropout(torch.ones(len(images)))

    flat = finite_difference(Flat(), photos(64, 1, 4, 4), drawn(64, 1, 4, 4))
    assert flat.mean().item() > 1


def test_small_images_are_tried_at_a_tenth_and_larger_ones_as_far_over_all_pixels_together():
    assert epsilon_for(28, 28) == epsilon_for(8, 8) == epsilon_for(28, 20) == LARGEST_EPSILON
    assert epsilon_for(32, 32) == pytest.approx(0.0875)
    assert epsilon_for(64, 64) == epsilon_for(128, 32) == pytest.approx(0.04375)

    def way(side, epsilon):
        return (epsilon * drawn(1, 3, side, side)).norm().item()

    assert way(64, epsilon_for(64, 64)) == pytest.approx(way(28, LARGEST_EPSILON), rel=0.05)


def test_however_large_an_image_is_it_is_tried_no_nearer_than_that():
    assert epsilon_for(128, 128) == epsilon_for(1024, 1024) == SMALLEST_EPSILON


@pytest.mark.parametrize("epsilon", [LARGEST_EPSILON, epsilon_for(64, 64)])
def test_of_waves_that_are_as_long_as_the_way_a_part_is_smoothed_away(epsilon):
    """D = sin(10 n) / 10 along any direction, n standard normal: the exact squared slope is 1."""

    class Waves(nn.Module):
        def forward(self, images):
            return torch.sin(10 * images.flatten(1).sum(1)) / 10

    images, directions = torch.zeros(10_000, 1, 1, 1), drawn(10_000, 1, 1, 1)
    left = (1 - math.exp(-2 * (10 * epsilon) ** 2)) / (2 * (10 * epsilon) ** 2)
    found = finite_difference(Waves(), images, directions, epsilon).mean().item()
    assert found == pytest.approx(left, rel=0.05)

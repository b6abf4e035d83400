"""Minibatch discrimination and virtual batch norm against answers known on paper."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm

from facewright.networks.salimans import MinibatchDiscrimination, VirtualBatchNorm2d, WithReference
from tests.networks.together import by_threads


def discrimination(in_features, kernels, kernel_size=5):
    torch.manual_seed(0)
    return MinibatchDiscrimination(in_features, kernels, kernel_size)


def photos(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def closeness(layer, features):
    return layer(features)[:, features.shape[1] :]


def test_identical_images_are_close_to_all_others():
    found = closeness(discrimination(6, kernels=3), photos(1, 6).expand(8, 6))
    torch.testing.assert_close(found, torch.full((8, 3), 7.0))


def test_far_images_are_close_to_none():
    found = closeness(discrimination(6, kernels=3), 1e4 * photos(8, 6))
    torch.testing.assert_close(found, torch.zeros(8, 3), atol=1e-6, rtol=0)


def test_a_lone_image_is_not_close_to_itself():
    assert closeness(discrimination(6, kernels=3), photos(1, 6)).count_nonzero() == 0


def test_closeness_falls_with_the_sum_of_absolute_differences():
    layer = discrimination(4, kernels=2, kernel_size=2)
    with torch.no_grad():
        layer.projection.copy_(torch.eye(4))
    found = closeness(layer, torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.3, -0.4, 2.0, 0.0]]))
    expected = torch.tensor([[math.exp(-0.7), math.exp(-2.0)]]).expand(2, 2)
    torch.testing.assert_close(found, expected)


def test_the_features_pass_unchanged_in_front():
    layer, features = discrimination(6, kernels=3), photos(4, 6)
    assert torch.equal(layer(features)[:, :6], features)
    assert layer(features).shape == (4, 9)


def test_order_in_the_batch_does_not_matter():
    layer, features = discrimination(6, kernels=3), photos(5, 6)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(features[order]), layer(features)[order])


def plain_closeness(layer, features):
    projected = (features @ layer.projection).unflatten(1, (layer.kernels, -1))
    distance = (projected[:, None] - projected[None]).abs().sum(dim=3)
    return torch.exp(-distance).sum(dim=1) - 1


def test_values_and_gradients_are_those_of_the_plain_formula():
    layer, features = discrimination(6, kernels=3), photos(5, 6).requires_grad_(True)
    plain = plain_closeness(layer, features)
    torch.testing.assert_close(closeness(layer, features), plain)
    weighting = photos(5, 3, seed=2)
    inputs = [features, layer.projection]
    torch.testing.assert_close(
        torch.autograd.grad((closeness(layer, features) * weighting).sum(), inputs),
        torch.autograd.grad((plain * weighting).sum(), inputs),
    )


def test_two_processes_see_the_images_of_both():
    layer, features = discrimination(6, kernels=3), photos(6, 6)
    found = by_threads(layer, features.split(3))
    torch.testing.assert_close(torch.cat(found), layer(features))


def test_outside_training_each_process_sees_its_own_images():
    layer, features = discrimination(6, kernels=3).eval(), photos(6, 6)
    for share, found in zip(features.split(3), by_threads(layer, features.split(3)), strict=True):
        assert torch.equal(found, layer(share))


def test_identical_images_give_no_undefined_gradient():
    features = photos(1, 6).repeat(4, 1).requires_grad_(True)
    closeness(discrimination(6, kernels=3), features).sum().backward()
    assert features.grad is not None
    assert features.grad.count_nonzero() == 0  # closeness is at its maximum


def test_second_gradients_are_those_of_the_plain_formula():
    layer, features = discrimination(6, kernels=3), photos(5, 6).requires_grad_(True)

    def steepness(closeness):
        (slope,) = torch.autograd.grad(closeness.square().sum(), features, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), [features, layer.projection])

    torch.testing.assert_close(
        steepness(closeness(layer, features)), steepness(plain_closeness(layer, features))
    )


def test_projections_have_about_unit_length_at_any_width():
    for width in (16, 1024):
        lengths = discrimination(width, kernels=100).projection.norm(dim=0)
        assert lengths.mean().item() == pytest.approx(1, rel=0.05)


def test_minibatch_discrimination_under_autocast_is_near_that_of_fp32():
    layer, features = discrimination(6, kernels=3), photos(8, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coarse = layer(features)
    torch.testing.assert_close(coarse, layer(features), rtol=0.03, atol=0.03)


def normalised(maps, rows, eps=1e-5):
    layer = VirtualBatchNorm2d(maps.shape[1], eps=eps)
    layer.reference_rows = rows
    return layer(maps)


def test_the_reference_is_normalised_as_a_batch_of_its_own():
    maps = photos(12, 3, 4, 4) * 5 + 2
    reference = normalised(maps, rows=8)[:8]
    torch.testing.assert_close(reference.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    spread = reference.std(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(spread, torch.ones(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("rows", [4, 64])
def test_a_constant_image_beside_a_black_reference_lies_root_of_rows_away(rows):
    # Mean c / (R + 1) and variance c^2 R / (R + 1)^2 put c at the square root of R.
    maps = torch.zeros(rows + 1, 2, 3, 3)
    maps[-1] = 7.0
    image = normalised(maps, rows, eps=0.0)[-1]
    torch.testing.assert_close(image, torch.full((2, 3, 3), math.sqrt(rows)))


def test_an_image_is_normalised_as_one_more_member_of_the_reference():
    maps = photos(9, 3, 4, 4) * 5 + 2
    together = batch_norm(maps, None, None, training=True)
    torch.testing.assert_close(normalised(maps, rows=8)[-1], together[-1])


def test_an_image_does_not_depend_on_the_others_in_its_batch():
    maps = photos(12, 3, 4, 4)
    others = maps.clone()
    others[9:] = 100
    assert torch.equal(normalised(maps, rows=8)[:9], normalised(others, rows=8)[:9])


def test_a_flat_batch_gives_no_undefined_numbers():
    maps = torch.full((5, 2, 3, 3), 4.0, requires_grad=True)
    found = normalised(maps, rows=4)
    found.sum().backward()
    assert found.abs().max() < 1e-3
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_scale_and_shift_are_learned_per_channel():
    layer = VirtualBatchNorm2d(2)
    layer.reference_rows = 4
    maps = photos(6, 2, 3, 3)
    plain = layer(maps)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, -1.0]))
        layer.bias.copy_(torch.tensor([0.5, 3.0]))
    torch.testing.assert_close(layer(maps)[:, 0], 2 * plain[:, 0] + 0.5)
    torch.testing.assert_close(layer(maps)[:, 1], 3 - plain[:, 1])


def test_bf16_maps_are_normalised_in_fp32_and_stay_bf16():
    maps = (
        photos(6, 2, 4, 4) + 300
    ).bfloat16()  # squares of these differ by less than bf16 can say
    found = normalised(maps, rows=4)
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(
        found.float(), normalised(maps.float(), rows=4), rtol=0.01, atol=0.01
    )


def generator(seed=0):
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Linear(3, 8),
        nn.Unflatten(1, (2, 2, 2)),
        VirtualBatchNorm2d(2),
        nn.ReLU(),
        nn.ConvTranspose2d(2, 4, 4, 2, 1),
        VirtualBatchNorm2d(4),
        nn.Tanh(),
    )
    return WithReference(layers, torch.randn(6, 3))


def test_a_generator_returns_one_image_for_each_latent_of_the_caller():
    assert generator()(photos(5, 3)).shape == (5, 4, 4, 4)


def test_every_layer_learns_how_long_the_reference_is():
    found = [m.reference_rows for m in generator().modules() if isinstance(m, VirtualBatchNorm2d)]
    assert found == [6, 6]


def test_a_latent_gives_the_same_image_alone_and_in_a_batch():
    network, latents = generator(), photos(5, 3)
    torch.testing.assert_close(network(latents[2:3]), network(latents)[2:3])
    torch.testing.assert_close(network.eval()(latents), network.train()(latents))


def test_the_reference_is_stored_and_not_trained():
    assert "reference" not in dict(generator().named_parameters())
    assert "reference" in generator().state_dict()


def test_the_images_depend_on_the_reference():
    network, latents = generator(), photos(5, 3)
    before = network(latents)
    network.reference += 1
    assert not torch.allclose(network(latents), before, atol=1e-3)


def test_a_checkpoint_brings_the_reference_back():
    first, second, latents = generator(seed=0), generator(seed=1), photos(5, 3)
    assert not torch.equal(second(latents), first(latents))
    second.load_state_dict(first.state_dict())
    assert torch.equal(second(latents), first(latents))


def test_without_a_reference_the_layer_refuses_to_work():
    with pytest.raises(AssertionError, match="inside WithReference"):
        VirtualBatchNorm2d(2)(photos(4, 2, 3, 3))

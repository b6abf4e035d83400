"""Penalties against surfaces whose slope is known on paper."""

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import nn

from facewright.objective.penalties import clip_weights, gradient_penalty, r1_penalty, r2_penalty

BOTH = pytest.mark.parametrize("penalty", [r1_penalty, r2_penalty])


class Plane(nn.Module):
    """D(x) = <slope, x> + 1: the same slope at every image."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(slope)

    def forward(self, images):
        return (images * self.slope).flatten(1).sum(1) + 1


class Bowl(nn.Module):
    """D(x) = |x|^2 / 2: the slope at x is x."""

    def forward(self, images):
        return images.square().flatten(1).sum(1) / 2


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0)
    )


def photos(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def lengths(images):
    return images.flatten(1).norm(dim=1)


@BOTH
def test_a_plane_has_its_squared_slope_at_every_image(penalty):
    slope = torch.full((3, 4, 4), 0.5)  # squared length: 48 * 0.25 = 12
    found = penalty(Plane(slope), photos(5, 3, 4, 4))
    torch.testing.assert_close(found, torch.full((5,), 12.0))


@BOTH
def test_a_bowl_has_the_squared_length_of_each_image(penalty):
    images = photos(4, 2, 3, 3)
    torch.testing.assert_close(penalty(Bowl(), images), lengths(images).square())


@pytest.mark.parametrize("length", [0.0, 0.25, 1.0, 3.0])
def test_a_plane_is_penalised_for_the_difference_of_its_slope_from_one(length):
    slope = torch.zeros(1, 2, 2)
    slope[0, 0, 1] = length
    found = gradient_penalty(Plane(slope), photos(3, 1, 2, 2), photos(3, 1, 2, 2), torch.rand(3))
    torch.testing.assert_close(found, torch.full((3,), (length - 1) ** 2))


def test_the_slope_is_taken_between_real_and_fake_where_the_mix_says():
    real, fake = torch.full((4, 1, 1, 1), 1.0), torch.full((4, 1, 1, 1), 5.0)
    found = gradient_penalty(Bowl(), real, fake, torch.tensor([0.0, 0.25, 0.5, 1.0]))
    torch.testing.assert_close(found, torch.tensor([0.0, 1.0, 4.0, 16.0]))  # at 1, 2, 3 and 5


@BOTH
def test_the_penalty_pulls_the_weights_of_a_plane_straight_to_nought(penalty):
    plane = Plane(photos(1, 2, 2))
    penalty(plane, photos(3, 1, 2, 2)).mean().backward()
    torch.testing.assert_close(plane.slope.grad, 2 * plane.slope.detach())


def test_the_gradient_penalty_pulls_a_steep_plane_towards_slope_one():
    plane = Plane(torch.tensor([[[3.0, 4.0]]]))  # length 5
    gradient_penalty(plane, photos(2, 1, 1, 2), photos(2, 1, 1, 2), torch.rand(2)).mean().backward()
    torch.testing.assert_close(plane.slope.grad, 2 * 4 * torch.tensor([[[0.6, 0.8]]]))


def test_a_flat_discriminator_gets_no_undefined_gradient():
    plane = Plane(torch.zeros(1, 2, 2))
    gradient_penalty(plane, photos(2, 1, 2, 2), photos(2, 1, 2, 2), torch.rand(2)).mean().backward()
    assert plane.slope.grad is not None
    assert plane.slope.grad.isfinite().all()


@BOTH
def test_each_image_has_the_penalty_it_has_alone(penalty):
    network, images = small_network(), photos(5, 1, 4, 4)
    alone = torch.cat([penalty(network, image[None]) for image in images])
    torch.testing.assert_close(penalty(network, images), alone)


def test_known_blind_spot_batch_norm_mixes_the_slopes_of_a_batch():
    images = photos(5, 1, 4, 4)
    network = nn.Sequential(nn.BatchNorm2d(1), small_network())
    two, five = r1_penalty(network, images[:2]), r1_penalty(network, images)
    assert not torch.allclose(two, five[:2], rtol=0.01)


@BOTH
def test_the_callers_batch_is_left_alone(penalty):
    images = photos(2, 1, 4, 4)
    before = images.clone()
    penalty(small_network(), images).mean().backward()
    assert not images.requires_grad
    assert images.grad is None
    assert images.equal(before)


def test_the_callers_real_and_fake_images_are_left_alone():
    real, fake = photos(2, 1, 4, 4), photos(2, 1, 4, 4) + 1
    before = real.clone(), fake.clone()
    gradient_penalty(small_network(), real, fake, torch.rand(2)).mean().backward()
    assert not real.requires_grad
    assert not fake.requires_grad
    assert real.equal(before[0])
    assert fake.equal(before[1])


@pytest.mark.parametrize(
    "penalty",
    [r2_penalty, lambda network, fake: gradient_penalty(network, -fake, fake, torch.rand(2))],
)
def test_no_gradient_reaches_the_generator(penalty):
    made = torch.ones(1, requires_grad=True)
    penalty(small_network(), made * photos(2, 1, 4, 4)).mean().backward()
    assert made.grad is None


def test_looking_at_a_penalty_leaves_no_gradient_in_the_weights():
    network = small_network()
    r1_penalty(network, photos(2, 1, 4, 4))
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_under_autocast_penalties_and_their_gradients_are_exactly_those_of_fp32(dtype):
    network, mix = small_network(), torch.tensor([0.3, 0.8])
    images = photos(2, 1, 4, 4).bfloat16()  # values that both types have

    weights = [weight for weight in network.parameters() if weight.ndim > 1]

    def all_three(real, fake):
        return torch.cat(
            (
                r1_penalty(network, real),
                r2_penalty(network, fake),
                gradient_penalty(network, real, fake, mix),
            )
        )

    exact = all_three(images.float(), -images.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = all_three(images.float(), -images.to(dtype))
    assert torch.equal(found, exact)
    gradients = [torch.autograd.grad(penalties.sum(), weights) for penalties in (found, exact)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


@pytest.mark.shapes
@pytest.mark.parametrize("flat", [photos(4, 16), photos(4, 1, 16)])
def test_images_without_height_and_width_are_refused(flat):
    with pytest.raises(TypeCheckError):
        r1_penalty(small_network(), flat)


@pytest.mark.shapes
def test_a_mix_for_another_number_of_images_is_refused():
    with pytest.raises(TypeCheckError):
        gradient_penalty(small_network(), photos(2, 1, 4, 4), photos(2, 1, 4, 4), torch.rand(1))


def test_clipping_moves_weights_beyond_the_bound_to_it_and_no_others():
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-0.5, 0.05, 0.5]]))
        layer.bias.fill_(-7.0)
    clip_weights(layer, 0.1)
    assert torch.equal(layer.weight, torch.tensor([[-0.1, 0.05, 0.1]]))
    assert torch.equal(layer.bias, torch.tensor([-0.1]))


def test_clipped_weights_still_learn():
    network = small_network()
    clip_weights(network, 0.01)
    assert all(weight.requires_grad and weight.is_leaf for weight in network.parameters())

"""The layers next to the image are the plain strided ones."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from facewright.networks.polyphase import (
    DoublingConvTranspose2d,
    HalvingConv2d,
    ImageConv2d,
    ImageConvTranspose2d,
)

SIZES = [(8, 8), (7, 10), (5, 9), (28, 28)]


def _plain_doubling(layer, maps, size):
    return functional.conv_transpose2d(
        maps,
        layer.weight,
        layer.bias,
        stride=2,
        padding=layer.kernel_size[0] // 2,
        output_padding=[1 - side % 2 for side in size],
    )


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 11])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_gradient", [True, False])
def test_halving_an_image_is_the_plain_strided_convolution(size, kernel, with_gradient):
    torch.manual_seed(0)
    layer = ImageConv2d(3, 6, kernel)
    images = torch.randn(2, 3, *size, requires_grad=with_gradient)
    plain = functional.conv2d(images, layer.weight, layer.bias, stride=2, padding=kernel // 2)
    torch.testing.assert_close(layer(images), plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 11])
@pytest.mark.parametrize("size", SIZES)
def test_doubling_maps_to_an_image_is_the_plain_transposed_convolution(size, kernel):
    torch.manual_seed(0)
    layer = ImageConvTranspose2d(6, 3, kernel, size)
    maps = torch.randn(2, 6, *(-(-side // 2) for side in size))
    plain = _plain_doubling(layer, maps, size)
    torch.testing.assert_close(layer(maps), plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("with_gradient", [True, False])
def test_maps_come_out_channels_last_whatever_goes_in(with_gradient):
    images = torch.randn(2, 3, 8, 8, requires_grad=with_gradient)
    maps = ImageConv2d(3, 6, 5)(images)
    assert maps.is_contiguous(memory_format=torch.channels_last)


def test_one_pixel_spreads_as_its_filter():
    layer: Any = ImageConvTranspose2d(1, 1, 3, (5, 5))
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, 10.0).view(1, 1, 3, 3))
        layer.bias.zero_()
    maps = torch.zeros(1, 1, 3, 3)
    maps[0, 0, 1, 1] = 1
    expected = torch.zeros(1, 1, 5, 5)
    expected[0, 0, 1:4, 1:4] = layer.weight[0, 0]
    torch.testing.assert_close(layer(maps), expected)


def test_gradients_reach_the_weights_in_their_usual_shape():
    layer: Any = ImageConv2d(3, 4, 5)
    images = torch.randn(2, 3, 9, 8, requires_grad=True)
    plain = functional.conv2d(images, layer.weight, layer.bias, stride=2, padding=2)
    pull = torch.randn_like(plain)
    wanted = torch.autograd.grad((plain * pull).sum(), [layer.weight, layer.bias, images])
    found = torch.autograd.grad((layer(images) * pull).sum(), [layer.weight, layer.bias, images])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [7, 8])
def test_filters_of_one_pixel_are_those_of_the_strided_convolution(side):
    layer = HalvingConv2d(3, 4, 1).double()
    plain = nn.Conv2d(3, 4, 1, stride=2).double()
    plain.load_state_dict(layer.state_dict())
    ours = torch.randn(2, 3, side, side, dtype=torch.float64).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    torch.testing.assert_close(layer(ours), plain(theirs))
    layer(ours).square().sum().backward()
    plain(theirs).square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kernel", [1, 5])
@pytest.mark.parametrize("size", [(8, 6), (7, 8), (8, 7), (1, 1)])
def test_doubling_maps_is_the_plain_transposed_convolution_with_filters_of_one_pixel_too(
    size, kernel, bias
):
    torch.manual_seed(0)
    layer = DoublingConvTranspose2d(4, 3, kernel, size, bias=bias).double()
    maps = torch.randn(
        2, 4, *(-(-side // 2) for side in size), dtype=torch.float64, requires_grad=True
    )
    plain = _plain_doubling(layer, maps, size)
    doubled = layer(maps)
    torch.testing.assert_close(doubled, plain)
    ours, theirs = (torch.autograd.grad(m.sin().sum(), maps)[0] for m in (doubled, plain))
    torch.testing.assert_close(ours, theirs)

"""Do the units of a network still learn? Slopes, saturation, dead units, gradients by layer."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from facewright.config import ActivationName
from facewright.errors import MetricError
from facewright.networks.dcgan import ACTIVATIONS

STEEPEST: dict[ActivationName, float] = {"relu": 1, "leaky-relu": 1, "sigmoid": 1 / 4, "tanh": 1}
"""The largest slope that each activation has anywhere."""

FLAT = 0.05
"""An activation counts as flat where its slope is below this share of its steepest."""

_KINDS = (nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh)


def slopes(name: ActivationName, inputs: Tensor) -> Tensor:
    """How much of a gradient does an activation let through?

    Args:
        name: of the activation.
        inputs: of any shape, what the activation is applied to.

    Returns:
        Its derivative at each input.
    """
    inputs = inputs.detach().requires_grad_(True)
    # Some activations work in place, which a leaf does not allow.
    outputs = ACTIVATIONS[name]()(inputs.clone())
    return torch.autograd.grad(outputs.sum(), inputs)[0]


def flat_share(name: ActivationName, inputs: Tensor) -> float:
    """How often is the activation so flat that hardly any gradient passes?

    Args:
        name: of the activation.
        inputs: of any shape.

    Returns:
        0 to 1. About a half is usual for ReLU, which is off for half of its inputs by design;
        leaky ReLU has no flat part. For sigmoid and tanh it is saturation.
    """
    return float((slopes(name, inputs) < FLAT * STEEPEST[name]).float().mean())


def dead_share(name: ActivationName, inputs: Tensor) -> float:
    """Which share of the units is flat for every image, wherever it looks?

    Such a unit passes no gradient at all, so it cannot come back by itself.

    Args:
        name: of the activation.
        inputs: (B, C, H, W) maps of one layer; a unit is a channel, because its filter is the
            same everywhere.

    Returns:
        0 to 1.

    Source: Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".
    Blind spot: a unit that other images would wake counts as dead.
    """
    flat = slopes(name, inputs) < FLAT * STEEPEST[name]
    return float(flat.movedim(1, 0).flatten(1).all(dim=1).float().mean())


def activation_inputs(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What each activation of a network is applied to, in order.

    Args:
        network: with activations as modules; run as it is, in training or evaluation mode.
        images: its input.
    """
    with _noting_inputs(network) as found, torch.no_grad():
        network(images)
    return found


@contextmanager
def _noting_inputs(network: nn.Module) -> Iterator[list[Tensor]]:
    found: list[Tensor] = []

    def note(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0].detach().clone())  # the activation may overwrite it

    layers = [layer for layer in network.modules() if isinstance(layer, _KINDS)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def gradient_sizes(network: nn.Module, loss: Tensor) -> list[float]:
    """How large is the gradient of each layer's weights, from the image to the verdict?

    Args:
        network: whose convolutions and linear layers are looked at.
        loss: computed with it, with gradient.

    Returns:
        The root mean square over the weights of each layer. Where it falls from the last to
        the first by orders of magnitude, the first layers learn nothing: the gradient vanishes.

    Raises:
        MetricError: no such layer.
    """
    kinds = (nn.Conv2d, nn.Linear)
    weights = [layer.weight for layer in network.modules() if isinstance(layer, kinds)]
    if not weights:
        raise MetricError(
            "a network without convolutions or linear layers",
            expected="some",
            fix="the discriminator of a run",
        )
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    return [gradient.square().mean().sqrt().item() for gradient in gradients]

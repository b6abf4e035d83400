"""Numbers about convolution filters: what do they ignore, prefer and respond to?"""

import torch
from torch import Tensor
from torch.nn import functional

SPECTRUM = 16
"""Frequencies a side at which a filter is looked at; filters are filled up with zeros to it."""


def smoothness(filters: Tensor) -> Tensor:
    """Do neighbouring weights of a filter agree?

    Args:
        filters: (O, I, K, K), K at least 2.

    Returns:
        (O,) correlation of horizontal and vertical neighbours around zero: 1 where all weights
        are equal, 0 on average for independent random weights, -1 for a chessboard.

    Blind spot: an edge detector of three columns (-1, 0, 1) scores 0.5, below a blob.
    """
    pairs = (
        (filters[..., :, 1:] * filters[..., :, :-1]).mean(dim=(1, 2, 3)),
        (filters[..., 1:, :] * filters[..., :-1, :]).mean(dim=(1, 2, 3)),
    )
    return (pairs[0] + pairs[1]) / 2 / filters.square().mean(dim=(1, 2, 3))


def uniform_share(filters: Tensor) -> Tensor:
    """How much of a filter is nothing but a sum over its patch?

    The share of a filter's power that lies in its mean, (sum w)^2 / (n sum w^2) for n weights.

    Args:
        filters: (O, I, K, K).

    Returns:
        (O,) 1 where all weights are equal, so that only brightness counts; 1 / n on average
        for independent random weights; 0 for a filter that a plain area leaves cold.
    """
    flat = filters.flatten(1)
    return flat.sum(dim=1).square() / (flat.shape[1] * flat.square().sum(dim=1))


def orientation(filters: Tensor) -> Tensor:
    """How strongly does a filter prefer one direction of stripes?

    The mean direction of its power spectrum: |sum P(f) exp(2 i angle(f))| / sum P(f), over all
    frequencies f but zero. The double angle makes opposite directions one.

    Args:
        filters: (O, I, K, K).

    Returns:
        (O,) from 0, the same for all directions (a single dot), to 1 (endless stripes).

    Source: 1 - circular variance, Ringach et al. 2002, doi:10.1523/JNEUROSCI.22-13-05639.2002,
    there of responses to gratings.
    """
    power = torch.fft.fft2(filters, s=(SPECTRUM, SPECTRUM)).abs().square().sum(dim=1)
    axis = torch.fft.fftfreq(SPECTRUM)
    vertical, horizontal = torch.meshgrid(axis, axis, indexing="ij")
    # The frequency -1/2 stands for 1/2 too; leaving it out keeps the grid symmetric.
    counted = (vertical > -0.5) & (horizontal > -0.5)
    counted[0, 0] = False
    double = 2 * torch.atan2(vertical, horizontal)
    weights = power * counted
    resultant = torch.hypot(
        (weights * double.cos()).sum((1, 2)), (weights * double.sin()).sum((1, 2))
    )
    return resultant / weights.sum((1, 2))


def edge_agreement(filters: Tensor, images: Tensor) -> Tensor:
    """Does a layer respond where the image has edges?

    Args:
        filters: (O, C, K, K) of the first layer, applied with stride 2.
        images: (B, C, H, W) in [-1, 1].

    Returns:
        (B,) correlation over all places between the strength of the responses and the strength
        of the edges there; 1 when the layer responds to edges and nothing else.
    """
    responses = functional.conv2d(images, filters, stride=2, padding=filters.shape[-1] // 2)
    strength = responses.square().sum(dim=1).sqrt()
    height, width = strength.shape[1:]
    down = functional.pad((images[..., 1:, :] - images[..., :-1, :]).square(), (0, 0, 0, 1))
    right = functional.pad((images[..., :, 1:] - images[..., :, :-1]).square(), (0, 1))
    edges = functional.adaptive_avg_pool2d((down + right).sum(1, keepdim=True), (height, width))
    return _correlation(strength.flatten(1), edges.sqrt().flatten(1))


def _correlation(left: Tensor, right: Tensor) -> Tensor:
    left, right = (side - side.mean(dim=1, keepdim=True) for side in (left, right))
    return (left * right).sum(1) / (left.norm(dim=1) * right.norm(dim=1)).clamp(min=1e-12)

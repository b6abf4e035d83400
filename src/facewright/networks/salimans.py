"""The layers of Salimans et al. 2016: each image is evaluated, or normalised, beside others."""

from typing import Any

import torch
from torch import Tensor, nn

from facewright.networks.processes import rows_of_all_processes
from facewright.shapes import Features

REFERENCE_ROWS = 64
"""Latents in a reference batch that are enough for steady statistics."""


class MinibatchDiscrimination(nn.Module):
    """How similar is each image to the others in its batch?

    A generator that repeats itself makes batches of similar images, which no logit of
    single images can see. This layer adds, to the features of each image, one closeness
    per kernel: about 0 when all others are far, batch - 1 when all are the same.

    The logit of an image then depends on its whole batch: show real and generated images
    in separate batches of one size, and read gradient penalties with that in mind. In
    training the batch is that of all processes together: each takes up the projections of
    all images, and answers for its own.

    Args:
        in_features: length of the incoming feature vectors.
        kernels: closenesses added to each vector.
        kernel_size: numbers of each projection in which the distance is taken.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.2. The image itself is left
    out of the sum; the scale of the projections is learned with them.
    """

    def __init__(self, in_features: int, kernels: int, kernel_size: int = 5) -> None:
        super().__init__()
        self.kernels = kernels
        # Columns of about unit length: exp(-distance) is neither all 0 nor all 1 at the start.
        scale = in_features**-0.5
        self.projection = nn.Parameter(scale * torch.randn(in_features, kernels * kernel_size))

    def forward(self, features: Features) -> Tensor:
        """(B, in_features) -> (B, in_features + kernels), the closenesses last."""
        projected = (features @ self.projection).float().unflatten(1, (self.kernels, -1))
        everyone, own = projected, slice(None)
        if self.training:
            everyone, own = rows_of_all_processes(projected)
        distance = _PairDistances.apply(everyone.transpose(0, 1))
        closeness = torch.exp(-distance).sum(dim=2) - 1  # every image is at distance 0 of itself
        return torch.cat([features, closeness.T[own]], dim=1)


class _PairDistances(torch.autograd.Function):
    """Sums of absolute differences between all points of a set, (K, B, D) -> (K, B, B).

    Forgets the K * B * B * D differences, which are 130 MB at a batch of 256, and makes
    them again in the backward pass. `torch.cdist` alone has no second derivative, which
    gradient penalties need.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor) -> Tensor:
        ctx.save_for_backward(points)
        return torch.cdist(points, points, p=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (points,) = ctx.saved_tensors
        both = gradient + gradient.mT  # a point is the first of some pairs and the second of others
        parts = points.unbind(dim=2)
        signs = (torch.sign(part.unsqueeze(2) - part.unsqueeze(1)) for part in parts)
        return torch.stack([(both * sign).sum(dim=2) for sign in signs], dim=2)


class VirtualBatchNorm2d(nn.Module):
    """Batch normalisation by a batch that never changes, and by the image itself.

    An image no longer depends on which others happen to share its batch. Takes the place
    of `nn.BatchNorm2d(channels)` in a network wrapped in `WithReference`, which makes the
    reference batch lead every tensor that arrives here.

    Args:
        channels: of the incoming maps.
        eps: added to the variance.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.5: the image counts as one
    more member of the reference batch; reference rows use only their own statistics.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.reference_rows = 0
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """(R + B, C, H, W) -> the same shape and type; the first R rows are the reference."""
        rows = self.reference_rows
        assert rows, "VirtualBatchNorm2d works only inside WithReference"
        variance, mean = torch.var_mean(maps.float(), dim=(2, 3), correction=0)  # (R + B, C)
        reference_mean = mean[:rows].mean(dim=0)
        reference_variance = variance[:rows].mean(dim=0) + mean[:rows].var(dim=0, correction=0)

        own = torch.full_like(mean[:, :1], 1 / (rows + 1))  # the share of each row's own pixels
        own[:rows] = 0
        # Two groups of pixels put together, by the law of total variance: unlike
        # E[x^2] - E[x]^2 it cannot come out negative.
        between = own * (1 - own) * (mean - reference_mean).square()
        mean = torch.lerp(reference_mean.expand_as(mean), mean, own)
        variance = (1 - own) * reference_variance + own * variance + between

        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        normalised = torch.addcmul(shift[:, :, None, None], maps.float(), scale[:, :, None, None])
        return normalised.to(maps.dtype)


class WithReference(nn.Module):
    """A network in which every batch is led by the same reference batch.

    The reference is part of the state dict, so a checkpoint brings it back exactly.
    It runs through the network with every batch, which costs as much as R more images.

    Args:
        network: maps (B, ...) to (B, ...), row by row but for its `VirtualBatchNorm2d` layers.
        reference: (R, ...) inputs, R >= 2, drawn once; for a generator standard normal latents.
    """

    reference: Tensor

    def __init__(self, network: nn.Module, reference: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("reference", reference)
        for layer in network.modules():
            if isinstance(layer, VirtualBatchNorm2d):
                layer.reference_rows = len(reference)

    def forward(self, inputs: Tensor) -> Tensor:
        """The network's outputs for the inputs alone, (B, ...)."""
        return self.network(torch.cat([self.reference, inputs]))[len(self.reference) :]

"""The pieces that both players are made of."""

import torch
from torch import Tensor, nn

from facewright.networks.processes import process_count, rows_of_all_processes
from facewright.networks.salimans import MinibatchDiscrimination
from facewright.shapes import Features, Logits


class BatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose batch is the whole batch, however many processes share it.

    In one process it is `nn.BatchNorm2d`. When several processes train together, the
    mean and the variance are taken over the images of all of them, on any device, so
    that the number of processes does not change what is computed. (torch's own
    `SyncBatchNorm` refuses CPU tensors.)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W) activations; the shape stays."""
        if not self.training or process_count() == 1:
            return super().forward(input)
        return self._forward_together(input)

    def _forward_together(self, input: Tensor) -> Tensor:
        # As a matrix, one row a pixel: sums over its rows are quick, and those over three
        # dimensions of maps are not (`torch.var_mean` takes thirty times as long on a CPU).
        pixels = input.float().permute(0, 2, 3, 1)
        x = pixels.flatten(0, 2)
        mean = x.sum(0) / len(x)
        variance = (x - mean).square().sum(0) / len(x)
        # The count goes with them, because processes may hold batches of different sizes.
        count = x.new_full((1,), len(x))
        told, _ = rows_of_all_processes(torch.cat([mean, variance, count])[None])
        means, variances, counts = told.split([len(mean), len(variance), 1], dim=1)
        # The law of total variance: E[x^2] - E[x]^2 would lose digits where the mean is large.
        count = counts.sum().detach()
        share = counts.detach() / count
        mean = (share * means).sum(0)
        variance = (share * (variances + (means - mean).square())).sum(0)
        self._remember(mean, variance * count / (count - 1))
        scale = torch.rsqrt(variance + self.eps) * self.weight
        out = torch.addcmul(self.bias, x - mean, scale)
        return out.view(pixels.shape).permute(0, 3, 1, 2).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class Maxout(nn.Module):
    """The largest of several linear functions, for each unit.

    Args:
        inputs: length of the input vectors.
        units: length of the output vectors.
        pieces: linear functions per unit.

    Source: Goodfellow et al. 2013, arXiv:1302.4389.
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, units * pieces)
        self.pieces = pieces

    def forward(self, input: Tensor) -> Tensor:
        """(B, inputs) to (B, units)."""
        return self.linear(input).unflatten(1, (-1, self.pieces)).amax(2)


class Verdict(nn.Module):
    """The discriminator's last layer: from features to a logit of at least fp32.

    Two logits near 8 that differ by less than 0.03 are one number in bf16, which is what
    autocast would make of them. Here the products may be rounded, but never their sum.

    Args:
        features: length of the feature vectors.
        kernels: of minibatch discrimination in front of it; 0 leaves that out.
        dropout: share of the features that are dropped before all of it.
    """

    def __init__(self, features: int, kernels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.inputs = features
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.similarity = MinibatchDiscrimination(features, kernels) if kernels else nn.Identity()
        self.linear = nn.Linear(features + kernels, 1)

    def forward(self, features: Features) -> Logits:
        """(B, features) to (B,)."""
        seen = self.similarity(self.dropout(features))
        return weighted_sum(seen, self.linear.weight) + self.linear.bias


def weighted_sum(features: Tensor, weights: Tensor) -> Tensor:
    """(B, F) features and weights, or (1, F) weights, to (B,) sums of at least fp32."""
    products = features * weights.to(features.dtype)
    precision = torch.promote_types(features.dtype, torch.float32)
    return products.sum(1, dtype=precision)

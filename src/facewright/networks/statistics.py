"""The statistics that batch norm uses in a generator that is not being trained."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # what all batch norms have in common

from facewright.networks.conditional import conditioned
from facewright.networks.processes import single_process

AT_ONCE = 128
"""Latents in one batch; its variance is short of that of all of them by less than 1 %."""


def batch_norms(player: nn.Module) -> list[_BatchNorm]:
    """Every layer by which images of one batch depend on each other's statistics."""
    return [layer for layer in player.modules() if isinstance(layer, _BatchNorm)]


@torch.no_grad()
def take_statistics(generator: nn.Module, z: Tensor, conditions: Tensor) -> None:
    """Give batch norm the mean and the variance of the activations that these latents cause.

    Those of EMA weights are not those of any generator in training: with the running
    statistics of training, which are those of the last few batches, all images are a little
    too dark or of another tint, by chance and anew at each checkpoint.

    Args:
        generator: in eval mode, as it stays; left alone if nothing in it is batch norm.
        z: (N, z_dim) latents, on any device.
        conditions: (N, C), one for each; (N, 0) without conditions.

    Source: standing statistics, Brock et al. 2018, arXiv:1809.11096.
    """
    norms = batch_norms(generator)
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None  # all batches count alike
    device = next(generator.parameters()).device
    with single_process():
        parts = zip(z.to(device).split(AT_ONCE), conditions.to(device).split(AT_ONCE), strict=True)
        for part, given in parts:
            conditioned(generator, given)(part)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval()
        norm.momentum = momentum

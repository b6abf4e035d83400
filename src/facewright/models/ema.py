"""The averaged generator, which makes better pictures than the latest one."""

import copy

import torch
from torch import nn


class Ema:
    """An exponential average of the generator over the images it was trained on.

    The players circle around the equilibrium; the average lies nearer to it.

    Args:
        generator: what to average; the average starts as a copy of it.
        half_life: images after which a past generator counts half; 0 averages nothing. For
            the first few half-lives the random weights of the beginning still count, unless
            the half-life grows from 0, as it may: the attribute is read at each update.

    Source: Yazici et al. 2019, arXiv:1806.04498; half-life in images as in
    Karras et al. 2018, arXiv:1710.10196.
    """

    def __init__(self, generator: nn.Module, half_life: float) -> None:
        self.network = copy.deepcopy(generator).eval().requires_grad_(False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, generator: nn.Module, images: int) -> None:
        """Move towards `generator`, which has just been trained on so many images."""
        decay = 0.5 ** (images / self.half_life) if self.half_life else 0.0
        for mine, latest in zip(self.network.parameters(), generator.parameters(), strict=True):
            mine.lerp_(latest, 1 - decay)
        # Buffers are averages already (batch norm) or constants.
        for mine, latest in zip(self.network.buffers(), generator.buffers(), strict=True):
            mine.copy_(latest)

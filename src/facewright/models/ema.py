"""The averaged generator, which makes better pictures than the latest one."""

import copy

import torch
from torch import nn

YOUNG = 0.1
"""The half-life is at most this share of the images that the run has seen."""


class Ema:
    """An exponential average of the generator over the images it was trained on.

    The players circle around the equilibrium; the average lies nearer to it.

    Args:
        generator: what to average; the average starts as a copy of it.
        half_life: images after which a past generator counts half, as soon as the run is ten
            times as long; 0 averages nothing. May be changed: it is read at each update.

    Source: Yazici et al. 2019, arXiv:1806.04498; half-life in images as in
    Karras et al. 2018, arXiv:1710.10196; a share of a young run as in
    Karras et al. 2020, arXiv:2006.06676, who take half of ours.
    """

    def __init__(self, generator: nn.Module, half_life: float) -> None:
        self.network = copy.deepcopy(generator).eval().requires_grad_(False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, generator: nn.Module, images: int, seen: int) -> None:
        """Move towards `generator`.

        In a young run the average has a shorter memory, or the random weights of the
        beginning, and all that was learnt in haste, would be in its pictures for long.

        Args:
            generator: has just been trained.
            images: that it was trained on since the last update.
            seen: images of the whole run, these included.
        """
        half_life = min(self.half_life, YOUNG * seen)
        decay = 0.5 ** (images / half_life) if half_life else 0.0
        for mine, latest in zip(self.network.parameters(), generator.parameters(), strict=True):
            mine.lerp_(latest, 1 - decay)
        # Buffers are averages already (batch norm) or constants.
        for mine, latest in zip(self.network.buffers(), generator.buffers(), strict=True):
            mine.copy_(latest)

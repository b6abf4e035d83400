"""The EMA of the generator, which makes better images than the latest generator."""

import copy

import torch
from torch import nn

YOUNG = 0.1
"""The half-life is at most this share of the average's age."""


class Ema:
    """An exponential average of the generator over the images it was trained on.

    The players circle around the equilibrium; the average lies nearer to it. At first its
    half-life is shorter, or the random weights of the beginning, and the rough first steps, would
    show in its images for long.

    Args:
        generator: what to average; the average starts as a copy of it.
        half_life: images after which a past generator counts half, in an average ten times as
            old; 0 averages nothing. May be changed: it is read at each update.

    Attributes:
        age: images that its weights go back to; 0 for random ones.

    Source: Yazici et al. 2019, arXiv:1806.04498; half-life in images as in
    Karras et al. 2018, arXiv:1710.10196; a share of its age as in
    Karras et al. 2020, arXiv:2006.06676, who take half of ours.
    """

    def __init__(self, generator: nn.Module, half_life: float) -> None:
        self.network = copy.deepcopy(generator).eval().requires_grad_(False)
        self.half_life = half_life
        self.age = 0

    @torch.no_grad()
    def update(self, generator: nn.Module, images: int) -> None:
        """Move towards `generator`, which has just been trained on so many images."""
        self.age += images
        half_life = min(self.half_life, YOUNG * self.age)
        decay = 0.5 ** (images / half_life) if half_life else 0.0
        for mine, latest in zip(self.network.parameters(), generator.parameters(), strict=True):
            mine.lerp_(latest, 1 - decay)
        # Constants, or batch statistics that do not belong to these weights: they are computed
        # anew before images are drawn (`take_statistics`).
        for mine, latest in zip(self.network.buffers(), generator.buffers(), strict=True):
            mine.copy_(latest)

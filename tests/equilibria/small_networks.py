"""A pair of networks small enough for every entry of its Jacobian to be computed."""

import torch
from torch import nn

from facewright.rng import rng_for


class Picture(nn.Module):
    """(B, 2) latents to (B, 1, 2, 2) images."""

    def __init__(self, batch_norm=False):
        super().__init__()
        norm = nn.BatchNorm1d(3) if batch_norm else nn.Identity()
        self.layers = nn.Sequential(nn.Linear(2, 3), norm, nn.Tanh(), nn.Linear(3, 4))

    def forward(self, z):
        return torch.tanh(self.layers(z)).view(-1, 1, 2, 2)


class Judge(nn.Module):
    """(B, 1, 2, 2) images to (B,) logits."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(4, 3), nn.Softplus(), nn.Dropout(dropout), nn.Linear(3, 1)
        )

    def forward(self, images):
        return self.layers(images).squeeze(1)


def networks(seed=0, **judge):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Picture(), Judge(**judge)


def batch(count=16):
    real = torch.rand(count, 1, 2, 2, generator=rng_for(0, 0, "real")) * 2 - 1
    return real, torch.randn(count, 2, generator=rng_for(0, 0, "z"))

"""Conditional players: any of the pairs, with a layer that takes condition vectors."""

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from facewright.networks.blocks import Verdict, weighted_sum
from facewright.shapes import Conditions, Features, Images, Latents, Logits

EMBEDDED = 64
"""Numbers that a condition becomes beside the latent (Huang et al. 2024, arXiv:2501.05441)."""
FAINT = 0.1
"""How large each of them is at first, where a latent's are 1. As large as these, images follow the
label alone and repeat themselves (docs/experiments/recipes.md, "Labels that drown the latent")."""


class ConditionalGenerator(nn.Module):
    """A generator whose latent is extended by an embedding of the condition.

    Args:
        network: maps (B, Z + EMBEDDED) latents to (B, C, H, W) images.
        conditions: length of a condition vector.
    """

    def __init__(self, network: nn.Module, conditions: int) -> None:
        super().__init__()
        self.network = network
        self.embed = nn.Linear(conditions, EMBEDDED, bias=False)
        # A condition vector has length 1, so that this is the spread of what it becomes.
        nn.init.normal_(self.embed.weight, 0, FAINT)

    def forward(self, z: Latents, conditions: Conditions) -> Images:
        """(B, Z) latents and (B, conditions) to (B, C, H, W) images in [-1, 1]."""
        return self.network(torch.cat([z, self.embed(conditions)], dim=1))


class ProjectionDiscriminator(nn.Module):
    """A discriminator that also tests whether an image fits its condition.

    Its logit is that of the network, plus the product of the image's features and a vector
    that belongs to the condition. Without dropout both see the same features; with it, the
    product sees all of them.

    Args:
        network: has `features`, (B, C, H, W) images to (B, F), and a `Verdict` on them.
        conditions: length of a condition vector.

    Source: Miyato & Koyama 2018, arXiv:1802.05637, equation 6, with the embedding of
    several labels at once as a linear layer.
    """

    def __init__(self, network: nn.Module, conditions: int) -> None:
        super().__init__()
        self.network = network
        verdict = network.verdict
        assert isinstance(verdict, Verdict)
        self.embed = nn.Linear(conditions, verdict.inputs, bias=False)
        # The product is then about as large as a feature.
        nn.init.normal_(self.embed.weight, 0, 1 / math.sqrt(verdict.inputs))

    def features(self, images: Images) -> Features:
        """The last hidden layer, which does not depend on conditions: (B, F)."""
        return cast(Callable[[Tensor], Tensor], self.network.features)(images)

    def forward(self, images: Images, conditions: Conditions) -> Logits:
        """(B, C, H, W) images in [-1, 1] and (B, conditions) to (B,) logits."""
        features = self.features(images)
        verdict = cast(Callable[[Tensor], Tensor], self.network.verdict)
        return verdict(features) + weighted_sum(features, self.embed(conditions))


def conditioned(
    network: Callable[..., Tensor], conditions: Tensor | None
) -> Callable[[Tensor], Tensor]:
    """One of the players as a function of its inputs only, given the conditions of a batch.

    Args:
        network: called with (inputs, conditions) if it is a conditional one.
        conditions: (B, C), of the B inputs that will follow; `None`, or C = 0, for a player
            without conditions, which is returned as it is.
    """
    if conditions is None or conditions.shape[1] == 0:
        return network
    return lambda inputs: network(inputs, conditions)

"""Two steadying terms of Salimans et al. 2016, arXiv:1606.03498."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from facewright.shapes import Features, Scalar


def feature_matching_loss(real_features: Features, fake_features: Features) -> Scalar:
    """How far is the mean generated image from the mean real one, in the discriminator's eyes?

    A generator's loss that asks for the statistics of the data instead of a victory, so
    it keeps a direction when the discriminator wins.

    Args:
        real_features: (B, F) of a hidden layer, computed without gradient.
        fake_features: (B, F) of the same layer.

    Returns:
        Squared distance of the two batch means, summed over features. Not 0 at a draw:
        two batches of B real images are about 2 / B times the total variance apart.

    Source: section 3.1. Blind spot: any generator with the right mean scores 0, also
    one that makes a single image.
    """
    return (real_features.float().mean(dim=0) - fake_features.float().mean(dim=0)).square().sum()


class HistoricalAverage(nn.Module):
    """How far have a player's weights moved from their mean over time?

    Added to a player's loss it damps orbits around an equilibrium. Its state dict holds
    the mean and the count as plain tensors, so a resumed run continues exactly.

    Args:
        weights: of one player, on the device where it trains. They are followed, not
            copied; their present values are the first entry of the history.

    Source: section 3.3. The mean of all steps so far, kept as a running mean.
    """

    count: Tensor

    def __init__(self, weights: Iterable[nn.Parameter]) -> None:
        super().__init__()
        self._weights = list(weights)  # a plain list: they are the player's, not ours
        self.means = nn.ParameterList(
            nn.Parameter(weight.detach().clone(), requires_grad=False) for weight in self._weights
        )
        self.register_buffer("count", torch.tensor(1))

    def forward(self) -> Scalar:
        """Squared distance of the weights to the mean of their past; differentiable."""
        pairs = zip(self._weights, self.means, strict=True)
        return torch.stack([(weight - mean).square().sum() for weight, mean in pairs]).sum()

    @torch.no_grad()
    def update(self) -> None:
        """Enter the present weights into the history, after each of the player's steps."""
        self.count += 1
        for weight, mean in zip(self._weights, self.means, strict=True):
            mean.lerp_(weight, 1 / self.count.item())

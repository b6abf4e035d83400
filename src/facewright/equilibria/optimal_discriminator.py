"""From the odds that an image is real to the best logit for it, in each game."""

from torch import Tensor, nn

from facewright.objective.adversarial import Game


class OptimalDiscriminator(nn.Module):
    """The best discriminator of a game, for one that knows the odds.

    In every game with an `optimal_logit` the best discriminator is a known function of the
    ratio of the densities, which is what cross entropy estimates. One fresh discriminator
    therefore answers for all of them.

    Args:
        log_odds: maps images to the logarithm of the odds that they are real.
        game: with an `optimal_logit`.
    """

    def __init__(self, log_odds: nn.Module, game: Game) -> None:
        super().__init__()
        assert game.optimal_logit is not None
        self.log_odds, self.logit = log_odds, game.optimal_logit

    def forward(self, images: Tensor, conditions: Tensor | None = None) -> Tensor:
        """(B,) logits of the game.

        Args:
            images: (B, C, H, W).
            conditions: given to other discriminators; not used here.
        """
        return self.logit(self.log_odds(images).float())

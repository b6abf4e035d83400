"""From the odds that an image is real to the best verdict on it, in each game."""

from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from facewright.config import LossConfig


class BestVerdict(nn.Module):
    """What a judge who knows the odds would say in a game: its best discriminator.

    In every game but the Wasserstein one, the best discriminator is a known function of the
    ratio of the densities, which is what cross entropy estimates. One fresh judge therefore
    answers for all of them.

    Args:
        judge: maps images to the logarithm of the odds that they are real.
        loss: names the game.

    Source: for p real and q generated density, the maximum of the game's value at one
    point; a pair's for the relativistic game, where it is the difference of two log odds.
    """

    def __init__(self, judge: nn.Module, loss: LossConfig) -> None:
        super().__init__()
        self.judge, self.loss = judge, loss

    def forward(self, images: Tensor, conditions: Tensor | None = None) -> Tensor:
        """(B,) verdicts in the currency of the game.

        Args:
            images: (B, C, H, W).
            conditions: what other discriminators are told; this judge looks at images alone.
        """
        odds = self.judge(images).float()
        match self.loss.game:
            case "minimax" | "non-saturating":
                # The odds of target * D: target e^odds / (1 + (1 - target) e^odds).
                target = odds.new_tensor(self.loss.real_target)
                return target.log() + odds - softplus(odds + (1 - target).log())
            case "least-squares":
                return logsigmoid(odds).exp()
            case "hinge":
                return odds.sign()
            case "relativistic":
                return odds
            case "wasserstein":
                raise ValueError("the Wasserstein game's best verdict is no function of the odds")

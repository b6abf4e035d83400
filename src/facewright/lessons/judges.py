"""Discriminators that learn to tell clouds of points apart."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from facewright.config import ModelConfig
from facewright.lessons.clouds import Duel
from facewright.networks.build import build_discriminator
from facewright.objective.adversarial import GAMES
from facewright.rng import rng_for

JUDGE = ModelConfig(name="mlp", width=32)
BATCH, LR, BETAS = 512, 0.01, (0.5, 0.99)
LOOKS = frozenset(round(1.3**k) for k in range(40))
"""Steps after which a discriminator is measured: closer at first, where it learns fast."""


@dataclass(frozen=True)
class Trained:
    """One discriminator that learned from samples.

    Args:
        steps: made when it was measured, the last time at the end.
        values: of the game at these steps, for infinitely many points.
        distance: at the end, mean |D - D*| where the points are.
        logits: at the end, on the duel's grid.
    """

    steps: list[int]
    values: list[float]
    distance: float
    logits: Tensor


class Border(nn.Module):
    """A discriminator that can only draw one border: sigmoid(w x + b)."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.offset = (nn.Parameter(torch.tensor(start)) for start in (1.0, 0.5))

    def forward(self, points: Tensor) -> Tensor:
        """(B, 1, 1, 1) numbers to (B,) logits."""
        return self.slope * points.flatten(1).sum(1) + self.offset


def maxout(duel: Duel, seed: int) -> nn.Module:
    """The library's discriminator of 2014, for images of one or two pixels."""
    shape = (1, 1, duel.real.modes.shape[1])
    return build_discriminator(JUDGE, shape, rng_for(seed, 0, "lesson judge"))


def learn(duel: Duel, judge: nn.Module, steps: int, seed: int) -> Trained:
    """Learn from new points in every step, so that nothing can be learned by heart.

    Args:
        duel: where the points come from.
        judge: images of one or two pixels to logits; its weights change.
        steps: of Adam.
        seed: of the points.
    """
    optimiser = torch.optim.Adam(judge.parameters(), lr=LR, betas=BETAS)
    # Ends at rest: the last steps only average out what chance did in each batch.
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    looks, values = [], []
    for step in range(steps):
        if step in LOOKS:
            looks.append(step)
            values.append(duel.value(_on_grid(duel, judge)))
        rng = rng_for(seed, step, "lesson points")
        real, fake = (_pictures(cloud.sample(BATCH, rng)) for cloud in (duel.real, duel.fake))
        loss = GAMES["minimax"].d_loss(judge(real), judge(fake)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    logits = _on_grid(duel, judge)
    return Trained([*looks, steps], [*values, duel.value(logits)], duel.distance(logits), logits)


def _pictures(points: Tensor) -> Tensor:
    """(N, d) points as (N, 1, 1, d) images."""
    return points[:, None, None]


@torch.no_grad()
def _on_grid(duel: Duel, judge: nn.Module) -> Tensor:
    return judge(_pictures(duel.grid().float())).double()

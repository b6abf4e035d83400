"""How much better could a player do? A gradient search for its best response, honestly scored."""

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from facewright.networks.statistics import batch_norms

Payoff = Callable[[nn.Module, int], Tensor]
"""(player, number of the search step) to what the player wants to be large, on a batch."""
Score = Callable[[nn.Module], Tensor]
"""Player to (N,) numbers whose mean it wants to be large, on images not searched on."""

LAST_PART = 0.25
"""Share of the budget over which a score must have settled."""
SETTLED = 0.05
"""Share of the whole gain that may still be made in the last part of a settled search."""


@dataclass(frozen=True)
class Effort:
    """How hard a search tries.

    Args:
        steps: of Adam.
        every: steps between two evaluations of the held-out score.
        lr: learning rate.
        betas: Adam's two memories.
    """

    steps: int
    every: int
    lr: float
    betas: tuple[float, float] = (0.5, 0.999)


@dataclass(frozen=True)
class Mean:
    """A mean of independent numbers, with the standard error that sampling leaves it."""

    value: float
    error: float

    @classmethod
    def of(cls, numbers: Tensor) -> "Mean":
        """The mean of (N,) numbers; a single one is taken as exact."""
        numbers = numbers.detach().cpu().double()
        error = float(numbers.std()) / math.sqrt(len(numbers)) if len(numbers) > 1 else 0.0
        return cls(float(numbers.mean()), error)


@dataclass(frozen=True)
class Response:
    """The best that one search found.

    Args:
        start: where it began: "warm", "perturbed 1" or "fresh".
        checks: (step, score) on the first held-out half; step 0 is the start itself.
        best_step: whose weights are kept: the best of `checks`. 0 means that no step helped.
        reported: score of the kept weights on the second half, which chose nothing.
        still_rising: the score had not settled when the budget ended, so a longer search
            would find more.
        seconds: that it took.
        player: with the kept weights, in eval mode.
    """

    start: str
    checks: tuple[tuple[int, float], ...]
    best_step: int
    reported: Mean
    still_rising: bool
    seconds: float
    player: nn.Module = field(repr=False, compare=False)

    @property
    def best_score(self) -> float:
        """On the first half."""
        return max(score for _, score in self.checks)

    @property
    def steps(self) -> int:
        """Made: fewer than planned where the numbers stopped being finite."""
        return self.checks[-1][0]


def best_response(
    player: nn.Module,
    payoff: Payoff,
    *,
    score: Score,
    report: Score,
    effort: Effort,
    start: str = "warm",
    after_step: Callable[[nn.Module], None] | None = None,
) -> Response:
    """What is the most that this player finds by changing its own weights alone?

    Three sets of images keep the answer honest: the search climbs `payoff` on the first,
    the second chooses the step whose weights are kept, and the third says what they are
    worth. A score on the images searched on is too high by far (0.1 for 300 steps).

    Args:
        player: starts from its present weights; left untouched. A point of an analytic game
            is a module too: `nn.ParameterList([x])`.
        payoff: differentiable, on a batch.
        score: on the first held-out half.
        report: on the second held-out half.
        effort: steps, learning rate.
        start: name of the start, for the record.
        after_step: puts the player back where it is allowed to be, for example
            `clip_weights`; called after each step.

    Returns:
        The best found. Its `reported` value never exceeds the true best response but by
        chance: a search can miss a better answer, it cannot invent one.

    Source: Grnarova et al. 2019, arXiv:1811.05512; chosen and reported on different halves.
    Blind spot: from a stationary point the gradient leads nowhere; start from `perturbed`
    or fresh weights as well.
    """
    clock = time.perf_counter()
    player = deviating(player)
    kept = copy.deepcopy(player.state_dict())
    errors = [Mean.of(_quietly(player, score))]
    checks = [(0, errors[0].value)]
    optimiser = torch.optim.Adam(player.parameters(), lr=effort.lr, betas=effort.betas)
    for step in range(1, effort.steps + 1):
        optimiser.zero_grad(set_to_none=True)
        (-payoff(player, step)).backward()
        optimiser.step()
        if after_step is not None:
            after_step(player)
        if step % effort.every == 0 or step == effort.steps:
            now = Mean.of(_quietly(player, score))
            if not math.isfinite(now.value):
                break
            if now.value > max(found for _, found in checks):
                kept = copy.deepcopy(player.state_dict())
            checks.append((step, now.value))
            errors.append(now)
    player.load_state_dict(kept)
    player.requires_grad_(False)
    return Response(
        start=start,
        checks=tuple(checks),
        best_step=max(checks, key=lambda check: check[1])[0],
        reported=Mean.of(_quietly(player, report)),
        still_rising=still_rising(checks, errors[-1].error),
        seconds=time.perf_counter() - clock,
        player=player,
    )


def best_of(responses: Iterable[Response]) -> Response:
    """The search that did best, by the half that its report does not rest on."""
    return max(responses, key=lambda response: response.best_score)


def still_rising(checks: list[tuple[int, float]], error: float) -> bool:
    """Would a longer search have found more?

    Args:
        checks: (step, score), oldest first.
        error: standard error of the last score: a smaller rise is no rise.

    Returns:
        Did the last part of the budget still add a share of the whole gain that matters?
    """
    steps, scores = zip(*checks, strict=True)
    before = max(s for step, s in checks if step <= (1 - LAST_PART) * steps[-1])
    return max(scores) - before > max(SETTLED * (max(scores) - scores[0]), error)


def perturbed(
    player: nn.Module, rng: torch.Generator, *, relative: float = 0.5, absolute: float = 0.0
) -> nn.Module:
    """The same player, knocked off the spot.

    A search from a stationary point that is no equilibrium finds nothing, and the gap there
    looks like 0. Noise on the deviating player's weights lets it leave.

    Args:
        player: left untouched.
        rng: source of the noise.
        relative: standard deviation of the noise, in those of each weight tensor.
        absolute: added to it; for points and constant tensors, which have none.

    Source: Sidheekh et al. 2020, arXiv:2012.06723, with their noise per layer.
    """
    player = copy.deepcopy(player)
    with torch.no_grad():
        for weight in player.parameters():
            std = float(weight.std()) if weight.numel() > 1 else 0.0
            noise = torch.randn(weight.shape, generator=rng).to(weight)
            weight.add_(noise, alpha=relative * std + absolute)
    return player


def frozen(player: nn.Module) -> nn.Module:
    """A copy that stays as it is: no gradients, no dropout."""
    return copy.deepcopy(player).eval().requires_grad_(False)


def as_trained(player: nn.Module) -> nn.Module:
    """A frozen copy whose batch norms go by the batch, as they did in training.

    With running statistics the player would be another one than the one that was trained. A
    discriminator sees photos and generated images in separate batches, and its running
    statistics are those of neither.
    """
    player = frozen(player)
    for layer in batch_norms(player):
        # Without statistics of its own it uses the batch's, in eval mode too; in train mode
        # it would wait for the other processes of a run, which are not looking.
        layer.running_mean = layer.running_var = None
    return player


def deviating(player: nn.Module) -> nn.Module:
    """A copy that may change its weights; spectral normalisation, which binds it, follows."""
    player = frozen(player).requires_grad_(True)
    for layer in bindings(player):
        layer.train()
    return player


def bindings(player: nn.Module) -> list[nn.Module]:
    """What keeps a network's weights in bounds by construction: spectral normalisation."""
    return [layer for layer in player.modules() if isinstance(layer, ParametrizationList)]


def _quietly(player: nn.Module, score: Score) -> Tensor:
    """Scores without a trace in gradients, or in the state of spectral normalisation."""
    searching = [layer for layer in player.modules() if layer.training]
    player.eval()
    try:
        return score(player)
    finally:
        for layer in searching:
            layer.training = True

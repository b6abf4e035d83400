"""Two players with a vector each and a loss each, and small games solved on paper.

Networks are such a game too (`networks.as_game`). What is measured on networks is therefore
tested on games whose answers are known.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]
"""Something of the first player and the same of the second."""


@dataclass(frozen=True)
class TwoPlayerGame:
    """What each of two players loses, wherever the two stand.

    The first player (x, the generator) and the second (y, the discriminator) both minimise,
    each a loss of its own. In a zero-sum game one loss is minus the other.
    """

    name: str
    losses: Callable[[Tensor, Tensor], Pair]
    """(X,) and (Y,) vectors to the two players' losses, scalars that torch can differentiate."""
    equilibrium: Pair | None = None
    """A Nash equilibrium, where one is known."""
    limits: tuple[float, float] = (math.inf, math.inf)
    """How far from 0 each player may move any of its numbers."""
    regrets: Callable[[Tensor, Tensor], Pair] | None = None
    """What each player could gain by the best move of its own, where that has a formula. Their
    sum is the duality gap."""
    source: str = ""
    """Paper and arXiv id."""

    def gradients(self, x: Tensor, y: Tensor, *, differentiable: bool = False) -> Pair:
        """Which way is each player's own loss uphill?

        Together the gradient operator F = (dL_x / dx, dL_y / dy): both players at once move
        against it, and neither moves where it is 0.

        Args:
            x: (X,) where the first player stands.
            y: (Y,) where the second stands.
            differentiable: keep what is needed to differentiate F again, by x and y.

        Returns:
            (X,) and (Y,).
        """
        x, y = (v if v.requires_grad else v.detach().requires_grad_() for v in (x, y))
        x_loss, y_loss = self.losses(x, y)
        # The first call must leave the graph to the second: the players share most of it.
        (by_x,) = torch.autograd.grad(
            x_loss, x, create_graph=differentiable, retain_graph=True, materialize_grads=True
        )
        (by_y,) = torch.autograd.grad(
            y_loss, y, create_graph=differentiable, materialize_grads=True
        )
        return by_x, by_y


def bilinear(matrix: Tensor, *, limit: float = math.inf) -> TwoPlayerGame:
    """The game x'Ay that turns in circles: x wants it low, y wants it high.

    Args:
        matrix: (X, Y), A.
        limit: of every number of both players. The duality gap is finite only with one.
    """

    def losses(x: Tensor, y: Tensor) -> Pair:
        value = x @ matrix @ y
        return value, -value

    def regrets(x: Tensor, y: Tensor) -> Pair:
        # On a box the best move is a corner.
        value = x @ matrix @ y
        return value + limit * (matrix @ y).abs().sum(), limit * (x @ matrix).abs().sum() - value

    return TwoPlayerGame(
        name="bilinear",
        losses=losses,
        equilibrium=_origin(*matrix.shape, like=matrix),
        limits=(limit, limit),
        regrets=regrets if math.isfinite(limit) else None,
        source="Mescheder et al. 2017, arXiv:1705.10461",
    )


def quadratic(own_x: Tensor, between: Tensor, own_y: Tensor) -> TwoPlayerGame:
    """The game x'Ax / 2 + x'By - y'Cy / 2: x wants it low, y wants it high.

    Args:
        own_x: (X, X) symmetric, A: how much x's moves cost x itself.
        between: (X, Y), B: what turns the two around each other.
        own_y: (Y, Y) symmetric, C.

    Returns:
        A game with its Nash equilibrium at 0, and its regrets, if A and C are positive
        definite; otherwise with neither.
    """

    def losses(x: Tensor, y: Tensor) -> Pair:
        value = x @ own_x @ x / 2 + x @ between @ y - y @ own_y @ y / 2
        return value, -value

    def regrets(x: Tensor, y: Tensor) -> Pair:
        # Each loss is a bowl in the player's own vector: the regret is the height above its
        # bottom, which lies at -A^-1 B y for x and at C^-1 B' x for y.
        x_off = x + torch.linalg.solve(own_x, between @ y)
        y_off = y - torch.linalg.solve(own_y, x @ between)
        return x_off @ own_x @ x_off / 2, y_off @ own_y @ y_off / 2

    is_nash = all(bool((torch.linalg.eigvalsh(own) > 0).all()) for own in (own_x, own_y))
    return TwoPlayerGame(
        name="quadratic",
        losses=losses,
        equilibrium=_origin(*between.shape, like=between) if is_nash else None,
        regrets=regrets if is_nash else None,
    )


def stable_but_not_nash() -> TwoPlayerGame:
    """-x^2 / 4 + 3 x y / 2 - y^2 / 2: both come to rest at 0, where x would rather leave.

    As long as y answers every move, leaving does not pay; were y frozen, it would. Well
    trained GANs are said to end at such points (Berard et al. 2020, arXiv:1906.04848).
    """
    own_x, between, own_y = torch.tensor([[[-0.5]], [[1.5]], [[1.0]]], dtype=torch.float64)
    return replace(quadratic(own_x, between, own_y), name="stable but not Nash")


def with_consensus(game: TwoPlayerGame, strength: float) -> TwoPlayerGame:
    """The same game, where both players also want both gradients to be small.

    Each loss gets strength / 2 * |F|^2 on top, which pulls towards points where neither wants
    to move, and so inwards where the bare game circles.

    Args:
        game: to be calmed.
        strength: gamma, 0 or more.

    Source: Mescheder et al. 2017, arXiv:1705.10461, section 4.
    """

    def losses(x: Tensor, y: Tensor) -> Pair:
        x_loss, y_loss = game.losses(x, y)
        by_x, by_y = game.gradients(x, y, differentiable=True)
        unrest = strength / 2 * (by_x.square().sum() + by_y.square().sum())
        return x_loss + unrest, y_loss + unrest

    return replace(game, name=f"{game.name}, consensus {strength:g}", losses=losses, regrets=None)


def _origin(x_size: int, y_size: int, *, like: Tensor) -> Pair:
    return like.new_zeros(x_size), like.new_zeros(y_size)

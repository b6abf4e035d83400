"""Where two players go when each follows its gradient, under five rules of moving."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from facewright.equilibria.games import Pair, TwoPlayerGame

RuleName = Literal["simultaneous", "alternating", "extragradient", "optimistic"]
Move = Callable[[Tensor, Tensor], Pair]


def trajectory(
    game: TwoPlayerGame,
    start: Pair,
    *,
    rule: RuleName,
    step: float,
    steps: int,
    y_moves: int = 1,
) -> Tensor:
    """Where do the players go from here?

    Args:
        game: whose losses both descend.
        start: (X,) and (Y,), where they begin.
        rule: "simultaneous": both move at once. "alternating": y moves, and x answers to
            where y now stands, as in GAN training. "extragradient": both compute where such a
            move would take them, return, and move by the gradients there (Korpelevich 1976;
            Gidel et al. 2018, arXiv:1802.10551). "optimistic": twice the present gradient
            less the last one, which foresees the turn without the extra evaluation (Daskalakis et
            al. 2018, arXiv:1711.00141). For consensus, descend `games.with_consensus`.
        step: learning rate of both.
        steps: how many moves.
        y_moves: moves of y before each move of x; for "alternating" only.

    Returns:
        (steps + 1, X + Y), the start first. A game that flies apart may end in numbers that
        are not finite.
    """
    rules: dict[RuleName, Callable[[], Move]] = {
        "simultaneous": lambda: _simultaneous(game, step),
        "alternating": lambda: _alternating(game, step, y_moves),
        "extragradient": lambda: _extragradient(game, step),
        "optimistic": lambda: _optimistic(game, step),
    }
    move = rules[rule]()
    x, y = start
    places = [torch.cat([x, y])]
    for _ in range(steps):
        x, y = _within(move(x, y), game)
        places.append(torch.cat([x, y]))
    return torch.stack(places)


def _simultaneous(game: TwoPlayerGame, step: float) -> Move:
    def move(x: Tensor, y: Tensor) -> Pair:
        by_x, by_y = game.gradients(x, y)
        return x - step * by_x, y - step * by_y

    return move


def _alternating(game: TwoPlayerGame, step: float, y_moves: int) -> Move:
    def move(x: Tensor, y: Tensor) -> Pair:
        for _ in range(y_moves):
            _, y = _within((x, y - step * game.gradients(x, y)[1]), game)
        return x - step * game.gradients(x, y)[0], y

    return move


def _extragradient(game: TwoPlayerGame, step: float) -> Move:
    look_ahead = _simultaneous(game, step)

    def move(x: Tensor, y: Tensor) -> Pair:
        by_x, by_y = game.gradients(*_within(look_ahead(x, y), game))
        return x - step * by_x, y - step * by_y

    return move


def _optimistic(game: TwoPlayerGame, step: float) -> Move:
    last: list[Pair] = []

    def move(x: Tensor, y: Tensor) -> Pair:
        now = game.gradients(x, y)
        before = last.pop() if last else now
        last.append(now)
        x_now, y_now = now
        x_before, y_before = before
        return x - step * (2 * x_now - x_before), y - step * (2 * y_now - y_before)

    return move


def _within(place: Pair, game: TwoPlayerGame) -> Pair:
    """The nearest place that the game allows."""
    (x, y), (x_limit, y_limit) = place, game.limits
    return x.clamp(-x_limit, x_limit), y.clamp(-y_limit, y_limit)

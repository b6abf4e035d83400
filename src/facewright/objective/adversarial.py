"""The games: what each player wants, and the losses at which neither is ahead."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch.nn.functional import relu, softplus

from facewright.errors import ConfigError
from facewright.shapes import Logits, PerImage

PlayerLoss = Callable[[Logits, Logits], PerImage]


@dataclass(frozen=True)
class Game:
    """One adversarial objective, with the loss each player has at a draw.

    A draw is the state where real and generated images cannot be told apart and the
    discriminator has made the best of it. Monitors compare the recorded losses with it,
    so none of them needs to know a game by name. `None` means the game leaves that value
    free.
    """

    name: str
    """As in recipes."""
    d_loss: PlayerLoss
    """(real_logits, fake_logits), both (B,), to the discriminator's (B,) losses."""
    g_loss: PlayerLoss
    """The same for the generator. Both players minimise the mean."""
    d_draw: float | None
    """Mean `d_loss` at a draw."""
    g_draw: float | None
    """Mean `g_loss` at a draw."""
    source: str
    """Paper, arXiv id, and how we differ."""
    undecided: float = 0.0
    """The verdict that leans neither to real nor to fake, where differences are not all that
    counts."""
    only_differences: bool = False
    """Does nothing change when a number is added to all logits?"""
    g_sees_real: bool = False
    """Does the generator's loss depend on the real logits? If not, nobody computes them."""


# Cross entropy, with log D(x) = -softplus(-logit) and log(1 - D(x)) = -softplus(logit):
# the logarithm of a sigmoid that has rounded to 0 or 1 would be infinite.


def _cross_entropy(real_logits: Logits, fake_logits: Logits, real_target: float = 1.0) -> PerImage:
    real = real_target * softplus(-real_logits) + (1 - real_target) * softplus(real_logits)
    return real + softplus(fake_logits)


def _log_of_being_caught(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return -softplus(fake_logits)


def _surprise_of_passing(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return softplus(-fake_logits)


def _to_one_and_zero(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return ((real_logits - 1).square() + fake_logits.square()) / 2


def _fake_to_one(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return (fake_logits - 1).square() / 2


def _margins(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return relu(1 - real_logits) + relu(1 + fake_logits)


def _difference(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return fake_logits - real_logits


def _minus_fake(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return -fake_logits


def _real_above_fake(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return softplus(fake_logits - real_logits)


def _fake_above_real(real_logits: Logits, fake_logits: Logits) -> PerImage:
    return softplus(real_logits - fake_logits)


_ALL = (
    Game(
        name="minimax",
        d_loss=_cross_entropy,
        g_loss=_log_of_being_caught,
        d_draw=math.log(4),
        g_draw=-math.log(2),
        source="Goodfellow et al. 2014, arXiv:1406.2661, equation 1",
    ),
    Game(
        name="non-saturating",
        d_loss=_cross_entropy,
        g_loss=_surprise_of_passing,
        d_draw=math.log(4),
        g_draw=math.log(2),
        source="Goodfellow et al. 2014, arXiv:1406.2661, end of section 3",
    ),
    Game(
        name="least-squares",
        d_loss=_to_one_and_zero,
        g_loss=_fake_to_one,
        # The best verdict on images that cannot be told apart is 1/2, not 0 as for the others.
        d_draw=1 / 4,
        g_draw=1 / 8,
        undecided=1 / 2,
        source="Mao et al. 2017, arXiv:1611.04076, equation 9 (a = 0, b = c = 1)",
    ),
    Game(
        name="hinge",
        d_loss=_margins,
        g_loss=_minus_fake,
        d_draw=2.0,
        g_draw=None,  # any constant verdict in [-1, 1] is a draw, so -fake is not pinned
        source="Lim & Ye 2017, arXiv:1705.02894",
    ),
    Game(
        name="wasserstein",
        d_loss=_difference,
        g_loss=_minus_fake,
        d_draw=0.0,
        g_draw=None,  # a constant may be added to every verdict
        source="Arjovsky et al. 2017, arXiv:1701.07875",
        only_differences=True,
    ),
    Game(
        name="relativistic",
        d_loss=_real_above_fake,
        g_loss=_fake_above_real,
        d_draw=math.log(2),
        g_draw=math.log(2),
        source="Jolicoeur-Martineau 2018, arXiv:1807.00734; pairs one real with one fake "
        "as Huang et al. 2024, arXiv:2501.05441",
        only_differences=True,
        g_sees_real=True,
    ),
)

GAMES: dict[str, Game] = {game.name: game for game in _ALL}
"""Every game by its name in a recipe."""


def game_named(name: str, real_target: float = 1.0) -> Game:
    """One of `GAMES`, by its name in a configuration.

    Args:
        name: of the game.
        real_target: what its discriminator should say of real images, as in `smoothed`.

    Raises:
        ConfigError: a target other than 1 for a game without targets.
    """
    return smoothed(GAMES[name], real_target)


def smoothed(game: Game, real_target: float) -> Game:
    """The same game with a discriminator that must not be too sure of real images.

    One-sided: the target for generated images stays 0. Lifting it too would reward the
    generator for staying where it already puts images and the data has none.

    Where images cannot be told apart, cross entropy against a target a on real and 0 on
    generated ones is least for D(x) = a / 2; the draw moves there.

    Args:
        game: a game whose discriminator minimises cross entropy.
        real_target: a in (0, 1], what the discriminator should say of real images;
            1 returns the game as it is, whichever it is.

    Raises:
        ConfigError: the target is out of range, or the game has no targets to smooth.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.4.
    """
    if not 0 < real_target <= 1:
        raise ConfigError(
            f"a real target of {real_target}",
            expected="a number above 0 and at most 1",
            fix="--set loss.real_target=0.9",
        )
    if real_target == 1:
        return game
    if game.d_loss is not _cross_entropy:
        able = [other.name for other in _ALL if other.d_loss is _cross_entropy]
        raise ConfigError(
            f"the game '{game.name}' has no labels to smooth",
            expected=f"one of {', '.join(able)}",
            fix=f"--set loss.game={able[-1]}",
        )
    d_loss = partial(_cross_entropy, real_target=real_target)
    draw = torch.tensor([real_target / 2], dtype=torch.float64).logit()
    return replace(
        game,
        d_loss=d_loss,
        d_draw=d_loss(draw, draw).item(),
        g_draw=game.g_loss(draw, draw).item(),
        undecided=draw.item(),
        source=f"{game.source}; real target {real_target}: Salimans et al. 2016, arXiv:1606.03498",
    )

"""The games: what each player minimises, and the losses at which neither is ahead.

A new game is its functions and its `Game(...)` here: settings, documents and every part of the
program find it in `GAMES` and read what they need from its fields.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, relu, softplus

from facewright.errors import ConfigError, nearest
from facewright.shapes import Logits, PerImage

PlayerLoss = Callable[[Logits, Logits], PerImage]
LogitOfOdds = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Game:
    """One adversarial objective, and what follows from it for those who read its numbers.

    A draw is the state where real and generated images cannot be told apart and the
    discriminator has made the best of it. Monitors compare the recorded losses with it,
    and nothing in the program needs to know a game by name. `None` means the game leaves that
    value free.
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
    optimal_logit: LogitOfOdds | None
    """(B,) logarithms of the odds that an image is real, p / q for p real and q generated
    density, to the logits of the best discriminator: the maximum of the game's value at one
    point, or for one pair of images. `None` where the odds do not decide it."""
    undecided: float = 0.0
    """The logit that leans neither to real nor to fake, where differences are not all that
    counts."""
    only_differences: bool = False
    """Does nothing change when a number is added to all logits?"""
    g_sees_real: bool = False
    """Does the generator's loss depend on the real logits? If not, they are not computed."""
    is_unbounded: bool = False
    """Can a discriminator make the value as large as it likes, unless something bounds it?"""
    note: str = ""
    """What a reader of equilibrium numbers must know, as a sentence."""


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


# The best logit from the log odds. A discriminator estimates these odds when it is trained with
# cross entropy, so one fresh discriminator answers for every game that has such a function.


def _cross_entropy_optimum(log_odds: Tensor, real_target: float = 1.0) -> Tensor:
    # The odds of target * D: target e^odds / (1 + (1 - target) e^odds).
    target = log_odds.new_tensor(real_target)
    return target.log() + log_odds - softplus(log_odds + (1 - target).log())


def _probability_real(log_odds: Tensor) -> Tensor:
    return logsigmoid(log_odds).exp()


def _sign(log_odds: Tensor) -> Tensor:
    return log_odds.sign()


def _log_odds(log_odds: Tensor) -> Tensor:
    return log_odds


_ALL = (
    Game(
        name="minimax",
        d_loss=_cross_entropy,
        g_loss=_log_of_being_caught,
        d_draw=math.log(4),
        g_draw=-math.log(2),
        optimal_logit=_cross_entropy_optimum,
        source="Goodfellow et al. 2014, arXiv:1406.2661, equation 1",
    ),
    Game(
        name="non-saturating",
        d_loss=_cross_entropy,
        g_loss=_surprise_of_passing,
        d_draw=math.log(4),
        g_draw=math.log(2),
        optimal_logit=_cross_entropy_optimum,
        source="Goodfellow et al. 2014, arXiv:1406.2661, end of section 3",
    ),
    Game(
        name="least-squares",
        d_loss=_to_one_and_zero,
        g_loss=_fake_to_one,
        # The best logit for images that cannot be told apart is 1/2, not 0 as for the others.
        d_draw=1 / 4,
        g_draw=1 / 8,
        undecided=1 / 2,
        optimal_logit=_probability_real,
        source="Mao et al. 2017, arXiv:1611.04076, equation 9 (a = 0, b = c = 1)",
    ),
    Game(
        name="hinge",
        d_loss=_margins,
        g_loss=_minus_fake,
        d_draw=2.0,
        g_draw=None,  # any constant logit in [-1, 1] is a draw, so -fake is not pinned
        optimal_logit=_sign,
        source="Lim & Ye 2017, arXiv:1705.02894",
    ),
    Game(
        name="wasserstein",
        d_loss=_difference,
        g_loss=_minus_fake,
        d_draw=0.0,
        g_draw=None,  # a constant may be added to every logit
        # Twice the logits are worth twice as much.
        optimal_logit=None,
        source="Arjovsky et al. 2017, arXiv:1701.07875",
        only_differences=True,
        is_unbounded=True,
    ),
    Game(
        name="relativistic",
        d_loss=_real_above_fake,
        g_loss=_fake_above_real,
        d_draw=math.log(2),
        g_draw=math.log(2),
        optimal_logit=_log_odds,  # the best difference is that of two log odds
        source="Jolicoeur-Martineau 2018, arXiv:1807.00734; pairs one real with one fake "
        "as Huang et al. 2024, arXiv:2501.05441",
        only_differences=True,
        g_sees_real=True,
        note="Relativistic game: only the difference of two verdicts means anything, and the "
        "values are of such pairs; the draw is -log 2.",
    ),
)

GAMES: dict[str, Game] = {game.name: game for game in _ALL}
"""Every game by its name in a recipe."""


def game_named(name: str, real_target: float = 1.0) -> Game:
    """One of `GAMES`, by its name in a configuration.

    Args:
        name: of the game.
        real_target: the label of real images, as in `smoothed`.

    Raises:
        ConfigError: no such game, or a target other than 1 for a game without targets.
    """
    if name not in GAMES:
        raise ConfigError(
            f"a game '{name}'", expected=nearest(name, GAMES), fix="--set loss.game=non-saturating"
        )
    return smoothed(GAMES[name], real_target)


def smoothed(game: Game, real_target: float) -> Game:
    """The same game with one-sided label smoothing: a discriminator less sure of real images.

    The target for generated images stays 0. Raising it too would reward the
    generator for staying where it already puts images and the data has none.

    Where images cannot be told apart, cross entropy against a target a on real and 0 on
    generated ones is least for D(x) = a / 2; the draw moves there.

    Args:
        game: a game whose discriminator minimises cross entropy.
        real_target: a in (0, 1], the label of real images;
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
        optimal_logit=partial(_cross_entropy_optimum, real_target=real_target),
        undecided=draw.item(),
        source=f"{game.source}; real target {real_target}: Salimans et al. 2016, arXiv:1606.03498",
    )

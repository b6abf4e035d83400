"""What anybody's log says of a training: which column is what, and the history that follows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from facewright.doctor.history import FIELDS, FINITE_IN_ANY_LOOP, History
from facewright.errors import ConfigError, nearest
from facewright.objective.adversarial import GAMES, Game
from facewright.records.foreign_log import ForeignLog, Row

STYLEGAN = ("Loss/scores/real", "Loss/scores/fake")
"""Columns of StyleGAN's `stats.jsonl`, whose game is known."""
UNKNOWN_GAME = "unknown"
LEAST_DRAW = 0.25
"""The loss at a draw of the game that has the least one: least squares, halved twice."""

COLUMNS = {
    "step": "updates so far",
    "images": "photos shown so far",
    "kimg": "the same in thousands",
    "epoch": "passes over the photos",
    "d_loss": "discriminator's loss",
    "d_loss_real": "its part for photos",
    "d_loss_fake": "its part for generated images",
    "g_loss": "generator's loss",
    "real_logit": "mean verdict on photos",
    "fake_logit": "mean verdict on generated images",
    "d_x": "mean probability on photos",
    "d_g_z": "mean probability on generated images",
    "d_grad_norm": "length of the discriminator's gradient",
    "g_grad_norm": "length of the generator's gradient",
}
"""What a column may hold, by the name under which it can be given."""

LOSSES = ("d_loss", "d_loss_real", "d_loss_fake", "g_loss")
"""Of these, what tells of a training."""

UNITS = {"images": "images", "kimg": "images", "step": "steps", "epoch": "epochs"}
"""In what the position in a training is counted, by column, the best first."""

FARTHEST = 2.0**53
"""No training is so long: a column with such numbers, or with such that are none, tells nothing."""

_PLAYERS = {
    "d": {"d", "dis", "disc", "discriminator", "critic", "dloss"},
    "g": {"g", "gen", "generator", "gloss"},
}
_LOSS = {"loss", "losses", "err", "error", "cost", "dloss", "gloss"}
_VERDICT = {"score", "scores", "logit", "logits"}
_FILLERS = {"train", "training", "total", "mean", "avg", "average", "step", "epoch", "net", "model"}
_POSITIONS = {
    "step": {"step", "global step", "iteration", "iterations", "iter", "iters", "it", "n iter"},
    "images": {"images", "images seen", "nimg", "progress nimg"},
    "kimg": {"kimg", "progress kimg"},
    "epoch": {"epoch", "epochs"},
}


@dataclass(frozen=True)
class ForeignHistory:
    """A training as anybody's log tells it.

    Args:
        history: without looks at the images; what the log does not have is NaN.
        columns: what was found, of `COLUMNS` -> the log's name for it.
        unit: in which `images_seen` counts here: `images`, `steps`, `epochs` or `rows`.
        rows: of the log that were used.
    """

    history: History
    columns: dict[str, str]
    unit: str
    rows: int


def foreign_history(
    log: ForeignLog, given: Mapping[str, str] | None = None, game: str = ""
) -> ForeignHistory:
    """Map the columns of a log, and make a history of them.

    Args:
        log: with a loss of one player at least.
        given: of `COLUMNS` -> the log's name for it, where it cannot be guessed.
        game: one of `GAMES`; empty if unknown. A loss below zero is then that of a critic.

    Raises:
        ConfigError: no loss can be found, two columns may be the same, or a name is unknown.
    """
    names = log.names
    columns = _mapped(names, given or {})
    if not set(LOSSES) & columns.keys():
        raise ConfigError(
            f"no loss of either player among the columns {_listed(names)}",
            expected="one whose name says discriminator or generator, and loss",
            fix=f"--column d_loss={names[0]}",
        )
    values, unit = _in_order(_values(log.rows, columns))
    if "d_loss" not in values and {"d_loss_real", "d_loss_fake"} <= values.keys():
        values["d_loss"] = values["d_loss_real"] + values["d_loss_fake"]
    if "d_x" in values and "d_g_z" in values:
        values |= {"real_logit": _logit(values["d_x"]), "fake_logit": _logit(values["d_g_z"])}
    unknown = np.full(len(values["step"]), np.nan)
    steps = {field: values.get(field, unknown) for field in FIELDS}
    watched = [field for field in FINITE_IN_ANY_LOOP if field in values]
    history = History(_game(game, columns, steps["d_loss"]), steps, [], 0, watched=watched)
    breaks = history.breaks()
    until = history.until(breaks[0]) if breaks else history
    return ForeignHistory(until, columns, unit, len(unknown))


def _mapped(names: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which column is what; of several that may be the same, the one with the shortest name."""
    names = list(names)
    for kind, name in given.items():
        if kind not in COLUMNS:
            raise ConfigError(
                f"--column {kind}={name}",
                expected=nearest(kind, COLUMNS),
                fix=f"--column d_loss={name}",
            )
        if name not in names:
            raise ConfigError(
                f"--column {kind}={name}: the log has no such column",
                expected=nearest(name, names),
                fix=f"--column {kind}={names[0]}",
            )
    found: dict[str, list[str]] = {}
    for name in names:
        kind = _kind(name)
        if kind and kind not in given:
            found.setdefault(kind, []).append(name)
    for kind, some in found.items():
        some.sort(key=lambda name: len(_words(name)))
        if len(some) > 1 and len(_words(some[0])) == len(_words(some[1])):
            raise ConfigError(
                f"{_listed(some)} may each be {COLUMNS[kind]}",
                expected="one of them",
                fix=f"--column {kind}={some[0]}",
            )
    return {kind: some[0] for kind, some in found.items()} | dict(given)


def _kind(name: str) -> str | None:
    """What a column holds, by its name; None if that is not clear."""
    words = _words(name)
    for kind, spellings in _POSITIONS.items():
        if " ".join(words) in spellings:
            return kind
    if words in (["d", "x"], ["d", "g", "z"]):
        return "_".join(words)
    rest = [word for word in words if word not in _FILLERS]
    players = [kind for kind, spellings in _PLAYERS.items() if spellings & set(rest)]
    about = [word for word in rest if not any(word in s for s in _PLAYERS.values())]
    sides = [word for word in about if word in ("real", "fake")]
    said = {word for word in about if word not in sides}
    if len(players) > 1 or len(sides) > 1:
        return None
    if said and said <= _VERDICT | _LOSS and said & _VERDICT and sides and players != ["g"]:
        return f"{sides[0]}_logit"
    if not players:
        return None
    if said == {"grad", "norm"} or said == {"gradient", "norm"}:
        return f"{players[0]}_grad_norm"
    is_loss = said <= _LOSS and (said or {"dloss", "gloss"} & set(rest))
    if not is_loss or (sides and players == ["g"]):
        return None
    return "_".join([players[0], "loss", *sides])


def _words(name: str) -> list[str]:
    """A name in small letters, word by word; behind " - ", where W&B puts the run before it."""
    name = name.rsplit(" - ", 1)[-1]
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+|[0-9]+", parted.lower())


def _values(rows: Iterable[Row], columns: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The columns, of rows that tell a loss, once every loss is known.

    What a row does not tell is as it was told last: some programs write each number on a row of
    its own, and a generator may move more seldom.
    """
    losses = {columns[kind] for kind in LOSSES if kind in columns}
    known: Row = {}
    whole: list[Row] = []
    for row in rows:
        known = known | row
        if losses <= known.keys() and losses & row.keys():
            whole.append(known)
    return {
        kind: np.array([row.get(name, np.nan) for row in whole]) for kind, name in columns.items()
    }


def _in_order(values: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str]:
    """Rows in the order of the training, with `step` and `images_seen`, and what these count.

    What was logged again after a training had gone back counts, not what was before.
    """
    kind = next((kind for kind in UNITS if _tells_rows_apart(kind, values.get(kind))), None)
    if kind:
        later = np.minimum.accumulate(values[kind][::-1])[::-1]
        newest = np.append(values[kind][:-1] < later[1:], True)
        values = {name: column[newest] for name, column in values.items()}
    numbers = np.arange(1.0, len(next(iter(values.values()))) + 1)
    place = values[kind] * (1_000 if kind == "kimg" else 1) if kind else numbers
    step = values["step"] if _tells_rows_apart("step", values.get("step")) else numbers
    return values | {"step": step, "images_seen": place}, UNITS[kind] if kind else "rows"


def _tells_rows_apart(kind: str, place: np.ndarray | None) -> bool:
    """Is this column known in every row, and not the same in several rows of an epoch?"""
    if place is None or not len(place) or not (np.abs(place) < FARTHEST).all():
        return False
    return kind != "epoch" or bool((np.diff(place) != 0).all())


def _logit(probability: np.ndarray) -> np.ndarray:
    bounded = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(bounded) - np.log1p(-bounded)


def _game(name: str, columns: Mapping[str, str], d_loss: np.ndarray) -> Game:
    if name and name not in GAMES:
        raise ConfigError(
            f"--game {name}", expected=nearest(name, GAMES), fix="--game non-saturating"
        )
    if name:
        return GAMES[name]
    if set(STYLEGAN) <= set(columns.values()):
        return GAMES["non-saturating"]
    if (d_loss < 0).any():
        return GAMES["wasserstein"]
    return replace(GAMES["non-saturating"], name=UNKNOWN_GAME, d_draw=LEAST_DRAW, g_draw=None)


def _listed(names: Iterable[str]) -> str:
    names = [f"'{name[:60]}'" for name in names]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")

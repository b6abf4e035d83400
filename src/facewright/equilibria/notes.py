"""What a reader must know to understand the numbers of one game."""

from facewright.equilibria.frozen_game import FrozenGame
from facewright.equilibria.response import bindings
from facewright.networks.salimans import MinibatchDiscrimination
from facewright.networks.statistics import batch_norms
from facewright.objective.penalties import active_penalties


def is_unbounded(frozen: FrozenGame) -> bool:
    """Can the discriminator make the value as large as it likes?

    In the Wasserstein game twice the logits are worth twice as much, unless something bounds the
    discriminator: a penalty, clipped weights, spectral normalisation.
    """
    return frozen.game.is_unbounded and not _bounds(frozen)


def notes_on(frozen: FrozenGame) -> list[str]:
    """Plain sentences; none for the plain game of plain networks."""
    game, loss, layers = frozen.game, frozen.loss, frozen.discriminator.modules()
    notes = [game.note] if game.note else []
    if is_unbounded(frozen):
        notes.append(
            f"{game.name.capitalize()} game without penalty, clipping or spectral normalisation: a "
            "discriminator can gain without end, so there is no best one to compare with."
        )
    elif game.is_unbounded:
        notes.append(
            f"{game.name.capitalize()} game: the best discriminator was sought under "
            f"{_bounds(frozen)}, as in training; the values leave the penalty out."
        )
    if loss.feature_matching:
        notes.append(
            "The generator is trained to match features; its regret is that of a generator "
            "that wants to win the game."
        )
    if loss.real_target < 1:
        notes.append(f"The values include label smoothing (real target {loss.real_target:g}).")
    if loss.historical_averaging > 0:
        notes.append("The pull of historical averaging is left out of every search.")
    if loss.instance_noise > 0:
        notes.append("The players are looked at without the instance noise of training.")
    if batch_norms(frozen.discriminator):
        notes.append(
            "The discriminator has batch norm and judges, as in training, batches of one kind; "
            "its value may be higher than what single images allow."
        )
    if frozen.choosing.conditions.shape[1]:
        notes.append(
            "Both players are given labels, the fresh discriminator is not: a generator that draws "
            "good images of the wrong kind shows in the regrets, not in the bits."
        )
    if any(isinstance(layer, MinibatchDiscrimination) for layer in layers):
        notes.append(f"The discriminator judges an image beside {frozen.batch - 1} of its kind.")
    return notes


def _bounds(frozen: FrozenGame) -> str:
    """What keeps the discriminator from gaining without end; "" where nothing does."""
    found = [one.title for one in active_penalties(frozen.loss).values()]
    found += ["clipped weights"] if frozen.loss.clip > 0 else []
    found += ["spectral normalisation"] if bindings(frozen.discriminator) else []
    return ", ".join(found)

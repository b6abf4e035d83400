"""What one must know to read the numbers of one game."""

from facewright.equilibria.frozen_game import Match
from facewright.equilibria.response import bindings
from facewright.networks.salimans import MinibatchDiscrimination
from facewright.networks.statistics import batch_norms


def is_unbounded(match: Match) -> bool:
    """Can the discriminator make the value as large as it likes?

    In the Wasserstein game twice the verdicts are worth twice as much, unless something
    holds the discriminator: a penalty, clipped weights, spectral normalisation.
    """
    return match.game.name == "wasserstein" and not _leash(match)


def notes_on(match: Match) -> list[str]:
    """Plain sentences; none for the plain game of plain networks."""
    loss, layers = match.loss, match.discriminator.modules()
    notes = []
    if loss.game == "relativistic":
        notes.append(
            "Relativistic game: only the difference of two verdicts means anything, and the "
            "values are of such pairs; the draw is -log 2."
        )
    if is_unbounded(match):
        notes.append(
            "Wasserstein game without penalty, clipping or spectral normalisation: a "
            "discriminator can gain without end, so there is no best one to compare with."
        )
    elif loss.game == "wasserstein":
        notes.append(
            f"Wasserstein game: the best discriminator was sought under {_leash(match)}, as in "
            "training; the values leave the penalty out."
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
    if batch_norms(match.discriminator):
        notes.append(
            "The discriminator has batch norm and judges, as in training, batches of one kind; "
            "its value may be higher than what single images allow."
        )
    if match.choosing.conditions.shape[1]:
        notes.append(
            "Both players are told labels, the fresh judge is not: a generator that draws good "
            "images of the wrong kind shows in the regrets, not in the judge's bits."
        )
    if any(isinstance(layer, MinibatchDiscrimination) for layer in layers):
        notes.append(f"The discriminator judges an image beside {match.batch - 1} of its kind.")
    return notes


def _leash(match: Match) -> str:
    """What holds the discriminator."""
    loss = match.loss
    held = {
        "R1": loss.r1 > 0,
        "R2": loss.r2 > 0,
        "a gradient penalty": loss.gradient_penalty > 0,
        "clipped weights": loss.clip > 0,
        "spectral normalisation": bool(bindings(match.discriminator)),
    }
    return ", ".join(name for name, holds in held.items() if holds)

"""A local reading in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facewright.equilibria.local import LocalReading


def sentences(reading: LocalReading) -> list[str]:
    """What a reading means, the most important first.

    Args:
        reading: of networks or of a small game.

    Returns:
        One or two sentences on each of: rest, stability, Nash, rotation and step, and what has
        not settled.
    """
    return [
        _on_rest(reading),
        _on_stability(reading),
        _on_nash(reading),
        *_on_rotation(reading),
        *_on_doubt(reading),
    ]


def _on_rest(reading: LocalReading) -> str:
    g_norm, d_norm = reading.gradient_norms
    lengths = f"The gradients are {g_norm:.3g} (generator) and {d_norm:.3g} (discriminator) long"
    if reading.relative_norms is None:
        if reading.at_rest:
            return "Both gradients are 0: the players are at rest."
        return f"{lengths}; with nothing to compare them with, this cannot tell rest from motion."
    g_share, d_share = reading.relative_norms
    compared = f"{lengths}, {g_share:.2g} and {d_share:.2g} times those of fresh networks"
    if reading.at_rest:
        return f"{compared}: both players are at rest."
    return (
        f"{compared}: they are still moving, so what follows describes the slope that they are "
        "on, not a place where they rest."
    )


def _on_stability(reading: LocalReading) -> str:
    left = f"smallest real part {reading.leftmost.real:.3g}"
    match reading.stability:
        case "stable":
            return f"Stable: pushed aside a little, both together come back ({left})."
        case "circling":
            return f"Circling: pushed aside, they turn around this place forever ({left})."
        case "unstable":
            return f"Unstable: in at least one direction both together are driven away ({left})."
        case "cannot tell":
            return f"Whether they would come back here cannot be told ({left}, not settled)."


def _on_nash(reading: LocalReading) -> str:
    generator, discriminator = reading.curvatures
    curvature = (
        f"smallest curvature {generator.smallest:.3g} for the generator, "
        f"{discriminator.smallest:.3g} for the discriminator"
    )
    if generator.at_minimum == "no":
        saddle = (
            f"The generator's own loss has a saddle here ({curvature}). That is normal for "
            "good GANs and no failure: the discriminator answers when it moves."
        )
        if discriminator.at_minimum == "no":
            saddle += " The discriminator could improve on its own, too."
        return saddle
    if discriminator.at_minimum == "no":
        return (
            f"The discriminator is not at a minimum of its own loss ({curvature}): it could "
            "still improve on its own."
        )
    if reading.local_nash == "yes":
        return f"A local Nash equilibrium: neither gains by a small move alone ({curvature})."
    if reading.local_nash == "no":
        return f"No Nash equilibrium yet: the players still move ({curvature})."
    return f"Whether each is at a minimum of its own loss cannot be told ({curvature})."


def _on_rotation(reading: LocalReading) -> list[str]:
    said = []
    if reading.rotation == math.inf:
        said.append("In some direction they only turn around each other.")
    elif reading.rotation is not None and reading.rotation > 0:
        said.append(f"They turn {reading.rotation:.2g} times as fast as they close in or part.")
    elif reading.rotation == 0:
        said.append("No rotation among the largest eigenvalues.")
    if reading.admissible_step:
        said.append(
            f"Plain simultaneous gradient descent comes to rest here only with a learning rate "
            f"below {reading.admissible_step:.3g}."
        )
    elif reading.admissible_step == 0:
        said.append(
            "With plain simultaneous gradient descent no learning rate is small enough to rest "
            "here."
        )
    return said


def _on_doubt(reading: LocalReading) -> list[str]:
    doubtful = len(reading.eigenvalues) - reading.settled
    if not doubtful:
        return []
    return [
        f"{doubtful} of the {len(reading.eigenvalues)} eigenvalues listed had not settled to 1 % "
        f"after {reading.products} products: more products would sharpen them."
    ]

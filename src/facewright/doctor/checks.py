"""All checks, the most serious first: of problems that began together, it gives the verdict."""

from facewright.doctor.balance import (
    DiscriminatorDominance,
    GeneratorDominance,
    WeakDiscriminator,
)
from facewright.doctor.convergence import Divergence, Oscillation, Plateau, Stalled
from facewright.doctor.finding import Check
from facewright.doctor.overfitting import DiscriminatorOverfitting
from facewright.doctor.variety import Repeats

CHECKS: tuple[Check, ...] = (
    Divergence(),
    Stalled(),
    DiscriminatorDominance(),
    GeneratorDominance(),
    Oscillation(),
    Repeats(),
    DiscriminatorOverfitting(),
    WeakDiscriminator(),
    Plateau(),
)

TITLES = {check.code: check.title for check in CHECKS}

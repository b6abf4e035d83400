"""All checks, the most serious first: of problems that began together, it gives the verdict."""

from facewright.doctor.balance import (
    DiscriminatorDominance,
    GeneratorDominance,
    WeakDiscriminator,
)
from facewright.doctor.convergence import Divergence, Oscillation, Plateau, Stalled
from facewright.doctor.finding import Check
from facewright.doctor.overfitting import DiscriminatorOverfitting
from facewright.doctor.own_loop import OtherPhotos, Probabilities, SwappedTargets
from facewright.doctor.progress import RunsAway, StaysAway
from facewright.doctor.variety import Repeats

OF_OTHER_LOOPS: tuple[Check, ...] = (OtherPhotos(), SwappedTargets(), Probabilities())
"""Asked of the loops of other programs before all others: ours makes no such mistake."""

CHECKS: tuple[Check, ...] = (
    Divergence(),
    Stalled(),
    DiscriminatorDominance(),
    GeneratorDominance(),
    Oscillation(),
    Repeats(),
    RunsAway(),
    StaysAway(),
    DiscriminatorOverfitting(),
    WeakDiscriminator(),
    Plateau(),
)

TITLES = {check.code: check.title for check in (*OF_OTHER_LOOPS, *CHECKS)}

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

CHECKS: tuple[Check, ...] = (
    OtherPhotos(),
    SwappedTargets(),
    Probabilities(),
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

TITLES = {check.code: check.title for check in CHECKS}

"""Adaptive augmentation: distortions just as likely as keeps photos from being memorised."""

from dataclasses import dataclass, replace

from facewright.ranks import share_error

NEUTRAL = {"held-out": 0.5, "sign": 0.0}
"""Each signal's value where nothing is memorised; it starts there."""

HELD_OUT_TARGET = 0.52
"""Well below where the doctor calls it a problem (0.58): the doctor evaluates undistorted photos,
which show more memorisation than distorted ones (docs/experiments, "`fast-28` anew")."""
SIGN_TARGET = 0.6
"""Karras et al. 2020, section 3."""
CHANCE = 2.5
"""Standard errors that the target for few photos lies above one half."""

WINDOW = 512
"""Photos after which a measurement counts 1/e in the smoothed signal. Shares of pairs among
64 photos of each kind have a standard error of 0.051; smoothed, of 0.013."""


@dataclass(frozen=True)
class Adaptation:
    """How likely distortions have become, and by which signal; a part of a run's state.

    Args:
        probability: in [0, 1], that each kind of distortion meets an image.
        of: name of the signal.
        signal: its smoothed value.
    """

    probability: float
    of: str
    signal: float

    @classmethod
    def beginning(cls, probability: float, of: str) -> "Adaptation":
        """Before the first measurement."""
        return cls(probability, of, NEUTRAL[of])


@dataclass(frozen=True)
class Controller:
    """Keeps an overfitting signal at its target by making distortions more or less likely.

    Args:
        target: value of the signal to be kept.
        stride: by how much the probability moves at each measurement, up or down.
        maximum: where it stops.
        weight: of a new measurement in the smoothed signal, in (0, 1].

    Source: Karras et al. 2020, arXiv:2006.06676, section 3: they take the mean over four
    minibatches where we smooth, and know no maximum.
    """

    target: float
    stride: float
    maximum: float
    weight: float

    def moved(self, now: Adaptation, measured: float) -> Adaptation:
        """The adaptation after one more measurement.

        Args:
            now: before it.
            measured: the signal, high where photos are memorised.
        """
        signal = now.signal + self.weight * (measured - now.signal)
        direction = (signal > self.target) - (signal < self.target)
        probability = now.probability + direction * self.stride
        return replace(now, signal=signal, probability=min(max(probability, 0.0), self.maximum))


def usual_target(of: str, train: int, held_out: int) -> float:
    """The value at which a signal is kept by default.

    With few photos, those to train on are above the others by chance, the same ones at every
    measurement; distortions cannot change that.

    Args:
        of: name of the signal.
        train: photos to train on.
        held_out: photos held out.
    """
    if of == "sign":
        return SIGN_TARGET
    return max(HELD_OUT_TARGET, 0.5 + CHANCE * share_error(train, held_out))

"""Distortions just as likely as it takes to keep photos from being learned by heart."""

from dataclasses import dataclass, replace

from facewright.ranks import share_error

NEUTRAL = {"held-out": 0.5, "sign": 0.0}
"""Each signal's value where nothing is learned by heart; from there it sets out."""

HELD_OUT_TARGET = 0.52
"""Well below where the doctor calls it a problem (0.58): it looks at photos as they are, of which
more is known by heart than shows through distortions (EXPERIMENTS.md, "`fast-28` anew")."""
SIGN_TARGET = 0.6
"""Karras et al. 2020, section 3."""
CHANCE = 2.5
"""Standard errors that the target for few photos lies above one half."""

WINDOW = 512
"""Photos after which a measurement counts 1/e in the smoothed signal. Shares of pairs among
64 photos of each kind have a standard error of 0.051; smoothed, of 0.013."""


@dataclass(frozen=True)
class Adaptation:
    """How likely distortions are by now, and on what grounds; a part of a run's state.

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
        """Before anything was measured."""
        return cls(probability, of, NEUTRAL[of])


@dataclass(frozen=True)
class Controller:
    """Keeps an overfitting signal at its target by making distortions more or less likely.

    Args:
        target: value of the signal to be kept.
        stride: by how much the probability moves at each look, up or down.
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
        """What one more measurement makes of it.

        Args:
            now: as it was.
            measured: the signal, high where photos are learned by heart.
        """
        signal = now.signal + self.weight * (measured - now.signal)
        direction = (signal > self.target) - (signal < self.target)
        probability = now.probability + direction * self.stride
        return replace(now, signal=signal, probability=min(max(probability, 0.0), self.maximum))


def usual_target(of: str, train: int, held_out: int) -> float:
    """Where to keep a signal if nobody says.

    Of few photos those to train on are above the others by chance, at every look the same
    ones; distortions cannot help that.

    Args:
        of: name of the signal.
        train: photos to train on.
        held_out: photos held out.
    """
    if of == "sign":
        return SIGN_TARGET
    return max(HELD_OUT_TARGET, 0.5 + CHANCE * share_error(train, held_out))

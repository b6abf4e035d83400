"""GANs trained on digits for a lesson, and the quality of the digits that they generate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from facewright.data.store import Store
from facewright.images import grid
from facewright.lessons.figures import canvas, running_mean, show_image
from facewright.lessons.lesson import Setting
from facewright.lessons.over_seeds import SeedMean
from facewright.lessons.practice import Practice, practise
from facewright.metrics.domain import refuse_unless_digits
from facewright.metrics.extractors.digits import CLASSES, Digits
from facewright.metrics.frechet import frechet_distance
from facewright.reporting.curves import INK
from facewright.rng import numpy_rng_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHEET_COLUMNS = 16
"""Images in a row of a lesson's picture."""


@dataclass(frozen=True)
class DigitQuality:
    """Two numbers about a set of generated digits.

    Args:
        fd: Fréchet distance to real digits in the features of the digit classifier; lower is
            better.
        captured: digits, of ten, that make up at least 1 % of the images: a tenth of their
            fair share, so that misreadings do not count.
    """

    fd: float
    captured: int


@dataclass(frozen=True)
class DigitScorer:
    """Measures generated digits, and what real digits score.

    Args:
        score: (N, H, W, 1) uint8 images -> their quality.
        floor: of other real digits; no generator can be expected below.
    """

    score: Callable[[np.ndarray], DigitQuality]
    floor: DigitQuality


def digit_scorer(store: Store, count: int) -> DigitScorer:
    """A scorer that compares with held-out digits.

    Args:
        store: of digits.
        count: real digits that the generated ones are compared with.

    Raises:
        MetricError: the store holds no digits, or too few.
    """
    classifier = Digits()
    held_out = _some(store.val, count)
    refuse_unless_digits(held_out, classifier)
    real = classifier(held_out)

    def score(fake: np.ndarray) -> DigitQuality:
        features = classifier(fake)
        read = classifier.logits(features).argmax(dim=1).numpy()
        return DigitQuality(frechet_distance(real, features).value, captured(read))

    return DigitScorer(score, floor=score(_some(store.train, count)))


def captured(read: np.ndarray) -> int:
    """How many of the ten digits make up at least 1 % of these images each?

    Args:
        read: (N,) whole numbers from 0 to 9.
    """
    counts = np.bincount(read, minlength=CLASSES)
    return int(np.sum(100 * counts >= len(read)))


def _some(pixels: np.ndarray, count: int) -> np.ndarray:
    # At random, because stores keep the order of names, which is often by kind.
    chosen = numpy_rng_for(0, 0, "lesson/jury").permutation(len(pixels))[:count]
    return pixels[np.sort(chosen)]


@dataclass(frozen=True)
class DigitTrial:
    """One run on digits, the images that it generates at the end, and their quality."""

    practice: Practice
    fake: np.ndarray
    quality: DigitQuality

    @classmethod
    def train(
        cls,
        setting: Setting,
        store: Store,
        scorer: DigitScorer,
        name: str,
        changes: Iterable[str],
        *,
        seed: int,
        images: int,
        count: int,
        with_doctor: bool = False,
    ) -> Self:
        """Train a run as `practise` does, and measure it.

        Args:
            setting: where runs are kept.
            store: of digits.
            scorer: of that store.
            name: of the variant; the run's folder is named after it.
            changes: of the lessons' usual run that make this variant.
            seed: of the run.
            images: real images shown to the discriminator.
            count: generated images to measure.
            with_doctor: whether a doctor takes snapshots while it trains.
        """
        folder = name.replace(" ", "-").replace(",", "")
        practice = practise(
            setting,
            folder,
            store,
            changes,
            seed=seed,
            images=images,
            with_doctor=with_doctor,
        )
        fake = practice.images(count)
        return cls(practice, fake, scorer.score(fake))


def fd_over_seeds(trials: Sequence[DigitTrial]) -> SeedMean:
    """The distance to real digits of one variant."""
    return SeedMean.of([trial.quality.fd for trial in trials])


def trained_seconds(trials: Mapping[str, Sequence[DigitTrial]]) -> float:
    """Training time that runs found finished had taken."""
    return sum(trial.practice.seconds for found in trials.values() for trial in found)


def draw_losses(axes: "Axes", trials: Sequence[DigitTrial]) -> None:
    """Both losses of each seed, smoothed over 20 steps."""
    for number, trial in enumerate(trials):
        steps = trial.practice.history.steps
        for field, role in (("d_loss", "discriminator"), ("g_loss", "generator")):
            label = f"{role[0].upper()}'s loss" if number == 0 else None
            curve = running_mean(steps[field], 20)
            axes.plot(steps["step"], curve, color=INK[role], lw=1.1, label=label)
    axes.set_xlabel("steps")


def digit_sheets(trials: Mapping[str, Sequence[DigitTrial]], rows: int = 1) -> "Figure":
    """Images of each variant's first seed, in rows of `SHEET_COLUMNS`."""
    figure, axes = canvas(len(trials), 1, height=0.48 * rows + 0.04)
    for place, (name, found) in zip(axes.flat, trials.items(), strict=True):
        sheet = grid(found[0].fake[: rows * SHEET_COLUMNS], columns=SHEET_COLUMNS)
        show_image(place, sheet)
        middle = len(sheet) / 2
        place.text(-6, middle, name, ha="right", va="center", fontsize=8.5, color=INK["neutral"])
    return figure

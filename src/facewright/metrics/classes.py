"""What a classifier says of generated images: are they clear, and are all classes there?"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.estimate import Estimate
from facewright.metrics.extractors.digits import CLASSES, Digits

STACKED_MODES = CLASSES**3
"""Three digits, one in each colour."""


def inception_score(logits: Tensor, *, splits: int = 10, seed: int = 0) -> Estimate:
    """Is each image clearly of one class, and are all classes equally frequent?

    exp E KL(p(y|x) || p(y)), with p(y) the mean over the images of the split.

    Args:
        logits: (N, K) of a classifier trained on the classes of these images.
        splits: equal parts, drawn at random, that are scored separately; 1 scores all
            images at once, exactly and without an interval.
        seed: of the parts.

    Returns:
        The mean over the splits, from 1 (every image says the same, or nothing) to K (each
        image surely of one class, all classes equally frequent). The interval is that of
        the mean of as many independent splits (Student's t). It does not hold for
        samples of another size: smaller splits score less for the same images.

    Raises:
        MetricError: not logits, or fewer than K images in a split.

    Source: Salimans et al. 2016, arXiv:1606.03498, who use the 1008 classes of Inception
    and 50,000 images in 10 splits.

    Blind spot: one perfect image of each class scores K, so it does not see that a class
    has a single image. With classes that are not those of the images it measures nothing:
    for faces, which share one class of ImageNet, it is refused. Of another classifier it
    is another number.
    """
    if logits.ndim != 2 or not torch.isfinite(logits).all():
        raise MetricError(
            f"logits of shape {tuple(logits.shape)}",
            expected="(N, K) numbers",
            fix="the classifier's output for each image, without softmax",
        )
    count, classes = logits.shape
    if splits < 1 or count < splits * classes:
        raise MetricError(
            f"{count} images in {splits} splits",
            # The score of a split is at most its number of images, whatever they show.
            expected=f"at least {classes} in each, as many as there are classes",
            fix="more images (--count N for a model)",
        )
    order = torch.from_numpy(np.random.default_rng(seed).permutation(count))
    scores = torch.stack([_score(part) for part in logits[order].tensor_split(splits)])
    if splits == 1:
        return Estimate(scores.item())
    value, error = scores.mean().item(), scores.std().item() / math.sqrt(splits)
    half = float(stats.t.ppf(0.975, splits - 1)) * error
    return Estimate(value, (value - half, value + half)).within(1, classes)


def _score(logits: Tensor) -> Tensor:
    # In logarithms throughout: a probability that underflows to 0 then counts as 0.
    one = logits.double().log_softmax(dim=1)
    all_together = one.logsumexp(dim=0) - math.log(len(one))
    return (one.exp() * (one - all_together)).sum(dim=1).mean().exp()


@dataclass(frozen=True)
class ModeCount:
    """Which of the known modes of a data set a generator reaches, and how evenly.

    Args:
        captured: modes with at least one image.
        kl: KL(generated || real) over the modes, in nats.
    """

    captured: Estimate
    kl: Estimate


def stacked_digits(pixels: np.ndarray, digits: Digits) -> np.ndarray:
    """Which of the 1,000 modes of Stacked-MNIST is each image in?

    Args:
        pixels: (N, H, W, 3) uint8, a digit in each colour.
        digits: reads one colour at a time.

    Returns:
        (N,) int64 from 0 to 999: red the hundreds, green the tens, blue the ones.

    Raises:
        MetricError: not three colours.

    Source: Metz et al. 2017, arXiv:1611.02163.

    Blind spot: an illegible colour is given a digit as well, so noise reaches many modes.
    """
    if pixels.ndim != 4 or pixels.shape[3] != 3:
        raise MetricError(
            f"images of shape {pixels.shape}",
            expected="(N, H, W, 3)",
            fix="colour images, gray ones repeated three times",
        )
    red, green, blue = (
        digits.logits(digits(pixels[..., colour : colour + 1])).argmax(dim=1) for colour in range(3)
    )
    return (CLASSES * (CLASSES * red + green) + blue).numpy()


def count_modes(modes: np.ndarray, n_modes: int = STACKED_MODES) -> ModeCount:
    """How many modes does a generator reach, and how evenly?

    Args:
        modes: (N,) whole numbers from 0 to n_modes - 1, the mode of each generated image.
            The literature takes 26,000 images for 1,000 modes.
        n_modes: that the real data have, all equally often, as in Stacked-MNIST by
            construction.

    Returns:
        `captured` is at most n_modes; N images drawn evenly reach n (1 - (1 - 1/n)^N) of
        n modes on average. `kl` is the "reverse KL" of the literature, KL(generated ||
        real), 0 at best; N images from the real distribution itself score about
        (n - 1) / 2N, .0192 for n = 1,000 and N = 26,000, for chance alone makes their
        shares uneven. It is not subtracted, because published values contain it. Both
        intervals are of drawing other images from the same generator, with the classifier
        as it is. That of `captured` is too narrow where all but a few modes are reached,
        and that of `kl` with fewer than about 10 images for each.

    Raises:
        MetricError: no such modes.

    Source: Metz et al. 2017, arXiv:1611.02163; 26,000 images: Srivastava et al. 2017,
    arXiv:1705.07761 (VEEGAN), and Lin et al. 2018, arXiv:1712.04086 (PacGAN). Variance of
    `captured`: Colwell et al. 2012, doi:10.1093/jpe/rtr044, for a fixed number of images.

    Blind spot: one image in a mode counts as much as many, and mistakes of the classifier
    reach modes that the generator does not. `kl` in this direction is lenient with modes
    that are missing: leaving out half of them costs log 2, no more.
    """
    if modes.ndim != 1 or not len(modes) or not np.issubdtype(modes.dtype, np.integer):
        raise MetricError(
            f"modes of shape {modes.shape} and type {modes.dtype}",
            expected="(N,) whole numbers",
            fix="the argmax of the classifier's logits",
        )
    if modes.min() < 0 or modes.max() >= n_modes:
        raise MetricError(
            f"modes from {modes.min()} to {modes.max()}",
            expected=f"0 to {n_modes - 1}",
            fix="n_modes as large as the number of classes",
        )
    counts = np.bincount(modes, minlength=n_modes)
    return ModeCount(_captured(counts), _divergence(counts))


def _captured(counts: np.ndarray) -> Estimate:
    """Modes reached; how many more there are is read off those reached once and twice."""
    total, reached = counts.sum(), np.count_nonzero(counts)
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    reachable = reached + once * (once - 1) / (2 * (twice + 1))
    variance = reached * (1 - reached / reachable) - once**2 / total
    return Estimate.normal(float(reached), variance).within(1, len(counts))


def _divergence(counts: np.ndarray) -> Estimate:
    total = counts.sum()
    generated = counts[counts > 0] / total
    surprise = np.log(generated * len(counts))
    value = generated @ surprise
    # Chance in the shares acts to first order, by the variance of the surprise, and to
    # second order, by half a chi-squared of the free shares. The variance is computed from
    # the same uneven shares and contains the latter twice: once too often.
    second = (len(generated) - 1) / (2 * total**2)
    first = (generated @ surprise**2 - value**2) / total - 2 * second
    return Estimate.normal(float(value), max(first, 0.0) + second).within(0, math.inf)

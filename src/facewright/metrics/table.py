"""Every metric that `evaluate` knows: a row of data each."""

import numpy as np
import torch

from facewright.errors import MetricError
from facewright.metrics.bins import different_bins
from facewright.metrics.birthday import birthday_support
from facewright.metrics.classes import count_modes, inception_score, stacked_digits
from facewright.metrics.coverage import coverage_null, neighbourhoods
from facewright.metrics.domain import refuse_unless_digits
from facewright.metrics.estimate import Estimate
from facewright.metrics.extractors.base import Classifier
from facewright.metrics.extractors.digits import Digits
from facewright.metrics.frechet import frechet_distance, frechet_floor_at, frechet_infinity
from facewright.metrics.kernel import kernel_distance
from facewright.metrics.metric import Metric, MetricInputs
from facewright.metrics.parzen import WARNING as PARZEN_WARNING
from facewright.metrics.parzen import parzen_log_likelihood
from facewright.metrics.path_length import path_length
from facewright.metrics.similarity import ssim_diversity
from facewright.metrics.sliced import sliced_wasserstein
from facewright.metrics.vendi import vendi_score
from facewright.sample_sizes import COVERAGE, DISTANCE

PAIRWISE = 25_000
"""Most images of a kind whose pairs are all looked at: a minute or two on two cores."""

PIXELWISE = 10_000
"""Most images of a kind whose pixels are all held as numbers at once."""

FEWEST = 50
"""Images of a kind below which a Fréchet distance says nothing but how few they are."""


def _neighbourhoods(c: MetricInputs) -> dict[str, Estimate]:
    found = neighbourhoods(*c.features)
    return {name: getattr(found, name) for name in ("precision", "recall", "density", "coverage")}


def _coverage_floor_at(floor: float, n: int, m: int, n_real: int, n_fake: int) -> float:
    # The share that is missed is scaled, so that the floor stays below 1.
    missed = (1 - coverage_null(n_real, n_fake)) / (1 - coverage_null(n, m))
    return max(0.0, 1 - (1 - floor) * missed)


def _different_bins(c: MetricInputs) -> dict[str, Estimate]:
    found = different_bins(*c.features, seed=c.seed)
    return {"ndb": found.share, "ndb_js": found.js}


def _inception_score(c: MetricInputs) -> dict[str, Estimate]:
    if c.real.channels == 3:
        raise MetricError(
            "the Inception Score of colour photos",
            expected="images of the classifier's own classes: to ImageNet's networks all faces "
            "are one class, so the score says nothing about them",
            fix="--metrics fid,kid,coverage",
        )
    classifier = c.extractor
    assert isinstance(classifier, Classifier)
    refuse_unless_digits(c.real.some(1000, c.seed).pixels(), classifier)
    return {"is": inception_score(classifier.logits(c.features[1]), seed=c.seed)}


def _stacked_modes(c: MetricInputs) -> dict[str, Estimate]:
    photos, digits = c.real.some(1000, c.seed).pixels(), Digits()
    for channel in range(photos.shape[3]):
        refuse_unless_digits(photos[..., channel : channel + 1], digits)
    found = count_modes(stacked_digits(c.fake.pixels(), digits))
    return {"modes": found.captured, "modes_kl": found.kl}


def _parzen(c: MetricInputs) -> dict[str, Estimate]:
    if len(c.held_out) < 4:
        raise MetricError(
            f"{len(c.held_out)} held-out photos",
            expected="at least 4, for the width of the windows and for the test",
            fix="facewright prepare ... --val-fraction 0.1",
        )
    fake, held_out = (
        torch.from_numpy(view.pixels().reshape(len(view), -1) / np.float32(255))
        for view in (c.fake, c.held_out)
    )
    # Stores keep the order of names, which is often by kind.
    order = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(c.seed))
    half = min(1000, len(held_out) // 2)
    found = parzen_log_likelihood(fake, held_out[order[:half]], held_out[order[half:]])
    return {"parzen": found.log_likelihood}


def _path_length(c: MetricInputs) -> dict[str, Estimate]:
    if c.generator is None:
        raise MetricError(
            "images only",
            expected="a generator: steps between its latents are what is measured",
            fix="a run or a bundle in place of its images",
        )
    return {"path_length": path_length(c.generator.network, z_dim=c.generator.z_dim, seed=c.seed)}


METRICS = (
    Metric(
        ("fid",),
        "Fréchet Inception distance, legacy bilinear resize",
        frechet_distance,
        lambda c: {"fid": frechet_distance(*c.features)},
        features="inception",
        at_least=FEWEST,
        floor_at={"fid": frechet_floor_at},
    ),
    Metric(
        ("fid_clean",),
        "Fréchet Inception distance, clean resize",
        frechet_distance,
        lambda c: {"fid_clean": frechet_distance(*c.features)},
        features="inception-clean",
        at_least=FEWEST,
        floor_at={"fid_clean": frechet_floor_at},
    ),
    Metric(
        ("fid_inf",),
        "FID extrapolated to infinitely many generated images",
        frechet_infinity,
        lambda c: {"fid_inf": frechet_infinity(*c.features, seed=c.seed)},
        features="inception",
        has_floor=False,  # the excess of the photos' number stays in, and halves have more of it
    ),
    Metric(
        ("fd",),
        "Fréchet distance",
        frechet_distance,
        lambda c: {"fd": frechet_distance(*c.features)},
        at_least=FEWEST,
        floor_at={"fd": frechet_floor_at},
    ),
    Metric(
        ("kid",),
        "kernel distance, unbiased",
        kernel_distance,
        lambda c: {"kid": kernel_distance(*c.features)},
        at_least=DISTANCE,
        at_most=PAIRWISE,
    ),
    Metric(
        ("precision", "recall", "density", "coverage"),
        "neighbourhoods of photos and generated images",
        neighbourhoods,
        _neighbourhoods,
        lower_is_better=False,
        at_least=COVERAGE,
        floor_at={"coverage": _coverage_floor_at},
        at_most=PAIRWISE,
    ),
    Metric(
        ("ndb", "ndb_js"),
        "share of statistically different bins, and their Jensen-Shannon divergence",
        different_bins,
        _different_bins,
        at_most=PAIRWISE,
    ),
    Metric(
        ("birthday",),
        "support size by the birthday paradox",
        birthday_support,
        lambda c: {"birthday": birthday_support(*c.features)},
        at_most=PAIRWISE,
        lower_is_better=False,
        note="the upper end of the interval is infinite when no two images are alike",
    ),
    Metric(
        ("vendi",),
        "Vendi score: the effective number of different images",
        vendi_score,
        lambda c: {"vendi": vendi_score(c.features[1])},
        lower_is_better=None,
        compares=False,
        note="compare at equal numbers of images only",
    ),
    Metric(
        ("is",),
        "Inception Score",
        inception_score,
        _inception_score,
        features="digits",
        lower_is_better=False,
        compares=False,
    ),
    Metric(
        ("modes", "modes_kl"),
        "captured modes of Stacked-MNIST, and the divergence from a uniform distribution",
        count_modes,
        _stacked_modes,
        features="",
        lower_is_better=None,
        compares=False,
    ),
    Metric(
        ("ssim",),
        "mean structural similarity of two generated images",
        ssim_diversity,
        lambda c: {"ssim": ssim_diversity(c.fake.pixels(), seed=c.seed)},
        features="",
        lower_is_better=None,
        compares=False,
    ),
    Metric(
        ("swd",),
        "sliced Wasserstein distance of pixels",
        sliced_wasserstein,
        lambda c: {
            "swd": Estimate(sliced_wasserstein(c.real.pixels(), c.fake.pixels(), seed=c.seed))
        },
        features="",
        at_most=PIXELWISE,
        equally_many=True,
    ),
    Metric(
        ("parzen",),
        "Parzen window log-likelihood of held-out photos, in nats, as in 2014",
        parzen_log_likelihood,
        _parzen,
        features="",
        at_most=PIXELWISE,
        lower_is_better=False,
        compares=False,
        note=PARZEN_WARNING,
    ),
    Metric(
        ("path_length",),
        "path length in pixels: how abruptly images change along latents",
        path_length,
        _path_length,
        features="",
        lower_is_better=None,
        compares=False,
        note="a collapsed generator scores a perfect 0; photos have none",
    ),
)
"""In the order in which they are printed."""

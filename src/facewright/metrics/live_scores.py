"""The cheap scores of a training in progress: two distances and coverage, in face features."""

from functools import cache
from typing import Any

import numpy as np

from facewright.cache import cache_folder
from facewright.choices import Precision
from facewright.metrics.coverage import neighbourhoods
from facewright.metrics.domain import usual_features
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.frechet import frechet_distance
from facewright.metrics.kernel import kernel_distance
from facewright.sample_sizes import is_enough


def probe(
    real: np.ndarray, fake: np.ndarray, *, precision: Precision = "fp32", crop: str = "none"
) -> list[dict[str, Any]]:
    """How good is the generator by now, on a thousand images or so?

    Features of a face network (of the digits classifier, for digits) are short enough for
    distances of a thousand images to mean something; it takes seconds.

    Args:
        real: (N, H, W, C) uint8 photos that were held out; their features are kept.
        fake: (M, H, W, C) uint8 generated images.
        precision: of the network.
        crop: with which the photos were prepared.

    Returns:
        Rows for `metrics.jsonl`: the Fréchet distance, by which the best checkpoint is chosen;
        the kernel distance, which in the features of the face network follows little but the
        mean, because they are short; and coverage. Each only where there are enough images for
        it: of too few, noise scores as well as faces.
    """
    counts = len(real), len(fake)
    if not is_enough("fd", *counts):
        return []
    extractor = _extractor(usual_features(real), precision, crop)
    kept = FeatureCache(cache_folder("features"))
    features = kept.features(real, extractor), extractor(fake)
    estimates = {"fd": frechet_distance(*features), "kid": kernel_distance(*features)}
    if is_enough("coverage", *counts):
        estimates["coverage"] = neighbourhoods(*features).coverage
    return [
        {
            "name": f"{name}@{extractor.name}",
            "value": estimate.value,
            "interval": estimate.interval,
            "n_real": len(real),
            "n_fake": len(fake),
            "features": extractor.identity,
        }
        for name, estimate in estimates.items()
    ]


@cache
def _extractor(name: str, precision: Precision, crop: str) -> Extractor:
    return build_extractor(name, precision, crop=crop)

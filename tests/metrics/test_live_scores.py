"""What a training is scored by: nothing that noise would score as well in."""

import numpy as np
import pytest

from facewright.metrics import live_scores
from facewright.metrics.live_scores import probe
from tests.metrics.test_feature_cache import Brightness


@pytest.fixture(autouse=True)
def brightness(monkeypatch, tmp_path):
    """A cheap extractor in place of the face network, and no cache but the test's own."""
    monkeypatch.setattr(live_scores, "_extractor", lambda *_: Brightness("face"))
    monkeypatch.setattr(live_scores, "cache_folder", lambda _name: tmp_path)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 255, (count, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("held_out", "made", "names"),
    [
        (25, 400, set()),
        (26, 26, {"fd@brightness", "kid@brightness"}),
        (99, 400, {"fd@brightness", "kid@brightness"}),
        (400, 99, {"fd@brightness", "kid@brightness"}),
        (100, 100, {"fd@brightness", "kid@brightness", "coverage@brightness"}),
    ],
)
def test_a_score_is_given_from_enough_images_on(held_out, made, names):
    rows = probe(images(held_out), images(made))
    assert {row["name"] for row in rows} == names
    assert all((row["n_real"], row["n_fake"]) == (held_out, made) for row in rows)

"""The classifier of digits reads, and its features are those of single images."""

import hashlib
from importlib import resources

import numpy as np
import pytest
import torch

from facewright.data.sources.idx import idx
from facewright.errors import MetricError
from facewright.metrics.extractors.base import Classifier
from facewright.metrics.extractors.digits import WEIGHTS, Digits
from tests.metrics.printed import printed_digits

# It was trained on handwriting: a printed 6, which closes its loop, passes for a 0.
LEGIBLE = [0, 1, 2, 3, 4, 5, 7, 8, 9]


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits()


def test_it_reads_99_percent_of_the_test_images(digits, shared_data):
    source = idx(shared_data / "mnist", [shared_data / "mnist/t10k-images-idx3-ubyte.gz"])
    read = digits.logits(digits(np.asarray(source.addresses)[..., None])).argmax(dim=1).numpy()
    assert (read == source.labels.values[:, 0]).mean() >= 0.99


@pytest.mark.parametrize("size", [28, 56, 112])
def test_it_reads_print_of_any_size(digits, size):
    read = digits.logits(digits(printed_digits(size))).argmax(dim=1)
    assert read[LEGIBLE].tolist() == LEGIBLE


def test_what_is_finer_than_28_pixels_is_averaged_away(digits):
    # Without antialiasing every third pixel of a checkerboard is a checkerboard again.
    def checkerboard(size: int) -> np.ndarray:
        rows, columns = np.indices((size, size))
        return np.where((rows + columns) % 2, 228, 28).astype(np.uint8)[None, ..., None]

    gray = np.full((1, 28, 28, 1), 128, np.uint8)
    flat, fine, coarse = map(digits, (gray, checkerboard(84), checkerboard(28)))
    assert (fine - flat).norm() < 0.1 * (coarse - flat).norm()


def test_the_features_of_an_image_do_not_depend_on_its_neighbours(digits):
    images = printed_digits()
    alone = torch.cat([digits(image[None]) for image in images])
    torch.testing.assert_close(digits(images), alone)


def test_features_are_64_numbers_none_negative_and_not_all_zero(digits):
    features = digits(printed_digits())
    assert features.shape == (10, 64)
    assert features.dtype == torch.float32
    assert features.min() == 0
    assert (features > 0).any(dim=1).all()


def test_logits_are_linear_in_the_features(digits):
    features = digits(printed_digits())
    logits = digits.logits(features)
    assert logits.shape == (10, digits.classes)
    of_mean = digits.logits(features.mean(dim=0, keepdim=True))[0]
    torch.testing.assert_close(of_mean, logits.mean(dim=0), rtol=1e-4, atol=1e-4)
    assert isinstance(digits, Classifier)


def test_colour_is_refused(digits):
    with pytest.raises(MetricError, match="3 channels"):
        digits(printed_digits().repeat(3, axis=3))


def test_its_identity_is_that_of_the_file_and_of_no_other(digits):
    weights = WEIGHTS.read_bytes()
    assert digits.weights_hash == hashlib.sha256(weights).hexdigest()
    assert digits.identity == f"digits/28px-antialiased-fp32@{digits.weights_hash[:12]}"
    assert len(weights) < 1_000_000


def test_the_readme_beside_the_weights_names_them(digits):
    readme = resources.files("facewright.metrics") / "weights" / "README.md"
    assert digits.weights_hash in readme.read_text(encoding="utf-8")

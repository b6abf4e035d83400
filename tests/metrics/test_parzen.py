"""The log-likelihood of 2014 is what it claims to be, and misleads as it is said to."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.cluster import KMeans

from facewright.errors import MetricError
from facewright.metrics import parzen
from facewright.metrics.parzen import SIGMAS, log_densities, parzen_log_likelihood


def images(count: int, seed: int, width: int = 20) -> torch.Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(seed))


def strokes(count: int, seed: int) -> torch.Tensor:
    """(count, 256) pictures of ten kinds; each differs from its kind everywhere a little."""
    kinds = images(10, 99, 256).mul(0.4).add(0.3)
    rng = torch.Generator().manual_seed(seed)
    chosen = torch.randint(10, (count,), generator=rng)
    return (kinds[chosen] + 0.1 * torch.randn(count, 256, generator=rng)).clamp(0, 1)


def test_one_centre_is_one_gaussian():
    centre, point = torch.full((1, 3), 0.5), torch.tensor([[0.5, 0.5, 0.9], [0.5, 0.5, 0.5]])
    found = log_densities(centre, point, [0.2])
    peak = -3 * math.log(0.2 * math.sqrt(2 * math.pi))
    # A distance of .4 is two standard deviations.
    assert found[0].tolist() == pytest.approx([peak - 2, peak], abs=1e-5)


def test_it_agrees_with_scipy():
    centres, points = images(300, 0), images(50, 1)
    squared = cdist(points.double().numpy(), centres.double().numpy(), "sqeuclidean")
    peaks = [-20 * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in SIGMAS]
    expected = [
        peak + np.asarray(logsumexp(-squared / (2 * sigma**2), axis=1, b=1 / 300))
        for peak, sigma in zip(peaks, SIGMAS, strict=True)
    ]
    np.testing.assert_allclose(log_densities(centres, points, SIGMAS), expected, rtol=1e-10)


def test_the_value_is_the_mean_over_test_images_and_the_interval_its_error():
    fake, validation, test = images(100, 0), images(10, 1), images(40, 2)
    result = parzen_log_likelihood(fake, validation, test, sigmas=[0.3])
    each = log_densities(fake, test, [0.3])[0].numpy()
    error = each.std(ddof=1) / math.sqrt(40)
    assert result.log_likelihood.value == pytest.approx(each.mean())
    assert result.log_likelihood.interval == pytest.approx(
        (each.mean() - 1.96 * error, each.mean() + 1.96 * error), rel=1e-4
    )


def test_the_window_is_chosen_on_validation_images():
    fake = torch.full((1, 10), 0.5)
    near, far = torch.full((2, 10), 0.55), torch.full((2, 10), 0.9)
    assert parzen_log_likelihood(fake, near, far).sigma == pytest.approx(0.1)
    # One window near each validation image is enough; those elsewhere hardly matter.
    assert parzen_log_likelihood(torch.cat([fake, far]), near, far).sigma == pytest.approx(0.1)
    # The likeliest width of a Gaussian is the root of the mean squared distance, here .4,
    # and of the ten on offer 10^(-4/9) = .359 is the nearest.
    result = parzen_log_likelihood(fake, far, near)
    assert result.sigma == pytest.approx(10 ** (-4 / 9))
    assert result.log_likelihood.value == pytest.approx(
        log_densities(fake, near, [result.sigma]).mean().item()
    )


def test_the_widths_are_those_of_2014():
    assert pytest.approx(10 ** (-np.arange(9, -1, -1) / 9)) == SIGMAS


def test_blocks_do_not_change_the_number(monkeypatch):
    fake, points = images(100, 0), images(41, 1)
    whole = log_densities(fake, points, [0.1, 0.5])
    monkeypatch.setattr(parzen, "_ENTRIES", 700)
    torch.testing.assert_close(log_densities(fake, points, [0.1, 0.5]), whole)


def test_repeating_every_centre_changes_nothing():
    fake, validation, test = images(50, 0), images(10, 1), images(20, 2)
    once = parzen_log_likelihood(fake, validation, test)
    thrice = parzen_log_likelihood(fake.repeat(3, 1), validation, test)
    assert thrice.log_likelihood.value == pytest.approx(once.log_likelihood.value)


def test_a_generated_set_of_one_kind_is_less_likely_than_one_of_all():
    validation, test = strokes(100, 1), strokes(200, 2)
    whole = parzen_log_likelihood(strokes(300, 3), validation, test)
    collapsed = parzen_log_likelihood(strokes(300, 3)[:1].repeat(300, 1), validation, test)
    assert collapsed.log_likelihood.value < whole.log_likelihood.value - 10


def test_generated_and_test_images_have_different_roles():
    few, many = strokes(2, 0), strokes(300, 1)
    forth = parzen_log_likelihood(few, many, many).log_likelihood.value
    back = parzen_log_likelihood(many, many, few).log_likelihood.value
    assert back > forth + 10


def test_known_misbehaviour_k_means_centroids_beat_real_images():
    # Theis et al. 2016: centroids are blurred and would fool nobody.
    validation, test, samples = strokes(200, 1), strokes(400, 2), strokes(300, 3)
    centroids = KMeans(10, random_state=0).fit(strokes(1000, 4).numpy()).cluster_centers_
    blurred = parzen_log_likelihood(torch.from_numpy(centroids), validation, test)
    real = parzen_log_likelihood(samples, validation, test)
    assert blurred.log_likelihood.value > real.log_likelihood.value + 20


@pytest.mark.parametrize(
    ("spoilt", "match"),
    [
        (images(10, 0) * 2, "outside"),
        (images(10, 0) - 1, "outside"),
        (images(10, 0) * torch.nan, "outside"),
        (images(10, 0, 5), "shape"),
        (images(0, 0), "0 "),
        (images(10, 0).view(10, 4, 5), "shape"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_are_no_flattened_images_from_0_to_1_is_refused(spoilt, match, place):
    sets = [images(10, 0), images(10, 1), images(10, 2)]
    sets[place] = spoilt
    with pytest.raises(MetricError, match=match):
        parzen_log_likelihood(*sets)


def test_one_test_image_has_no_standard_error_and_no_width_no_window():
    with pytest.raises(MetricError, match="1 test images"):
        parzen_log_likelihood(images(10, 0), images(10, 1), images(1, 2))
    for sigmas in ([], [0.1, 0.0]):
        with pytest.raises(MetricError, match="window widths"):
            parzen_log_likelihood(images(10, 0), images(10, 1), images(10, 2), sigmas=sigmas)

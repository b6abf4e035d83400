"""Precision, recall, density and coverage have expectations on paper."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics import neighbours
from facewright.metrics.coverage import Neighbourhoods, coverage_null, neighbourhoods
from facewright.metrics.estimate import Z95

NAMES = ("precision", "recall", "density", "coverage")


def normal(count: int, seed: int, width: int = 8) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def values(found: Neighbourhoods) -> list[float]:
    return [getattr(found, name).value for name in NAMES]


def distances(a: Tensor, b: Tensor) -> np.ndarray:
    return (a.double()[:, None] - b.double()).square().sum(dim=2).sqrt().numpy()


def radii(points: Tensor, k: int) -> np.ndarray:
    return np.sort(distances(points, points), axis=1)[:, k]  # the first is the point itself


def by_definition(real: Tensor, fake: Tensor, k_precision: int, k_coverage: int) -> list[float]:
    apart, balls = distances(real, fake), radii(real, k_coverage)[:, None]
    return [
        (apart <= radii(real, k_precision)[:, None]).any(axis=0).mean(),
        (apart <= radii(fake, k_precision)).any(axis=1).mean(),
        (apart < balls).sum() / (k_coverage * len(fake)),
        (apart < balls).any(axis=1).mean(),
    ]


@pytest.mark.parametrize(("k_precision", "k_coverage"), [(3, 5), (6, 2), (1, 1)])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_they_agree_with_all_distances_in_float64(k_precision, k_coverage, offset):
    real, fake = normal(90, 0) + offset, 0.8 * normal(70, 1) + 0.3 + offset
    found = neighbourhoods(real, fake, k_precision=k_precision, k_coverage=k_coverage)
    assert values(found) == pytest.approx(by_definition(real, fake, k_precision, k_coverage))


@pytest.mark.parametrize("block", [neighbours.BLOCK, 300])
def test_copies_are_decided_exactly(monkeypatch, block):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    # Two clumps far apart, full of copies: in float32 half of the squares are not 0.
    clumps = 30 * torch.tensor([[1.0], [-1.0]]).repeat(40, 8)
    real = clumps + normal(5, 0).repeat(16, 1)
    fake = clumps[:60] + normal(3, 1).repeat(20, 1)
    fake[:40] = real[:40]
    assert values(neighbourhoods(real, fake)) == pytest.approx(by_definition(real, fake, 3, 5))


def test_photos_replayed_many_times_are_recalled_exactly():
    # Generated images without a ball around them: only equality recalls a photo.
    real = 30 + normal(200, 0, 64)
    found = neighbourhoods(real, real[:20].repeat(10, 1))
    assert found.recall.value == 0.1
    assert found.precision.value == 1


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        # 10 lies on the border of the ball of the photo at 9; its own ball reaches to 10.5.
        ([10.0, 10.5, 11.0], [1 / 3, 0, 0, 0]),
        # Now its own ball has the photo at 9 on its border.
        ([10.0, 11.0, 12.0], [1 / 3, 1 / 10, 0, 0]),
        # 9.5 lies inside that ball, and has that photo inside its own.
        ([9.5, 10.5, 11.5], [1 / 3, 1 / 10, 1 / 3, 1 / 10]),
    ],
)
def test_the_border_belongs_to_precision_and_recall_only(positions, expected):
    real = torch.arange(10.0)[:, None]  # balls of radius 1
    found = neighbourhoods(real, torch.tensor(positions)[:, None], k_precision=1, k_coverage=1)
    assert values(found) == pytest.approx(expected)


def test_one_photo_repeated_is_precise_and_recalls_nothing_else():
    """Which set is which: swapped, precision and recall would change places."""
    real = normal(300, 0)
    found = neighbourhoods(real, real[:1].repeat(100, 1))
    assert found.precision.value == 1
    assert found.recall.value == pytest.approx(1 / 300)
    swapped = neighbourhoods(real[:1].repeat(100, 1), real)
    assert swapped.precision.value == pytest.approx(1 / 300)
    assert swapped.recall.value == 1


def test_the_null_of_coverage_is_that_of_the_paper():
    assert coverage_null(2000, 2000, 5) == pytest.approx(0.96887, abs=5e-6)
    assert coverage_null(2000, 2000, 3) == pytest.approx(0.8752, abs=5e-5)
    # One photo, one other photo and one generated image: each is as likely to be nearer.
    assert coverage_null(2, 1, 1) == 0.5


@pytest.mark.parametrize(("n", "m", "k"), [(200, 200, 5), (300, 100, 5), (100, 300, 3)])
def test_equal_distributions_have_density_1_and_the_coverage_of_the_null(n, m, k):
    runs = [
        values(neighbourhoods(normal(n, s), normal(m, 1000 + s), k_coverage=k)) for s in range(60)
    ]
    _, _, density, coverage = np.mean(runs, axis=0)
    _, _, density_error, coverage_error = np.std(runs, axis=0) / math.sqrt(60)
    assert density == pytest.approx(1, abs=3 * density_error)
    assert coverage == pytest.approx(coverage_null(n, m, k), abs=3 * coverage_error)


def test_precision_and_recall_of_equal_distributions_are_alike():
    runs = [values(neighbourhoods(normal(200, s), normal(200, 1000 + s))) for s in range(60)]
    gap = np.array([precision - recall for precision, recall, _, _ in runs])
    assert abs(gap.mean()) < 3 * gap.std() / math.sqrt(60)


@pytest.mark.parametrize("modes", [1, 8, 100, 1000])
def test_a_collapse_to_few_faces_is_covered_like_that_many_images(modes):
    # Copies add nothing to coverage: it is that of `modes` images. With more copies of each
    # face than neighbours counted, balls of generated images have no size: recall is 0.
    real, faces = normal(2000, 0), normal(modes, 1)
    found = neighbourhoods(real, faces.repeat(2000 // modes, 1))
    spread = 3 * math.sqrt(5 * modes) / 2000 + 0.001
    assert found.coverage.value == pytest.approx(coverage_null(2000, modes), abs=spread)
    assert found.recall.value == 0 or modes == 1000
    assert found.precision.value > 0.8


def test_noise_costs_precision_and_lost_variety_costs_recall():
    real, fake = normal(500, 0), normal(500, 1)
    same = neighbourhoods(real, fake)
    noisy = neighbourhoods(real, fake + normal(500, 2))
    narrow = neighbourhoods(real, 0.5 * fake)
    dropped = neighbourhoods(real, torch.cat([fake[:, :1].abs(), fake[:, 1:]], dim=1))
    assert noisy.precision.value < same.precision.value - 0.2
    assert noisy.density.value < same.density.value - 0.3
    assert narrow.precision.value > same.precision.value
    assert narrow.recall.value < same.recall.value - 0.3
    assert dropped.recall.value < same.recall.value - 0.1
    assert dropped.coverage.value < same.coverage.value - 0.1


def test_an_outlier_among_the_photos_fools_precision_more_than_density():
    real, fake = normal(200, 0), normal(200, 1) + 4
    outlier = torch.cat([real[1:], torch.full((1, 8), 8.0)])
    before, after = neighbourhoods(real, fake), neighbourhoods(outlier, fake)
    assert before.precision.value < 0.1
    assert after.precision.value > 0.9
    assert after.density.value < 0.3


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    real, fake = normal(60, 0), normal(45, 1)
    whole = neighbourhoods(real, fake)
    monkeypatch.setattr(neighbours, "BLOCK", 300)
    assert neighbourhoods(real, fake) == whole


CASES = {
    "equal": lambda fake: fake,
    "narrow": lambda fake: 0.6 * fake,
    "wide": lambda fake: 1.4 * fake,
    "one corner of all": lambda fake: torch.cat([fake[:, :3].abs(), fake[:, 3:]], dim=1),
}


@pytest.mark.parametrize("change", CASES.values(), ids=list(CASES))
@pytest.mark.parametrize(("n", "m"), [(150, 150), (250, 100)])
def test_the_intervals_hold_90_of_100_repetitions_or_more(change, n, m):
    runs = [neighbourhoods(normal(n, s, 4), change(normal(m, 1000 + s, 4))) for s in range(60)]
    for name, numbers in zip(NAMES, np.transpose([values(run) for run in runs]), strict=True):
        intervals = [getattr(run, name).interval for run in runs]
        held = [low <= numbers.mean() <= high for low, high in intervals]
        assert np.mean(held) >= 0.9, name
        # Nor are they so wide that they would hold anything.
        width = np.mean([high - low for low, high in intervals])
        assert width < 3 * (2 * Z95 * numbers.std()), name


def test_the_interval_of_density_is_what_leaving_out_each_sample_says():
    real, fake = normal(40, 0, 3), normal(30, 1, 3)

    def balls_entered(photos: Tensor) -> np.ndarray:
        return (distances(photos, fake) < radii(photos, 5)[:, None]).sum(axis=0)

    whole = balls_entered(real)
    without = [
        balls_entered(torch.cat([real[:i], real[i + 1 :]])).sum() / (5 * 30) for i in range(40)
    ]
    variance = np.var(whole / 5, ddof=1) / 30 + 40 * np.var(without, ddof=1)
    value, interval = (found := neighbourhoods(real, fake).density).value, found.interval
    assert interval is not None
    assert interval[1] - value == pytest.approx(Z95 * math.sqrt(variance))


@pytest.mark.parametrize(
    ("real", "fake", "reason"),
    [
        (torch.ones(6, 4), torch.ones(9, 4), "6 real samples"),
        (torch.ones(9, 4), torch.ones(6, 4), "6 generated samples"),
        (torch.ones(9, 4), torch.ones(9, 5), r"\(9, 4\) real and \(9, 5\) generated"),
        (torch.ones(9, 4), torch.full((9, 4), math.nan), "generated features that are not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(real, fake, reason):
    with pytest.raises(MetricError, match=reason):
        neighbourhoods(real, fake)

"""Measures of filters against filters whose values are known on paper."""

import pytest
import torch

from facewright.lessons.filters import edge_agreement, orientation, smoothness, uniform_share
from facewright.rng import rng_for

RANDOM = torch.randn(4000, 1, 5, 5, generator=rng_for(0, 0, "filters"))
CHESS = torch.tensor([[1.0, -1, 1], [-1, 1, -1], [1, -1, 1]]).view(1, 1, 3, 3)
EDGE = torch.tensor([[-1.0, 0, 1]] * 3).view(1, 1, 3, 3)
PLAIN = torch.ones(1, 1, 5, 5)
DOT = torch.zeros(1, 1, 5, 5).index_fill(3, torch.tensor([2]), 1.0) * torch.eye(5)[2].view(5, 1)


def test_smoothness_of_plain_chessboard_and_edge():
    assert smoothness(PLAIN).item() == pytest.approx(1)
    assert smoothness(CHESS).item() == pytest.approx(-1)
    # Columns agree with themselves: 1 down, 0 across.
    assert smoothness(EDGE).item() == pytest.approx(1 / 2)


def test_smoothness_of_random_filters_is_zero_on_average():
    assert smoothness(RANDOM).mean().abs() < 0.01


def test_the_uniform_share_is_one_for_plain_and_zero_for_edges():
    assert uniform_share(PLAIN).item() == pytest.approx(1)
    assert uniform_share(EDGE).item() == pytest.approx(0)
    assert uniform_share(CHESS).item() == pytest.approx(1 / 81)


def test_the_uniform_share_of_random_filters_is_one_in_the_number_of_weights():
    assert uniform_share(RANDOM).mean().item() == pytest.approx(1 / 25, rel=0.1)


def test_a_dot_prefers_no_direction_and_stripes_prefer_one():
    assert orientation(DOT).item() == pytest.approx(0, abs=1e-5)
    stripes = torch.tensor([1.0, 1, -1, -1] * 4).expand(1, 1, 16, 16)
    assert orientation(stripes).item() == pytest.approx(1)
    assert orientation(EDGE) > 0.5


def test_direction_does_not_change_when_the_filter_is_turned_or_scaled():
    turned = EDGE.transpose(2, 3)
    assert orientation(turned).item() == pytest.approx(orientation(EDGE).item(), abs=1e-5)
    assert orientation(-7 * EDGE).item() == pytest.approx(orientation(EDGE).item(), abs=1e-5)


def test_detectors_of_edges_respond_at_edges_and_a_plain_filter_does_not():
    images = -torch.ones(1, 1, 16, 16)
    images[..., 4:12, 4:12] = 1
    both = torch.cat([EDGE, EDGE.transpose(2, 3)])
    inside = images[..., 1:15, 1:15]
    assert edge_agreement(both, inside).item() > 0.5
    assert edge_agreement(PLAIN, inside).item() < 0.3


def test_an_image_without_edges_has_no_agreement():
    assert edge_agreement(EDGE, torch.zeros(1, 1, 8, 8)).item() == 0


def test_in_noise_a_plain_filter_agrees_with_edges_by_chance_only():
    noise = torch.randn(1, 1, 33, 33, generator=rng_for(0, 0, "noise"))
    assert edge_agreement(PLAIN, noise).abs().item() < 0.25

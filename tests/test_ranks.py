"""Shares of pairs against answers known on paper."""

import pytest
import torch

from facewright.ranks import share_above, share_error
from facewright.rng import rng_for


def test_the_share_counts_pairs_and_ties_half():
    first, second = torch.tensor([3.0, 1.0]), torch.tensor([2.0, 1.0, 0.0])
    # 3 is above all three; 1 is above 0, ties with 1, below 2.
    assert share_above(first, second).item() == pytest.approx((3 + 1 + 0.5) / 6)


def test_only_the_order_counts():
    first, second = torch.randn(20, generator=rng_for(0, 0, "a")), torch.linspace(-1, 1, 30)
    share = share_above(first, second)
    assert torch.equal(share_above(first.exp() * 7 + 3, second.exp() * 7 + 3), share)
    assert (share_above(second, first) + share).item() == pytest.approx(1)


def test_one_number_against_one_is_a_coin():
    assert share_error(1, 1) == pytest.approx(0.5)


def test_the_error_is_the_spread_over_repetitions():
    drawn = torch.randn(2000, 50, generator=rng_for(0, 1, "drawn"))
    shares = torch.stack([share_above(row[:10], row[10:]) for row in drawn])
    assert shares.mean().item() == pytest.approx(0.5, abs=0.01)
    assert shares.std().item() == pytest.approx(share_error(10, 40), rel=0.06)

"""Looking without remembering."""

import pytest
import torch
from torch import nn

from facewright.networks.buffers import buffers_kept


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_what_was_seen_inside_is_forgotten_by_every_network():
    one, other = network(), network()
    before = [buffer.clone() for each in (one, other) for buffer in each.buffers()]
    with buffers_kept(one, other):
        other(one(torch.ones(5, 3))[:, :3])
        assert any((now != 0).any() for now in one.buffers())
    after = [buffer for each in (one, other) for buffer in each.buffers()]
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_the_buffers_stay_the_same_tensors():
    one = network()
    places = [buffer.data_ptr() for buffer in one.buffers()]
    with buffers_kept(one):
        one(torch.ones(5, 3))
    assert [buffer.data_ptr() for buffer in one.buffers()] == places


def test_they_come_back_after_an_error_too():
    one = nn.BatchNorm1d(3)
    broken = nn.Sequential(one, nn.Linear(9, 1))
    with pytest.raises(RuntimeError), buffers_kept(one):
        broken(torch.ones(5, 3))
    assert one.num_batches_tracked == 0

"""Sums, means and rows over processes, against one process with everything."""

import pytest
import torch

from facewright.networks.processes import (
    mean_over_processes,
    process_count,
    rows_of_all_processes,
    sum_over_processes,
)
from tests.networks.together import by_threads


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


SHARES = normal(3, 2, 4, seed=1)  # three processes with two rows each


@pytest.mark.parametrize("function", [sum_over_processes, mean_over_processes])
def test_alone_a_tensor_stays_what_it_is(function):
    assert process_count() == 1
    assert torch.equal(function(SHARES), SHARES)
    rows, own = rows_of_all_processes(SHARES)
    assert torch.equal(rows, SHARES)
    assert torch.equal(rows[own], SHARES)


def test_every_process_gets_the_same_sum_mean_and_rows():
    def work(share):
        rows, own = rows_of_all_processes(share)
        return sum_over_processes(share), mean_over_processes(share), rows, rows[own]

    for share, (total, mean, rows, own) in zip(SHARES, by_threads(work, SHARES), strict=True):
        torch.testing.assert_close(total, SHARES.sum(0))
        torch.testing.assert_close(mean, SHARES.mean(0))
        assert torch.equal(rows, SHARES.flatten(0, 1))
        assert torch.equal(own, share)


def test_the_callers_tensor_is_left_alone():
    before = SHARES.clone()
    by_threads(sum_over_processes, SHARES)
    assert torch.equal(SHARES, before)


# Whole-batch formulas with weight w, in which each process writes down its own part. What
# the processes find for w, averaged, must be the gradient of the mean of all parts.


def of_a_common_mean(weight, share):
    """A loss that every process computes alike, as in feature matching."""
    return (mean_over_processes((weight * share).tanh().mean(0)) - 1).square().sum()


def of_a_common_sum(weight, share):
    return sum_over_processes((weight * share).tanh().sum(0)).square().sum()


def of_own_rows_among_all(weight, share):
    """A loss of each row of the process, in which every other row takes part."""
    rows, own = rows_of_all_processes((weight * share).tanh())
    return (rows[own].unsqueeze(1) - rows).square().sum(2).exp().sum(1).mean()


@pytest.mark.parametrize("loss", [of_a_common_mean, of_a_common_sum, of_own_rows_among_all])
def test_averaged_weight_gradients_are_those_of_one_process_with_everything(loss):
    def gradient(share):
        weight = torch.ones(4, requires_grad=True)
        return torch.autograd.grad(loss(weight, share), weight)[0]

    averaged = torch.stack(by_threads(gradient, SHARES)).mean(0)
    torch.testing.assert_close(averaged, gradient(SHARES.flatten(0, 1)))


@pytest.mark.parametrize("loss", [of_a_common_mean, of_a_common_sum, of_own_rows_among_all])
def test_so_are_those_of_a_penalty_on_the_gradient(loss):
    def gradient(share):
        weight = torch.ones(4, requires_grad=True)
        share = share.clone().requires_grad_(True)
        # As `losses.penalties` does: each row's slope of the sum of all rows' values.
        values = loss(weight, share) * len(share)
        (slopes,) = torch.autograd.grad(values, share, create_graph=True)
        return torch.autograd.grad(slopes.square().sum(1).mean(), weight)[0]

    whole = SHARES.flatten(0, 1)
    averaged = torch.stack(by_threads(gradient, SHARES)).mean(0)
    torch.testing.assert_close(averaged, gradient(whole), rtol=1e-4, atol=1e-4)

"""The same address gives the same numbers; another address gives others."""

import torch

from facewright.rng import numpy_rng_for, rng_for, seed_for


def test_an_address_always_gives_the_same_numbers():
    assert torch.equal(
        torch.randn(5, generator=rng_for(1, 2, "z")), torch.randn(5, generator=rng_for(1, 2, "z"))
    )
    assert numpy_rng_for(1, 2, "z").random() == numpy_rng_for(1, 2, "z").random()


def test_seed_step_and_use_each_matter_and_cannot_be_confused():
    addresses = [(1, 2, "z"), (2, 1, "z"), (1, 2, "y"), (12, 0, "z"), (1, 20, "z")]
    assert len({seed_for(*address) for address in addresses}) == len(addresses)


def test_the_numbers_are_pinned_so_that_old_runs_can_be_resumed():
    assert seed_for(0, 0, "init_g") == 5674141138174897924

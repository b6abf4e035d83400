"""Measuring generated digits."""

import numpy as np
import pytest
import torch
from torch import nn

from facewright.config import ModelConfig
from facewright.data.store import Store
from facewright.errors import MetricError
from facewright.lessons.convergence import varying_share
from facewright.lessons.digit_trials import captured, digit_scorer
from facewright.networks.build import build_discriminator
from facewright.rng import rng_for
from tests.lessons.digit_store import write_digit_store
from tests.stores import write_store


def test_a_digit_is_captured_by_one_percent_of_the_images():
    read = np.array([3] * 980 + [5] * 10 + [7] * 9 + [1])
    assert captured(read) == 2


def test_other_real_digits_are_closer_than_copies_of_one(tmp_path):
    store = Store.open(write_digit_store(tmp_path / "digits"))
    scorer = digit_scorer(store, 90)  # the classifier misreads one of the ten printed digits
    copies = scorer.score(np.repeat(store.train[:1], 90, axis=0))
    assert scorer.floor.fd < copies.fd / 10
    assert (scorer.floor.captured, copies.captured) == (9, 1)


def test_photos_of_other_things_are_refused(tmp_path):
    with pytest.raises(MetricError):
        digit_scorer(Store.open(write_store(tmp_path / "blobs", channels=1)), 24)


def test_pixels_vary_when_any_image_differs_there():
    images = np.zeros((3, 2, 2, 1), np.uint8)
    images[2, 0, 1] = 1
    assert varying_share(images) == 1 / 4


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 11])
def test_the_receptive_field_is_where_a_unit_gets_its_gradient_from(kernel):
    side = 64
    config = ModelConfig(width=2, kernel=kernel, activation="tanh", normalisation="none")
    network = build_discriminator(config, (1, side, side), rng_for(0, 0, "d"))
    images = torch.randn(1, 1, side, side, generator=rng_for(0, 0, "x")).requires_grad_(True)
    assert isinstance(network.layers, nn.Sequential)
    two_stages = network.layers[:4](images)
    two_stages[0, :, 8, 8].sum().backward()
    assert images.grad is not None
    rows = images.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 3 * kernel - 2  # as the lesson on convergence says

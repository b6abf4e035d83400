"""Shares of attributes, from labels and as a classifier guesses them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from facewright.errors import MetricError
from facewright.metrics.attributes import AttributeShares, guessed_shares, shares

CENTRES = torch.eye(3, 8) * 6


def people(*counts: int, seed: int, noise: float = 0.5) -> tuple[Tensor, np.ndarray]:
    """Features in three heaps, so many of each, and which heap each is of."""
    classes = np.repeat(np.arange(len(counts)), counts)
    rng = torch.Generator().manual_seed(seed)
    spread = torch.randn(len(classes), 8, generator=rng) * noise
    return CENTRES[torch.from_numpy(classes)] + spread, classes.astype(float)


def guess(fake: Tensor, *, labels: float = 1.0, noise: float = 0.5) -> AttributeShares:
    """What is found from 60, 90 and 50 training photos and 40, 20 and 20 held-out ones."""
    train, train_classes = people(60, 90, 50, seed=0, noise=noise)
    val, val_classes = people(40, 20, 20, seed=1, noise=noise)
    train_classes[np.random.default_rng(0).random(len(train)) > labels] = np.nan
    return guessed_shares(train, train_classes, val, val_classes, fake, 3)


def test_shares_count_only_what_is_known():
    classes = np.array([0, 2, 2, np.nan, 2])
    assert shares(classes, 4) == (0.25, 0.0, 0.75, 0.0)


def test_where_classes_lie_apart_the_shares_are_exact():
    found = guess(people(10, 20, 70, seed=2)[0])
    assert found.generated == (0.1, 0.2, 0.7)
    assert found.held_out == (0.5, 0.25, 0.25)
    assert found.accuracy == 1.0


def test_chance_is_the_share_of_the_class_that_is_commonest_in_training():
    assert guess(people(1, 1, 1, seed=2)[0]).chance == 0.25  # 20 of 80; in training it is 90 of 200


def test_photos_without_a_label_teach_nothing_and_spoil_nothing():
    assert guess(people(30, 30, 40, seed=3)[0], labels=0.5).generated == (0.3, 0.3, 0.4)


def test_accuracy_says_when_a_classifier_is_poor():
    fakes = people(20, 20, 20, seed=4, noise=30.0)[0]
    found = guess(fakes, noise=30.0)
    assert found.accuracy < 0.7
    assert sum(found.generated) == pytest.approx(1)


@pytest.mark.parametrize("counts", [(100, 0, 0), (100, 19, 0)])
def test_one_class_teaches_no_difference(counts):
    train, classes = people(*counts, seed=0)
    val, val_classes = people(5, 5, 5, seed=1)
    with pytest.raises(MetricError, match="with a label"):
        guessed_shares(train, classes, val, val_classes, val, 3)


def test_without_labelled_held_out_photos_nobody_knows_how_good_the_guesses_are():
    train, classes = people(50, 50, 50, seed=0)
    with pytest.raises(MetricError, match="0 held-out"):
        guessed_shares(train, classes, train, np.full(150, np.nan), train, 3)

"""How often does each value of an attribute occur among generated images?"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from facewright.errors import MetricError

FEWEST = 20
"""Examples of a class below which no classifier is trained on it."""


@dataclass(frozen=True)
class AttributeShares:
    """How often a classifier finds each class of one attribute.

    Args:
        held_out: (K,) share of each class among held-out photos, as predicted.
        generated: the same among generated images. The classifier's bias is in both.
        accuracy: share of held-out photos predicted right.
        chance: the same for always guessing the commonest class of the training photos.
    """

    held_out: tuple[float, ...]
    generated: tuple[float, ...]
    accuracy: float
    chance: float


def shares(classes: np.ndarray, count: int) -> tuple[float, ...]:
    """How often does each class occur, as shares of the rows whose class is known?

    Args:
        classes: (N,) float, the class of each row, NaN where unknown; one at least is known.
        count: K, number of classes.
    """
    known = classes[~np.isnan(classes)].astype(int)
    return tuple((np.bincount(known, minlength=count) / len(known)).tolist())


def guessed_shares(
    train: Tensor,
    train_classes: np.ndarray,
    val: Tensor,
    val_classes: np.ndarray,
    fake: Tensor,
    count: int,
) -> AttributeShares:
    """How often does each class occur among generated images, by a classifier's predictions?

    A logistic regression learns the class of the training photos from their features.

    Args:
        train: (N, F) features of the training photos.
        train_classes: (N,) float, the class of each, NaN where unknown.
        val: (V, F) features of held-out photos.
        val_classes: (V,) the class of each.
        fake: (M, F) features of generated images.
        count: K, number of classes.

    Raises:
        MetricError: fewer than `FEWEST` labelled training photos of two classes, or no
            labelled held-out photo.

    Blind spot: a classifier that errs more often on generated images than on photos shifts
    the shares, and nothing here shows it. Where its accuracy is near chance they say nothing.
    """
    known, held_out = ~np.isnan(train_classes), ~np.isnan(val_classes)
    targets, truth = train_classes[known].astype(int), val_classes[held_out].astype(int)
    if (np.bincount(targets, minlength=2) >= FEWEST).sum() < 2 or not len(truth):
        raise MetricError(
            f"{len(targets)} training photos and {len(truth)} held-out ones with a label",
            expected=f"at least {FEWEST} of two classes to learn from, and some to test on",
            fix="labels for more photos, or another label",
        )
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(train[torch.from_numpy(known)].numpy(), targets)
    guesses = classifier.predict(val[torch.from_numpy(held_out)].numpy())
    return AttributeShares(
        shares(guesses.astype(float), count),
        shares(classifier.predict(fake.numpy()).astype(float), count),
        accuracy=float((guesses == truth).mean()),
        chance=float((truth == np.bincount(targets).argmax()).mean()),
    )

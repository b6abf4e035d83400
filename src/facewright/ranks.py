"""Which of two groups of numbers is the higher one, where only the order counts?"""

import math

from torch import Tensor


def share_above(first: Tensor, second: Tensor) -> Tensor:
    """In what share of pairs is the one from the first group the higher?

    The area under the ROC curve: it needs no zero and no scale.

    Args:
        first: (N,) numbers.
        second: (M,) numbers.

    Returns:
        One number in [0, 1], ties counted half; 0.5 where the groups are alike.
    """
    difference = first[:, None] - second[None, :]
    return (difference.sign().mean() + 1) / 2


def share_error(first: int, second: int) -> float:
    """Standard error of that share for so many numbers from one and the same distribution.

    Source: Mann & Whitney 1947, doi:10.1214/aoms/1177730491.
    """
    return math.sqrt((first + second + 1) / (12 * first * second))

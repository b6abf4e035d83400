"""How easily does a discriminator that is fitted at once tell generated images from photos?

It stands beside the run's own at every look. A network trained for the purpose would see more, and
cost as much as hundreds of steps (docs/experiments/doctor.md, "A judge for the price of a step").
"""

import math

import torch
from torch import Tensor

RIDGE = 0.1
"""Weight of the penalty on a pixel's coefficient, over the sum of squares of the pixel."""
LEAST_SPREAD = 1e-6
"""Standard deviation of a pixel that never changes."""


def linear_js_bits(photos: Tensor, images: Tensor) -> float:
    """Bits that the verdict of a linear classifier tells of whether an image is a photo.

    Each half of the rows is judged by a ridge regression on the other half. A share e of wrong
    verdicts tells 1 - H(e) bits (Fano's inequality for two equally likely answers), and so is a
    lower bound of the Jensen-Shannon divergence, but for chance.

    Args:
        photos: (N, F), in any order that has nothing to do with what they show.
        images: (N, F), generated.
    """
    right = []
    for half in (0, 1):
        rows = torch.cat([photos[half::2], images[half::2]]).nan_to_num()
        targets = torch.ones(len(rows))
        targets[len(photos[half::2]) :] = -1
        mean, spread = rows.mean(dim=0), rows.std(dim=0).clamp_min(LEAST_SPREAD)
        scaled = (rows - mean) / spread
        # As many equations as rows: there may be more pixels than images.
        products = scaled @ scaled.T + RIDGE * scaled.shape[1] * torch.eye(len(rows))
        slopes = scaled.T @ torch.linalg.solve(products, targets)
        for others, sign in ((photos, 1), (images, -1)):
            verdicts = (others[1 - half :: 2].nan_to_num() - mean) / spread @ slopes
            right.append(sign * verdicts > 0)
    wrong = 1 - float(torch.cat(right).float().mean())
    # None wrong among so many may be half a one among twice as many.
    wrong = max(wrong, 0.5 / sum(map(len, right)))
    return 1 - _entropy(wrong) if wrong < 0.5 else 0.0


def _entropy(share: float) -> float:
    """Of a coin, in bits."""
    return -(share * math.log2(share) + (1 - share) * math.log2(1 - share))

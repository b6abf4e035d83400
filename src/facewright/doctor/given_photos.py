"""Photos as other programs have them: tensors, arrays, lists, Datasets and DataLoaders."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facewright.errors import DataError

KEPT = 4096
"""Photos that are taken from what has to be asked for each of them."""
CHANNELS = (1, 3, 4)

Photos = Tensor | np.ndarray
"""(N, C, H, W) float, or (N, H, W, C) uint8."""


def photos_of(source: Any) -> Photos:
    """All photos of a source that has them in memory; of others the first few thousand.

    Args:
        source: a tensor or an array of images, (N, H, W), (N, C, H, W) or (N, H, W, C), floating
            point or uint8; or what gives images, or tuples that begin with one, one at a time
            (a list, a Dataset) or in batches (a DataLoader). Where the layout could be both,
            as for images of three rows, channels are taken to come first.

    Returns:
        Floating-point photos as a tensor (N, C, H, W) in their own range; others as an array
        (N, H, W, C) of uint8.

    Raises:
        DataError: something else, or nothing.
    """
    if isinstance(source, Tensor | np.ndarray):
        return _in_order(source)
    if not isinstance(source, Iterable) and not hasattr(source, "__getitem__"):
        raise _no_photos(f"photos as {type(source).__name__}")
    parts = list(islice(_images(source), KEPT))
    if not parts:
        raise _no_photos("no photo at all")
    if len({part.shape for part in parts}) > 1:
        raise _no_photos("photos of different sizes")
    return _in_order(torch.stack(parts))


def _images(source: Any) -> Iterator[Tensor]:
    """One image after the other."""
    # A Dataset need not be iterable, nor raise what would end an iteration.
    items = source if hasattr(source, "__iter__") else (source[i] for i in range(len(source)))
    for item in items:
        image = item
        if isinstance(item, tuple | list):
            image = item[0]
        if isinstance(item, dict):
            image = next(iter(item.values()))
        if not isinstance(image, Tensor):
            image = torch.from_numpy(np.array(image))  # a copy: a picture's own bytes are locked
        yield from image if image.ndim == 4 else (image,)


def _in_order(images: Photos) -> Photos:
    """Channels first for floats, last for bytes."""
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4:
        raise _no_photos(f"photos of shape {tuple(images.shape)}")
    first = images.shape[1] in CHANNELS
    if not first and images.shape[3] not in CHANNELS:
        raise _no_photos(f"photos of shape {tuple(images.shape)}")
    if isinstance(images, np.ndarray) and np.issubdtype(images.dtype, np.floating):
        images = torch.from_numpy(np.ascontiguousarray(images))
    if isinstance(images, Tensor) and images.is_floating_point():
        return images if first else images.permute(0, 3, 1, 2)
    array = images.numpy(force=True) if isinstance(images, Tensor) else images
    if array.dtype != np.uint8:
        raise _no_photos(f"photos of {array.dtype}")
    return array.transpose(0, 2, 3, 1) if first else array


def _no_photos(found: str) -> DataError:
    return DataError(
        found,
        expected="images of one size, floating point or uint8: a tensor, an array, a list, a "
        "Dataset or a DataLoader",
        fix="photos as your loop gives them to the discriminator",
    )

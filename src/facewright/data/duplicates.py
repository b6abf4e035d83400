"""Which photos are the same, or nearly?"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

NEAR = 2
"""Two photos are near twins when at most this many of 64 bits differ."""

_KEYS_AT_ONCE = 1 << 22
_ONE_BIT = np.uint64(1) << np.arange(64, dtype=np.uint64)
_SCATTER = np.uint64(0x9E3779B97F4A7C15)  # spreads similar keys evenly over the parts


def dhash(photo: Image.Image) -> int:
    """64 bits that stay nearly the same when a photo is scaled, recompressed or brightened.

    Each bit says whether a cell of a 9x8 grid is brighter than its left neighbour. Taken
    of the whole photo, so that it depends on neither crop nor size.

    Blind spot: photos without contrast are all alike to it, drawings on an empty ground
    nearly so, and among closely aligned faces about a third of the pairs found are strangers
    who look alike (seen in UTKFace); a mirrored or differently cropped copy is not recognised.
    """
    cells = np.asarray(photo.resize((9, 8), Image.Resampling.BOX).convert("L"))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def near_groups(hashes: np.ndarray) -> np.ndarray:
    """Which photos hang together through a chain of near twins?

    Two hashes differ in at most two bits exactly when changing at most one bit of each
    can make them equal. So each hash is listed under itself and its 64 one-bit
    neighbours, and those that meet under a key are joined: linear in N for any data,
    where comparing all pairs, or all pairs of a band, is not.

    Args:
        hashes: (N,) uint64.

    Returns:
        (N,) the lowest index in each photo's group.
    """
    if len(hashes) == 0:
        return np.zeros(0, np.int64)
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    root = np.arange(len(unique))
    for one, other in _meetings(unique):
        root = _join(root, one, other)
    lowest = np.full(len(unique), len(hashes))
    np.minimum.at(lowest, root, first)
    return lowest[root][inverse]


def _meetings(hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of indices that share a key, in parts that bound the memory."""
    bits = max(0, (65 * len(hashes) // _KEYS_AT_ONCE).bit_length())
    for part in range(1 << bits):
        keys, owners = [], []
        for flip in (np.uint64(0), *_ONE_BIT):
            key = hashes ^ flip
            mine = np.arange(len(key))
            if bits:
                mine = np.flatnonzero((key * _SCATTER) >> np.uint64(64 - bits) == part)
            keys.append(key[mine])
            owners.append(mine)
        key, owner = np.concatenate(keys), np.concatenate(owners)
        order = np.argsort(key)
        key, owner = key[order], owner[order]
        same = np.flatnonzero(key[1:] == key[:-1])
        yield owner[same], owner[same + 1]


def _join(root: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Connected components: each pair hooks the higher root to the lower, until none differ."""
    while True:
        a, b = root[one], root[other]
        apart = a != b
        if not apart.any():
            return root
        one, other, a, b = one[apart], other[apart], a[apart], b[apart]
        root = root.copy()
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while (root[root] != root).any():
            root = root[root]

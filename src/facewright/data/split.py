"""Which photos belong together, which are kept, and which of them are held out?"""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facewright.data.duplicates import near_groups

DedupeName = Literal["off", "exact", "near"]

LARGEST_GROUP = 100
"""More different photos than this, joined by near twins, are a chain and not one photo. Groups
of UTKFace, CelebA and drawn faces have up to 15 members, of MNIST up to 43; its one chain has
50,984 of the 70,000 digits, UTKFace's has 526 faces."""

FEWEST = 16
"""Held-out photos below which nothing can be compared with them, as for the doctor."""

RULE = (
    "a group of near twins is held out when the SHA-256 of its smallest member's SHA-256, "
    "as a fraction of its range, is below val_fraction; in chains of near twins with more than "
    f"{LARGEST_GROUP} different photos only exact copies are such a group"
)


@dataclass(frozen=True)
class Groups:
    """Which photos belong together; every array has one entry for each photo.

    Twins of twins of twins may show strangers: aligned faces form chains of hundreds, digits
    of half a data set. No side could take a chain whole without being distorted, so it is
    taken for no group at all, and its near twins may come to lie on both sides.

    Args:
        digests: (N, 32) uint8, SHA-256 of each photo's bytes.
        exact: (N,) lowest index among the photos with the same bytes.
        near: (N,) lowest index among the photos connected by near twins or equal bytes; in a
            chain, by equal bytes alone.
        in_chain: (N,) bool, which photos near twins join to more than `LARGEST_GROUP`.
        keeper: (N,) index of the `near` group's member with the smallest digest, the first of
            equal ones.
    """

    digests: np.ndarray
    exact: np.ndarray
    near: np.ndarray
    in_chain: np.ndarray
    keeper: np.ndarray

    @classmethod
    def of(cls, digests: np.ndarray, hashes: np.ndarray) -> "Groups":
        """Group photos by their digests and their perceptual hashes ((N,) uint64)."""
        words = np.ascontiguousarray(digests).view(">u8").reshape(-1, 4)
        by_digest = np.lexsort(words.T[::-1])  # stable: equal photos stay in their order
        new = np.ones(len(words), bool)
        new[1:] = (words[by_digest][1:] != words[by_digest][:-1]).any(axis=1)
        exact = np.empty(len(words), np.int64)
        exact[by_digest] = by_digest[new][np.cumsum(new) - 1]

        # Equal bytes are decoded to equal pixels, so `near` contains the exact copies.
        near = near_groups(hashes)
        different = np.bincount(near[np.unique(exact)], minlength=len(near))
        in_chain = different[near] > LARGEST_GROUP
        near = np.where(in_chain, exact, near)
        in_groups = by_digest[np.argsort(near[by_digest], kind="stable")]
        _, starts = np.unique(near[in_groups], return_index=True)
        keeper = np.empty(len(words), np.int64)
        keeper[near[in_groups[starts]]] = in_groups[starts]
        return cls(digests, exact, near, in_chain, keeper[near])

    def kept(self, dedupe: DedupeName) -> np.ndarray:
        """(N,) bool: which photos stay when copies are dropped?"""
        index = np.arange(len(self.exact))
        if dedupe == "exact":
            return self.exact == index
        if dedupe == "near":
            return self.keeper == index
        return np.ones(len(index), bool)

    def held_out(self, val_fraction: float) -> np.ndarray:
        """(N,) bool: which photos are for validation?

        A photo's side depends on the content of its group alone: it is the same for every
        size, crop and order, and photos that no twins join to it come and go without moving
        it. Near twins share their side, unless they are part of a chain.
        """
        held = np.zeros(len(self.near), bool)
        for keeper in np.unique(self.keeper):
            # Hashed once more, because the smallest of many digests is no fair draw.
            draw = hashlib.sha256(self.digests[keeper].tobytes()).digest()
            held[keeper] = int.from_bytes(draw[:8], "big") < val_fraction * 2**64
        chosen = held[self.keeper]
        # Of a handful of photos all may be drawn; something must be left to train on.
        return chosen & ~chosen.all()


def share_for(held_out: int, photos: int) -> float:
    """The share to hold out: the usual one, or more where few photos must yield that many.

    Args:
        held_out: photos that are needed.
        photos: there are in all.
    """
    # Each group is held out by chance, so the share aims at half as many again.
    return min(0.5, max(0.1, math.ceil(150 * held_out / photos) / 100))

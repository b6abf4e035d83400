"""Which photos belong together, which are kept, and which of them are held out?"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facewright.data.duplicates import near_groups

DedupeName = Literal["off", "exact", "near"]

RULE = (
    "a group of near twins is held out when the SHA-256 of its smallest member's SHA-256, "
    "as a fraction of its range, is below val_fraction; groups of more than 1 % of all "
    "photos (and more than 20) are trained on"
)


@dataclass(frozen=True)
class Groups:
    """Which photos belong together; every array has one entry for each photo.

    Args:
        digests: (N, 32) uint8, SHA-256 of each photo's bytes.
        exact: (N,) lowest index among the photos with the same bytes.
        near: (N,) lowest index among the photos connected by near twins or equal bytes.
        keeper: (N,) index of the group's member with the smallest digest, the first of
            equal ones.
    """

    digests: np.ndarray
    exact: np.ndarray
    near: np.ndarray
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
        in_groups = by_digest[np.argsort(near[by_digest], kind="stable")]
        _, starts = np.unique(near[in_groups], return_index=True)
        keeper = np.empty(len(words), np.int64)
        keeper[near[in_groups[starts]]] = in_groups[starts]
        return cls(digests, exact, near, keeper[near])

    @property
    def in_chain(self) -> np.ndarray:
        """(N,) bool: which photos are in a group too large to be copies of one photo?

        Twins of twins of twins may show strangers: aligned faces form chains of hundreds,
        digits of half a data set. Held out, a chain would leave too little to learn from;
        of its photos only exact copies are dropped.
        """
        members = np.bincount(self.near, minlength=len(self.near))
        return members[self.near] > max(20, 0.01 * len(self.near))

    def kept(self, dedupe: DedupeName) -> np.ndarray:
        """(N,) bool: which photos stay when copies are dropped?"""
        index = np.arange(len(self.exact))
        if dedupe == "exact":
            return self.exact == index
        if dedupe == "near":
            return np.where(self.in_chain, self.exact, self.keeper) == index
        return np.ones(len(index), bool)

    def held_out(self, val_fraction: float) -> np.ndarray:
        """(N,) bool: which photos are for validation?

        A photo's side depends on the content of its group alone: it is the same for every
        size, crop and order, and photos other than its twins come and go without moving it.
        Near twins share their side.
        """
        held = np.zeros(len(self.near), bool)
        for keeper in np.unique(self.keeper):
            # Hashed once more, because the smallest of many digests is no fair draw.
            draw = hashlib.sha256(self.digests[keeper].tobytes()).digest()
            held[keeper] = int.from_bytes(draw[:8], "big") < val_fraction * 2**64
        chosen = held[self.keeper] & ~self.in_chain
        # Of a handful of photos all may be drawn; something must be left to train on.
        return chosen & ~chosen.all()

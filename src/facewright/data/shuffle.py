"""A shuffled order that takes no memory: where a place goes is computed, not looked up.

A list of ten million photos in random order takes 80 MB and a second for every epoch, of which
a short run uses a few entries. Here a place is written as two digits, which change each
other by turns in a way that can be undone; hence no two places ever go to the same one.

Source: Luby & Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom
functions"; Black & Rogaway 2002, "Ciphers with arbitrary finite domains", for walking on when
a place is beyond the end; the scrambling of digits is splitmix64's (Steele et al. 2014,
"Fast splittable pseudorandom number generators").
"""

import math

import numpy as np

ROUNDS = 4
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def shuffled(places: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Which of `count` things stand at these places of a shuffled row?

    Args:
        places: (N,) int64 from 0 to count - 1.
        count: length of the row.
        seed: of the order, below 2 ** 64.

    Returns:
        (N,) int64 from 0 to count - 1; over all places each of them once.
    """
    base = math.isqrt(count - 1) + 1
    things = _exchanged(places.astype(np.uint64), base, seed)
    # There are base * base pairs of digits, a few more than things: walk on until inside.
    while (outside := things >= count).any():
        things[outside] = _exchanged(things[outside], base, seed)
    return things.astype(np.int64)


def _exchanged(numbers: np.ndarray, base: int, seed: int) -> np.ndarray:
    """One permutation of the numbers below base * base."""
    radix = np.uint64(base)
    left, right = numbers // radix, numbers % radix
    with np.errstate(over="ignore"):
        for turn in range(1, ROUNDS + 1):
            key = np.uint64(seed) + np.uint64(turn) * GOLDEN
            left, right = right, (left + _scrambled(right + key) % radix) % radix
    return left * radix + right


def _scrambled(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))

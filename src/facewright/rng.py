"""Random numbers that have an address, so that a resumed run draws the same ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def seed_for(seed: int, step: int, use: str) -> int:
    """Which 63-bit seed belongs to this (seed, step, use)?

    A run that stops at any step and goes on draws the same numbers as one that never
    stopped, because no stream has a state that would have to be carried across.
    """
    address = f"{seed}/{step}/{use}".encode()
    return int.from_bytes(hashlib.blake2b(address, digest_size=8).digest(), "big") >> 1


def rng_for(seed: int, step: int, use: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A random source for one use at one step, for example `rng_for(0, 12, "z_d")`.

    Args:
        seed: of the run.
        step: or number of the batch.
        use: what the numbers are for.
        device: that draws them. A GPU draws other numbers than a CPU, and may draw others than
            another model of GPU; those of a CPU are the same everywhere, and wait for a copy.
    """
    # Imported here so that worker processes that only draw or crop never load torch.
    import torch

    return torch.Generator(device).manual_seed(seed_for(seed, step, use))


def numpy_rng_for(seed: int, step: int, use: str) -> np.random.Generator:
    """The same as `rng_for`, for numpy."""
    return np.random.default_rng(seed_for(seed, step, use))

"""What the machine can do."""

import ctypes
import sys
from typing import Literal

import torch

from facewright.config import PrecisionName

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and values of glibc's malloc.h


def resolve_precision(precision: PrecisionName, device: torch.device) -> Literal["fp32", "bf16"]:
    """Which number format should training on this device use?

    Args:
        precision: `auto` takes bf16 where the hardware multiplies it, because emulated
            bf16 is slower than fp32; the other names are taken at their word.
        device: where the networks are.
    """
    if precision != "auto":
        return precision
    return "bf16" if _multiplies_bf16(device) else "fp32"


def keep_freed_memory() -> bool:
    """Let this process keep the memory it frees, for its next allocations.

    A training step frees and allocates the same tensors of a megabyte or two over and over.
    glibc hands such blocks back to the system each time, which then clears and maps their
    pages anew: about 2,000 page faults a step. The peak of memory stays the same.

    Returns:
        Whether the C library knows the setting; elsewhere nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # missing in musl
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, 2**30) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    # Apple GPUs since macOS 14 accept bf16; wanted before it becomes the default there:
    # a measurement that it is faster, and a run whose samples look the same.
    return False

"""What the machine can do."""

from typing import Literal

import torch

from facewright.config import PrecisionName


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


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    # Apple GPUs since macOS 14 accept bf16; wanted before it becomes the default there:
    # a measurement that it is faster, and a run whose samples look the same.
    return False

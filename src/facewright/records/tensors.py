"""Tensors of a file, before anything is done with them: are they what weights can be?"""

from collections.abc import Mapping

import torch
from torch import Tensor

from facewright.schema import Wording

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.int64)
"""Weights, statistics, counters."""

NEVER_NEGATIVE = ("running_var", "num_batches_tracked", "exp_avg_sq", ".step")
"""Ends of the names of variances and counters."""


def refuse_unsound(tensors: Mapping[str, Tensor], place: str, wording: Wording) -> None:
    """Refuse what no training writes: a damaged or forged file would draw black images.

    Args:
        tensors: by their names.
        place: where they stand, for the message.
        wording: of the message.

    Raises:
        FacewrightError: of the kind that `wording` names: another type, a number that is not
            finite, a negative variance or counter.
    """
    for name, tensor in tensors.items():
        where = f"{name[:80]} in {place}"
        if tensor.dtype not in DTYPES:
            expected = " or ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES)
            raise wording.refusal(f"{where} is of type {tensor.dtype}", expected)
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise wording.refusal(f"{where} has numbers that are not finite", "finite numbers")
        if name.endswith(NEVER_NEGATIVE) and (tensor < 0).any():
            raise wording.refusal(f"{where} is negative", "at least 0")


def refuse_others(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], place: str, wording: Wording
) -> None:
    """Refuse tensors that are not, by name, shape and type, those that are expected.

    Raises:
        FacewrightError: of the kind that `wording` names, with the first difference.
    """
    if missing := expected.keys() - found.keys():
        raise wording.refusal(f"{place} lacks {_some(missing)}", "every tensor of these networks")
    if more := found.keys() - expected.keys():
        raise wording.refusal(f"{place} has {_some(more)}", "the tensors of these networks only")
    for name, tensor in expected.items():
        here, there = (f"{tuple(one.shape)} {one.dtype}" for one in (tensor, found[name]))
        if here != there:
            raise wording.refusal(f"{name} in {place} is {there}", here)


def _some(names: set[str]) -> str:
    few = ", ".join(name[:80] for name in sorted(names)[:3])
    return few if len(names) <= 3 else f"{few} and {len(names) - 3:,} more"

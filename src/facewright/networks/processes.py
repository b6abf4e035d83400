"""What several processes that share each batch have to exchange.

Each process holds an equal part of the batch and the same weights. It takes the mean loss
of its own part and its gradient; then the gradients of the weights are averaged over the
processes. That average is the gradient of the mean loss of the whole batch as long as every
logit depends on its own image only. Where it depends on others too, their gradients
have to reach the process that holds them, and the functions here bring them there.

A message costs a fraction of a millisecond however short it is, even between two processes of one
machine: what can travel together does.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

_is_single = ContextVar("is_single", default=False)


@contextlib.contextmanager
def single_process() -> Iterator[None]:
    """Inside, this process exchanges nothing with the others, as when rank zero runs callbacks."""
    token = _is_single.set(True)
    try:
        yield
    finally:
        _is_single.reset(token)


def process_count() -> int:
    """How many processes train together?"""
    if _is_single.get():
        return 1
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def sum_over_processes(tensor: Tensor) -> Tensor:
    """The sum of every process's tensor, the same in all of them, with gradients.

    The gradient is that of the sum of all processes' losses. This is the right scale: with
    P processes, averaging the weights' gradients afterwards divides by P, which gives the
    mean loss. It is so for a loss of the process's own images and for one that all processes
    compute alike from sums: P equal losses, of which the mean is any one of them.

    Every process must call it with a tensor of the same shape, and differentiate it alike.
    """
    return tensor if process_count() == 1 else _SumOverProcesses.apply(tensor)


def mean_over_processes(tensor: Tensor) -> Tensor:
    """The mean of every process's tensor, as `sum_over_processes`.

    Of the means of equal parts of a batch it makes the mean of the batch.
    """
    return sum_over_processes(tensor) / process_count()


def rows_of_all_processes(rows: Tensor) -> tuple[Tensor, slice]:
    """Every process's rows, one process below the other, with gradients.

    Args:
        rows: (B, ...), of the same shape in every process.

    Returns:
        (P * B, ...), the same in every process, and which of them are its own.
    """
    processes = process_count()
    if processes == 1:
        return rows, slice(None)
    before = dist.get_rank() * len(rows)
    after = (processes - 1) * len(rows) - before
    # Where one process has rows all others have zeros, so their sum puts them together.
    placed = functional.pad(rows, (0, 0) * (rows.dim() - 1) + (before, after))
    return sum_over_processes(placed), slice(before, before + len(rows))


@torch.no_grad()
def average(tensors: Sequence[Tensor], notes: Tensor) -> Tensor:
    """Replace each tensor by its mean over several processes, and read what each of them notes.

    Args:
        tensors: of the same shapes in every process; changed in place.
        notes: (N,) numbers of this process.

    Returns:
        (P, N): the notes of every process, the same in all of them. One message brings both.
    """
    processes = process_count()
    board = notes.new_zeros(processes, len(notes))
    board[dist.get_rank()] = notes  # the others add zeros
    message = torch.cat([*(tensor.flatten() for tensor in tensors), board.flatten()])
    dist.all_reduce(message)
    *sums, board = message.split([*(tensor.numel() for tensor in tensors), board.numel()])
    for tensor, total in zip(tensors, sums, strict=True):
        tensor.copy_((total / processes).view_as(tensor))
    return board.view(processes, -1)


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, tensor: Tensor) -> Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:
        # Every process's input is in every process's output, hence the same sum again.
        return sum_over_processes(gradients[0])

"""Buffers of a network: statistics that change as it is evaluated, beside its weights."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def buffers_kept(*networks: nn.Module) -> Iterator[None]:
    """Inside, networks in training mode may be evaluated without a trace in their buffers.

    Batch norm and spectral norm update their buffers whenever they are called; afterwards
    these are as they were.
    """
    kept = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in kept:
                buffer.copy_(before)

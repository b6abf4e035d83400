"""Looking at networks in the middle of their training without leaving a trace."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from facewright.networks.buffers import buffers_kept
from facewright.networks.processes import single_process


@contextlib.contextmanager
def borrowed(*networks: nn.Module, seed: int) -> Iterator[None]:
    """Inside, the networks may be called as in training; afterwards nothing has changed.

    They stay in the mode they are in, because the doctor wants to see what the other player
    sees. Batch norm and spectral norm then update their buffers, which are put back. Gradients
    can be had, whatever the caller's loop has switched off.

    Args:
        networks: whose buffers are put back.
        seed: of torch's own random source meanwhile, which dropout draws from.
    """
    devices = {weight.device for network in networks for weight in network.parameters()}
    cuda = [device for device in devices if device.type == "cuda"]
    with buffers_kept(*networks), single_process(), torch.random.fork_rng(cuda), _plainly():
        torch.default_generator.manual_seed(seed)
        for device in cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """With gradients, and in the precision of the weights."""
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", enabled=False),
    ):
        yield

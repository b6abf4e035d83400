"""Work shared by several processes: real ones, or threads that play them.

Threads need no start of their own and see the modules of this process, planted mistakes
among them; what they leave out is torch's own way of bringing tensors from one to another.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import start_processes

from tests.processes import FORKED

Work = Callable[[Any], Any]


def by_threads(
    work: Work, shares: Sequence[Any] | Tensor, sent: list[int] | None = None
) -> list[Any]:
    """What `work(share)` returns in each process, in order of rank.

    Every message of the first process adds its bytes to `sent`.
    """
    me = threading.local()
    meeting = threading.Barrier(len(shares), timeout=20)
    brought: dict[int, Tensor] = {}

    def all_reduce(tensor: Tensor) -> None:
        brought[me.rank] = tensor.clone()
        if sent is not None and me.rank == 0:
            sent.append(tensor.nbytes)
        meeting.wait()
        tensor.copy_(torch.stack([brought[rank] for rank in range(len(shares))]).sum(0))
        meeting.wait()  # nobody brings the next one before all have taken this one

    def process(rank: int) -> Any:
        me.rank = rank
        try:
            return work(shares[rank])
        except BaseException:
            meeting.abort()
            raise

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(shares)) as pool:
        patch.setattr(dist, "is_initialized", lambda: True)
        patch.setattr(dist, "get_world_size", lambda: len(shares))
        patch.setattr(dist, "get_rank", lambda: me.rank)
        patch.setattr(dist, "all_reduce", all_reduce)
        return list(pool.map(process, range(len(shares))))


def by_processes(work: Work, shares: Sequence[Any], folder: Path) -> list[Any]:
    """The same by real processes that meet in `folder`; `work` is a function of a module."""
    start_processes(
        _process, (work, shares, str(folder)), len(shares), start_method=FORKED.get_start_method()
    )
    return [torch.load(folder / f"{rank}.pt") for rank in range(len(shares))]


def _process(rank: int, work: Work, shares: Sequence[Any], folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=len(shares)
    )
    torch.save(work(shares[rank]), f"{folder}/{rank}.pt")
    dist.destroy_process_group()

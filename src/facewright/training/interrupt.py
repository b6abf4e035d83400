"""Ctrl-C and `kill` ask the run to save and stop; they do not break it."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator

import torch
from lightning_fabric import Fabric

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stop_requests(fabric: Fabric) -> Iterator[Callable[[], bool]]:
    """Inside, SIGINT and SIGTERM only raise a flag.

    Yields:
        A function that says whether any process was asked to stop; all processes must
        call it together, and all get the same answer.
    """
    asked = threading.Event()

    def anyone_asked() -> bool:
        if fabric.world_size == 1:
            return asked.is_set()
        votes = torch.tensor(float(asked.is_set()), device=fabric.device)
        fabric.all_reduce(votes, reduce_op="sum")
        return bool(votes > 0)

    with _handling(lambda *_: asked.set()):
        yield anyone_asked


@contextlib.contextmanager
def passed_on_to_children() -> Iterator[Callable[[], bool]]:
    """Inside, SIGINT and SIGTERM go to the worker processes; this process waits for them.

    Yields:
        A function that says whether any such signal has come.
    """
    asked = threading.Event()

    def forward(number: int, _frame: object) -> None:
        asked.set()
        for child in multiprocessing.active_children():
            if child.pid is not None:
                os.kill(child.pid, number)

    with _handling(forward):
        yield asked.is_set


@contextlib.contextmanager
def _handling(handler: Callable[..., None]) -> Iterator[None]:
    # Python allows handlers in the main thread alone; elsewhere (a notebook's or an
    # app's thread) whoever owns the main thread decides.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)

"""Ctrl-C, `kill` and a closed terminal ask the run to save and stop; they do not break it."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import torch
from lightning_fabric import Fabric

HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
"""A terminal was closed, or a connection to it lost."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([HANGUP] if HANGUP else []))


PATIENCE = 0.5
"""Seconds between two votes: each takes a message, and on a GPU it waits for the device."""

SHORTEST = 1e-3
"""Seconds that a step takes at least."""


class StopVote:
    """Was any process asked to stop? All must ask together, and all get the same answer.

    With several processes the answer may come up to `PATIENCE` late, or one step.
    """

    def __init__(self, fabric: Fabric) -> None:
        self._fabric, self._asked = fabric, threading.Event()
        self._every, self._left, self._last = 1, 0, time.perf_counter()

    def ask(self) -> None:
        """Ask all processes to stop, from any one of them."""
        self._asked.set()

    def __call__(self) -> bool:
        """The answer."""
        if self._fabric.world_size == 1:
            return self._asked.is_set()
        if self._left > 0:
            self._left -= 1
            return False
        now = time.perf_counter()
        votes = torch.tensor(
            [float(self._asked.is_set()), (now - self._last) / self._every],
            device=self._fabric.device,
        )
        self._fabric.all_reduce(votes, reduce_op="mean")
        asked, seconds = votes.tolist()
        # The same in all processes, so that they vote together again.
        self._every = max(1, int(PATIENCE / max(seconds, SHORTEST)))
        self._left, self._last = self._every - 1, now
        return asked > 0


@contextlib.contextmanager
def stop_requests(fabric: Fabric) -> Iterator[StopVote]:
    """Inside, `SIGNALS` only raise a flag."""
    vote = StopVote(fabric)
    with _handling(lambda *_: vote.ask()):
        yield vote


@contextlib.contextmanager
def passed_on_to_children() -> Iterator[Callable[[], bool]]:
    """Inside, `SIGNALS` go to the worker processes; this process waits for them.

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
    before = {number: signal.signal(number, handler) for number in SIGNALS if _is_heard(number)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _is_heard(number: int) -> bool:
    """`nohup` has a closed terminal ignored, so that the work goes on."""
    return number != HANGUP or signal.getsignal(number) is not signal.SIG_IGN

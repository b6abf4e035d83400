"""A parallel map over worker processes that start clean, whatever starts them."""

import signal
import sys
import types
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from facewright.errors import DataError

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 2  # tasks given to each worker, so that it never waits for the next one


def parallel_map(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Generator[Result, None, None]:
    """`work` done on every task, in whatever order it is finished.

    Unlike `multiprocessing.Pool`, a worker that is killed ends the work with an error
    instead of waiting for it for ever, and workers do not run the caller's main program
    again, which may have no guard against that, or import torch.

    Args:
        work: picklable; each worker gets its own copy.
        tasks: drawn one by one, as workers become free.
        workers: processes; with 1 the work is done right here.

    Raises:
        DataError: a worker died.
        Exception: whatever `work` raised, raised again here.
    """
    if workers <= 1:
        yield from map(work, tasks)
        return
    with crew(work, workers) as connections:
        yield from _hand_out(iter(tasks), connections)


@contextmanager
def crew(work: Callable[[Any], Any], workers: int) -> Iterator[list[Connection]]:
    """Inside, so many processes wait for tasks; at the end they are gone, busy or not.

    Args:
        work: picklable; each worker gets its own copy.
        workers: processes.

    Yields:
        A connection to each. To each task sent it answers (True, result) or (False, error); that
        of a worker that was killed ends.
    """
    started = _start(work, workers)
    try:
        yield [connection for connection, _ in started]
    finally:
        for connection, process in started:
            connection.close()
            process.terminate()
        for _, process in started:
            process.join()


def _hand_out(tasks: Iterator[Any], crew: list[Connection]) -> Iterator[Any]:
    busy = {connection: 0 for connection in crew}

    def feed(connection: Connection) -> None:
        for task in tasks:
            connection.send(task)
            busy[connection] += 1
            return

    for _ in range(_AHEAD):
        for connection in crew:
            feed(connection)
    while any(busy.values()):
        for connection in wait([c for c, pending in busy.items() if pending]):
            assert isinstance(connection, Connection)
            try:
                done, value = connection.recv()
            except (EOFError, OSError):
                raise DataError(
                    "a worker process died",
                    expected="enough memory for each worker",
                    fix="--workers 1 shows the photo that it dies of",
                ) from None
            if not done:
                raise value
            busy[connection] -= 1
            feed(connection)
            yield value


def _start(work: Callable[[Any], Any], workers: int) -> list[tuple[Connection, BaseProcess]]:
    context = get_context("spawn")  # a fork would copy locks that other threads hold
    started = []
    with _without_main_program(), _interrupts_held_back():
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(work, theirs), daemon=True)
            process.start()
            theirs.close()
            started.append((ours, process))
    return started


def _serve(work: Callable[[Any], Any], connection: Connection) -> None:
    """A worker's life: it ends when the other end of the pipe does."""
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, work(task))
        except Exception as error:
            answer = (False, error)
        try:
            connection.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return


@contextmanager
def _without_main_program() -> Iterator[None]:
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C reaches the whole process group; workers inherit that it is not for them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It would be started with the first worker, and lets interrupts through again after that.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

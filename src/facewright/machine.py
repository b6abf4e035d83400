"""How many cores and how much memory this program may use."""

import contextlib
import os
from pathlib import Path

import psutil

CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says how much of the machine's memory a container may have."""


def cores() -> int:
    """Processor cores; a container may be given fewer than there are."""
    return len(_own_cores())


def busy_cores(seconds: float = 0.3) -> float:
    """How many of its cores other programs keep busy while this one sleeps for so long."""
    shares = psutil.cpu_percent(interval=seconds, percpu=True)
    return sum(share for core, share in enumerate(shares) if core in _own_cores()) / 100


def _own_cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def memory() -> int:
    """Bytes of memory, the machine's or what a container may have of it."""
    sizes = [psutil.virtual_memory().total]
    for limit in CONTAINER_LIMITS:
        with contextlib.suppress(ValueError, OSError):  # "max" is no limit
            sizes.append(int(limit.read_text(encoding="ascii")))
    return min(sizes)

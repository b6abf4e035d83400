"""What this program may have of the machine."""

import contextlib
import os
from pathlib import Path

CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says how much of the machine's memory a container may have."""


def cores() -> int:
    """Processor cores; a container may be given fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def busy_cores() -> float:
    """How many cores' work programs have wanted over the last minute; 0 if not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def memory() -> int | None:
    """Bytes of memory, the machine's or what a container may have of it; `None`: not known."""
    sizes = []
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in CONTAINER_LIMITS:
        with contextlib.suppress(ValueError, OSError):  # "max" is no limit
            sizes.append(int(limit.read_text(encoding="ascii")))
    return min(sizes, default=None)

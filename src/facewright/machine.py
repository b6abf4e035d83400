"""What the machine has."""

import os


def busy_cores() -> float:
    """How many cores' work programs have wanted over the last minute; 0 if not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def memory() -> int | None:
    """Bytes of memory, whoever uses them; `None` where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None

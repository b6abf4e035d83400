"""What the machine has."""

import os


def memory() -> int | None:
    """Bytes of memory, whoever uses them; `None` where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None

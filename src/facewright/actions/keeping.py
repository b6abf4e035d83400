"""Results that are kept beside a run where that is possible, and given to the user in any case."""

import logging
from collections.abc import Callable

from facewright.errors import of_the_system

log = logging.getLogger(__name__)


def kept(write: Callable[[], object], what: str, fix: str = "") -> bool:
    """Write something, or warn that it could not be: the run may lie on a read-only disk.

    Args:
        write: does it.
        what: is written, for the warning.
        fix: what to do; what helps against such an error in general if not given.

    Returns:
        Whether it was written.
    """
    try:
        write()
    except OSError as error:
        found = of_the_system(error)
        found.fix = fix or found.fix
        log.warning("%s not kept: %s", what, found)
        return False
    return True

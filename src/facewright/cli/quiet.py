"""How often something is said when nobody is watching: output goes to a file."""

import time

SECONDS = 30.0
"""Between two lines."""


class Quiet:
    """A while in which nothing is said; then another one begins."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def is_over(self) -> bool:
        """May something be said now?"""
        if time.monotonic() - self._since < SECONDS:
            return False
        self._since = time.monotonic()
        return True

"""Where Facewright keeps what it can get or compute again."""

import os
from pathlib import Path
from typing import Literal


def cache_folder(kind: Literal["downloads", "features", "weights"]) -> Path:
    """A folder for one kind of thing; nothing is made here.

    Returns:
        A subfolder of `$FACEWRIGHT_CACHE`, else of `$XDG_CACHE_HOME/facewright`, else of
        `~/.cache/facewright`.
    """
    if chosen := os.environ.get("FACEWRIGHT_CACHE"):
        return Path(chosen).expanduser() / kind
    everybody = os.environ.get("XDG_CACHE_HOME")
    return (Path(everybody) if everybody else Path.home() / ".cache") / "facewright" / kind

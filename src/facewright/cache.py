"""Where Facewright caches what it can download or compute again."""

import os
from pathlib import Path
from typing import Literal


def cache_folder(kind: Literal["downloads", "features", "weights", "faults"]) -> Path:
    """A folder for one kind of thing; it is not created here.

    Returns:
        A subfolder of `$FACEWRIGHT_CACHE`, else of `$XDG_CACHE_HOME/facewright`, else of
        `~/.cache/facewright`.
    """
    if chosen := os.environ.get("FACEWRIGHT_CACHE"):
        return Path(chosen).expanduser() / kind
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "facewright" / kind

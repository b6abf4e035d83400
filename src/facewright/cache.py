"""Where Facewright caches what it can download or compute again."""

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Literal


def cache_folder(kind: Literal["downloads", "features", "weights", "faults"]) -> Path:
    """A folder for one kind of thing; it is not created here.

    Returns:
        A subfolder of `$FACEWRIGHT_CACHE`, else of `$XDG_CACHE_HOME/facewright`, else of
        `~/.cache/facewright`, else, for a user without a home, of one in the system's folder for
        temporary files.
    """
    if chosen := os.environ.get("FACEWRIGHT_CACHE"):
        return Path(chosen).expanduser() / kind
    shared = os.environ.get("XDG_CACHE_HOME")
    if shared:
        return Path(shared) / "facewright" / kind
    home = os.path.expanduser("~")
    # A number without a name, as containers give it, has no home.
    nobodys = Path(gettempdir()) / f"facewright-cache-{os.getuid()}" if home == "~" else None
    return (nobodys or Path(home) / ".cache" / "facewright") / kind

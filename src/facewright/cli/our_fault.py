"""What nobody foresaw: said as our fault, with the details in a file."""

import platform
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import join

from facewright import __version__
from facewright.cache import cache_folder
from facewright.errors import FacewrightError


def our_fault(error: BaseException, words: Sequence[str]) -> FacewrightError:
    """An exception of any kind as found, expected and try.

    Args:
        error: what ended the command.
        words: that were typed, after `facewright`.

    Returns:
        What to say. The traceback stands in a file of the cache, or, where that cannot be
        written, of the system's folder for temporary files.
    """
    lines = str(error).splitlines()
    found = ": ".join([type(error).__name__, *lines[:1]])
    details = "\n".join(
        [
            f"facewright {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: facewright {join(words)}",
            "",
            *traceback.format_exception(error),
        ]
    )
    file = _kept(details)
    return FacewrightError(
        f"a fault of Facewright itself: {found}"[:300],
        expected="a result, or words that say what to mend",
        fix=f"report it with {file}"
        if file
        else "report it with these lines; its details could not be kept in a file",
    )


def _kept(details: str) -> Path | None:
    name = f"fault-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.txt"
    for folder in (cache_folder("faults"), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(details, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    return None

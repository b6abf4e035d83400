"""Models by name: those that come with Facewright, and bundles in files."""

from pathlib import Path

from facewright.errors import RunError, nearest
from facewright.models.bundle import SUFFIX

BUNDLED = Path(__file__).parents[1] / "bundles"


def bundled_names() -> list[str]:
    """Every model that comes with Facewright."""
    return sorted(path.stem for path in BUNDLED.glob(f"*{SUFFIX}"))


def bundle_path(model: Path) -> Path | None:
    """The file of the bundle that a user means; `None` if it is something else.

    A file or folder of that name comes first, then the bundled models.
    """
    if model.suffix == SUFFIX:
        return model
    if not model.exists() and str(model) in bundled_names():
        return BUNDLED / f"{model}{SUFFIX}"
    return None


def is_bundled(bundle: Path) -> bool:
    """Does this file, which may be about to be written, lie among those that come with us?"""
    return bundle.resolve().parent == BUNDLED.resolve()


def refuse_unknown(model: Path) -> None:
    """A name that stands for nothing.

    Raises:
        RunError: neither a place nor a bundled model.
    """
    if (bundle_path(model) or model).exists():
        return
    names = bundled_names()
    bundled = f", or a bundled model: {nearest(str(model), names)}" if names else ""
    raise RunError(
        f"{model} does not exist",
        expected=f"a run folder, a bundle (NAME{SUFFIX}), images{bundled}",
        fix="facewright runs",
    )

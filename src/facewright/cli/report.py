"""How a written report is announced."""

from facewright.actions.report import Report
from facewright.reporting.words import duration


def shown(made: Report) -> str:
    """The status of the run, and the files."""
    files = str(made.page) if made.csv is None else f"{made.page} and {made.csv}"
    return (
        f"{made.status} after {made.images_seen:,} images and {duration(made.seconds)} "
        f"({made.images_per_second:,.0f} images/s)\n{files}"
    )

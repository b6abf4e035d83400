"""What a person sees while features are computed, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facewright.cli.quiet import Quiet
from facewright.metrics.image_set import Progress as Tell


@contextmanager
def feature_progress() -> Iterator[Tell]:
    """A bar for each set of images and network; a line now and then when nobody is watching."""
    console, quiet = Console(stderr=True, highlight=False, soft_wrap=True), Quiet()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bars:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.advance(tasks[what], done)
            if not console.is_terminal and quiet.is_over():
                now = bars.tasks[tasks[what]].completed
                console.print(f"{what}: {now:,.0f} of {total:,}")

        yield tell

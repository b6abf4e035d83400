"""What a person sees while an action works, on standard error."""

import time
from datetime import timedelta

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from facewright.actions import events
from facewright.actions.events import Event, Found, Note, Sampled
from facewright.cli.console import SafeConsole

QUIET_SECONDS = 30.0
"""Between two lines of progress where no terminal is there to draw a bar on."""


class Reporter:
    """Prints notes and findings, and draws one bar for each part of the work.

    Bars appear with the first progress and go when their work is over. Each process of a
    training has its own reporter, so one that is pickled begins anew.
    """

    def __init__(self) -> None:
        self.console = SafeConsole(stderr=True)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._spoke = time.monotonic()

    def __reduce__(self) -> tuple[object, ...]:
        return Reporter, ()

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Note():
                self.console.print(Text(event.text))
            case Found():
                self.console.print(_in_words(event))
            case events.Progress():
                self._show(event)
            case Sampled():
                pass

    def _show(self, event: events.Progress) -> None:
        if event.is_over:
            self._stop()
        elif self.console.is_terminal:
            self._draw(event)
        elif time.monotonic() - self._spoke >= QUIET_SECONDS:
            self._spoke = time.monotonic()
            line = f"{event.what}: {event.done:,} of {event.total:,}"
            self.console.print(Text(", ".join([line, *_numbers(event)])))

    def _draw(self, event: events.Progress) -> None:
        if self._bars is None:
            named, told = (
                TextColumn(f"{{task.{field}}}", markup=False)
                for field in ("description", "fields[numbers]")
            )
            columns = (named, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), told)
            self._bars = Progress(*columns, console=self.console)
            self._bars.start()
        if event.what not in self._tasks:
            task = self._bars.add_task(event.what, total=event.total, numbers="")
            self._tasks[event.what] = task
        numbers = ", ".join(_numbers(event))
        self._bars.update(self._tasks[event.what], completed=event.done, numbers=numbers)

    def _stop(self) -> None:
        """Also gives the cursor back to the terminal."""
        if self._bars is not None:
            self._bars.stop()
        self._bars, self._tasks = None, {}


def _numbers(event: events.Progress) -> list[str]:
    """Speed, time left and losses, where they are known."""
    words, numbers = [], event.numbers
    if speed := numbers.get("images_per_second"):
        # The last step may show a few images more than were asked for.
        left = timedelta(seconds=int(max(event.total - event.done, 0) / speed))
        words += [f"{speed:,.0f} images/s", f"{left} left"]
    losses = {"D": numbers.get("d_loss"), "G": numbers.get("g_loss")}
    return words + [f"{name} loss {loss:.3f}" for name, loss in losses.items() if loss is not None]


def _in_words(event: Found) -> Text:
    found = event.finding
    if found.grade == "watch":
        return Text(f"doctor, {found.images_seen:,} images: to watch: {found.message}")
    return Text.assemble(
        ("doctor", "bold"),
        f", {found.images_seen:,} images: {found.verdict}: {found.message} "
        f"(since {found.first_seen_images:,})\n  try: {found.remedy}",
    )

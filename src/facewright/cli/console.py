"""Where everything that people read is written, without what a terminal would obey."""

import logging
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from facewright.text import printable


class SafeConsole(Console):
    """Writes text as it stands: control characters and markup in it have no power."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Colours and cursor movements are rich's own; what stands in the text is not."""
        for part in super().render(renderable, options):
            yield part if part.control else part._replace(text=printable(part.text, lines=True))


def say(text: object) -> None:
    """Tell something on standard error."""
    print(f"facewright: {printable(str(text), lines=True)}", file=sys.stderr)


def show_warnings() -> None:
    """Warnings of any part go to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Harmless("facewright: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _Harmless(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), lines=True)

"""HTML in which recorded text can never become code."""

import html
from collections.abc import Iterable, Sequence

from facewright.reporting.words import number
from facewright.text import printable


class Html(str):
    """Text that is HTML already; all other text is escaped where it enters the page."""

    __slots__ = ()


def safe(value: object) -> Html:
    """Any value as HTML that shows it."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(printable(number(value), lines=True)))


def joined(parts: Iterable[Html]) -> Html:
    """Pieces of HTML, one after the other."""
    return Html("\n".join(parts))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """A table; columns in which a number stands are aligned to the right.

    Args:
        caption: what it shows, for those who hear the page instead of seeing it.
        head: one name for each column.
        rows: at least one; cells of any type, as many as there are names.
    """
    columns = zip(*rows, strict=True)
    kinds = [" class=number" if any(map(_is_number, column)) else "" for column in columns]
    names = joined(
        Html(f"<th scope='col'{kind}>{safe(name)}</th>")
        for name, kind in zip(head, kinds, strict=True)
    )
    body = joined(Html(f"<tr>{_cells(head, row, kinds)}</tr>") for row in rows)
    return Html(
        f"<div class='scroll' role='region' aria-label='{safe(caption)}' tabindex='0'>"
        f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def pairs(items: Iterable[tuple[str, object]]) -> Html:
    """A list of names with their values."""
    rows = joined(Html(f"<div><dt>{safe(k)}</dt><dd>{safe(v)}</dd></div>") for k, v in items)
    return Html(f"<dl class='pairs'>{rows}</dl>")


def folded(title: str, body: Html) -> Html:
    """What only some readers want to see, behind its title."""
    return Html(f"<details class='aside'><summary>{safe(title)}</summary>{body}</details>")


def _cells(head: Sequence[str], values: Sequence[object], kinds: Sequence[str]) -> Html:
    """Each with the name of its column, which narrow screens show beside it."""
    return joined(
        Html(f"<td{kind} data-name='{safe(name)}'>{safe(value)}</td>")
        for name, value, kind in zip(head, values, kinds, strict=True)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Numbers as people read them."""

import math


def short_count(count: float) -> str:
    """A count in at most four characters and a letter: "850", "64k", "1.62M"."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"


def duration(seconds: float) -> str:
    """A length of time to two units: "38 s", "24 min", "1 h 12 min", "3 days 4 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def number(value: object) -> str:
    """A setting or a measurement: whole numbers with separators, others to four digits.

    Of a list all of them, or "none".
    """
    if isinstance(value, list | tuple):
        return " · ".join(map(number, value)) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if math.isfinite(value) and value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.4g}"

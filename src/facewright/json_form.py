"""How Facewright writes JSON, which knows neither infinity nor NaN: as "inf", "-inf" and "nan"."""

import json
import math
from collections.abc import Mapping
from typing import Any

NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def plain(value: Any) -> Any:
    """The same value with every number that is not finite as a word, at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def restored(value: Any) -> Any:
    """What `plain` was given, from what it returned."""
    if isinstance(value, str):
        return NOT_FINITE.get(value, value)
    if isinstance(value, Mapping):
        return {name: restored(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [restored(one) for one in value]
    return value


def dumps(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that every reader accepts."""
    return json.dumps(plain(value), indent=indent, allow_nan=False)

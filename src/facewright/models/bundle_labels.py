"""The labels that a model goes by, as anybody may have written them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from facewright.conditions import LONGEST, MOST_COMBINATIONS, Conditioning, Label
from facewright.schema import BUNDLE, Wording, parsed

MOST_PHOTOS = 2**53
"""Of which a file may speak: whole numbers that every reader of JSON takes for what they are."""


@dataclass(frozen=True)
class _Table:
    """What `Conditioning.as_json` writes."""

    labels: tuple[Label, ...]
    combinations: tuple[Any, ...]  # millions of values, perhaps: checked all at once
    counts: tuple[int, ...]


def conditioning_in(value: Any, place: str, wording: Wording = BUNDLE) -> Conditioning:
    """Labels, and how often photos have which together, everything in them checked.

    Args:
        value: as JSON gives it.
        place: where it stands, for the message.
        wording: of the message.

    Raises:
        FacewrightError: of the kind that `wording` names: fields of other types, or numbers
            that do not fit together.
    """
    table = parsed(_Table, value, place, wording)
    labels, rows, counts = table.labels, table.combinations, table.counts

    def refuse_unless(fine: bool, what: str, expected: str) -> None:
        if not fine:
            raise wording.refusal(f"{place}.{what}", expected)

    names = [label.name for label in labels]
    lists = (names, *(label.words for label in labels))
    different = all(len(set(words)) == len(words) for words in lists)
    refuse_unless(
        bool(labels) and different and not any("=" in name for name in names),
        f"labels: {names}"[:80],
        "at least one, each label and class once, no name with '='",
    )
    size = sum(label.size for label in labels)
    refuse_unless(size <= LONGEST, f"labels: {size:,} classes", f"{LONGEST:,} at most")
    refuse_unless(
        0 < len(rows) == len(counts) <= MOST_COMBINATIONS,
        f"combinations: {len(rows):,} with {len(counts):,} counts",
        f"1 to {MOST_COMBINATIONS:,}, with as many counts",
    )
    ends = [len(label.words) for label in labels]
    known = all(_is_row(row, ends) for row in rows)
    refuse_unless(known, "combinations", f"{len(labels)} values of labels, or null, in each")
    possible = min(counts) > 0 and sum(counts) <= MOST_PHOTOS
    refuse_unless(possible, "counts", "photos with each combination, at least one")
    return Conditioning.of_rows(labels, rows, counts)


def _is_row(row: Any, ends: Sequence[int]) -> bool:
    """Has it one value, or none, for each label?

    Args:
        row: as JSON gives it.
        ends: what the values of each label stay below.
    """
    return (
        type(row) is list
        and len(row) == len(ends)
        and all(
            value is None or (type(value) is int and 0 <= value < end)
            for value, end in zip(row, ends, strict=True)
        )
    )

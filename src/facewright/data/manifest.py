"""The manifest of a store: where its photos came from and what was done to them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from facewright.data.crops import RESIZE
from facewright.data.duplicates import NEAR
from facewright.data.sources.source import SetAside, Source
from facewright.data.split import RULE, Groups
from facewright.data.store import DAMAGED, FORMAT, Store
from facewright.schema import parsed
from facewright.text import printable

_GROUPS_LISTED, _NAMES_LISTED = 1000, 20


@dataclass(frozen=True)
class Told:
    """What a manifest tells of the photos besides their number, if its version told it.

    Args:
        quarantined: files that could not be used.
        notes: sentences.
    """

    quarantined: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()


def told_by(store: Store) -> Told:
    """What the manifest of a store tells of its photos.

    Raises:
        DataError: it tells that in another form.
    """
    manifest, place = store.manifest, str(store.path / "manifest.json")
    entries = {key: manifest[key] for key in ("quarantined", "notes") if key in manifest}
    return parsed(Told, entries, place, DAMAGED)


def source_entries(source: Source) -> dict[str, Any]:
    """The part of the manifest that speaks of the source."""
    return {
        # The path to it may name a person or a server; the last part identifies it.
        "source": {"kind": source.kind, "name": printable(source.place)},
        "licence": source.licence,
        "labels": [column.as_json() for column in source.labels.columns],
    }


def enlarged_notes(enlarged: np.ndarray, names: list[str], kind: str) -> list[str]:
    """A sentence on pictures for which the photos have too few pixels, if there are any.

    Args:
        enlarged: how much each picture was enlarged, see `Cut`.
        names: of the pictures.
        kind: what the pictures show, "faces" or "pictures".
    """
    if not (number := int((enlarged > 1).sum())):
        return []
    return [
        f"{number:,} of {len(enlarged):,} {kind} have fewer pixels than --size and are enlarged, "
        f"at most {enlarged.max():.2f} times ({names[enlarged.argmax()]}); --enlarge refuse leaves "
        "them out"
    ]


def duplicate_entries(groups: Groups, names: list[str], dropped: int) -> dict[str, Any]:
    """Copies and near twins: exact counts, and lists that are cut where they grow long.

    Args:
        groups: of the usable photos.
        names: of the usable photos.
        dropped: how many photos `--dedupe` left out.
    """
    exact = _members(groups.exact)
    near = [g for g in _members(groups.near) if len(np.unique(groups.exact[g])) > 1]
    return {
        "exact_copies": sum(len(group) - 1 for group in exact),
        "exact_groups": len(exact),
        "near_groups": len(near),
        "near_photos": sum(len(group) for group in near),
        "in_chains": int(groups.in_chain.sum()),
        "near_rule": f"64-bit difference hashes of the whole photo, {NEAR} bits or less apart",
        "dropped": dropped,
        "exact": _named(exact, names),
        "near": _named(near, names),
    }


def set_aside_entries(set_aside: list[SetAside]) -> list[dict[str, str]]:
    """Every file that could not be used, with its reason, and what else is known."""
    return [
        {"name": printable(entry.name), "reason": entry.reason}
        | ({"detail": printable(entry.detail)} if entry.detail else {})
        for entry in set_aside
    ]


def write_manifest(path: Path, entries: dict[str, Any]) -> None:
    """Write the manifest; `entries` follow what is the same for every store."""
    manifest = {
        "format": FORMAT,
        "facewright": version("facewright"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "resize_filter": RESIZE,
        "split_rule": RULE,
        **entries,
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _members(group: np.ndarray) -> list[np.ndarray]:
    """The groups of two and more, as sorted indices."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order])) + 1
    return [members for members in np.split(order, starts) if len(members) > 1]


def _named(groups: list[np.ndarray], names: list[str]) -> list[list[str]]:
    return [[printable(names[i]) for i in g[:_NAMES_LISTED]] for g in groups[:_GROUPS_LISTED]]

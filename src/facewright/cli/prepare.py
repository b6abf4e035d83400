"""How a new store is announced."""

from rich.text import Text

from facewright.actions.look import Looked
from facewright.actions.prepare import Prepared


def shown(made: Prepared) -> Text:
    """Counts, sizes, speed and labels, and what to look at."""
    labels = f"\nlabels of the photos: {', '.join(made.labels)}" if made.labels else ""
    return Text(  # without markup: a path may hold brackets
        f"{contents(made)}, in {made.seconds:.1f} s "
        f"({made.images / made.seconds:,.0f} images/s){labels}\n"
        f"look at this first: {made.preview}"
    )


def contents(made: Prepared | Looked) -> str:
    """How many pictures a store has, and of what size."""
    manifest = made.store.manifest
    counts, (height, width) = manifest["counts"], manifest["size"]
    return (
        f"{made.store.path}: {counts['train']:,} photos to train on and {counts['val']:,} held "
        f"out, {height}x{width}x{manifest['channels']}"
    )

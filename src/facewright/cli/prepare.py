"""How a new store is announced."""

from rich.text import Text

from facewright.actions.prepare import Prepared


def shown(made: Prepared) -> Text:
    """Counts, sizes, speed and labels."""
    counts = made.store.manifest["counts"]
    height, width = made.store.manifest["size"]
    labels = f"\nlabels of the photos: {', '.join(made.labels)}" if made.labels else ""
    return Text(  # without markup: a path may hold brackets
        f"{made.store.path}: {counts['train']:,} photos to train on and {counts['val']:,} "
        f"held out, {height}x{width}x{made.store.manifest['channels']}, "
        f"in {made.seconds:.1f} s ({made.images / made.seconds:,.0f} images/s){labels}"
    )

"""How generated images are announced."""

from rich.text import Text

from facewright.actions.generate import Generated


def shown(made: Generated) -> Text:
    """Where the images are, and what made them."""
    requested = [f"{name}={value}" for name, value in made.labels.items() if value is not None]
    return Text(
        f"{made.count} image{'s' if made.count > 1 else ''} of {made.size[0]}x{made.size[1]}"
        f"{' with ' if requested else ''}{', '.join(requested)} in {made.out} ({made.model}, "
        f"{made.images_seen:,} images seen)"
    )

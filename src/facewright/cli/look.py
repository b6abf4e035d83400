"""How a sheet of a store is announced."""

from rich.text import Text

from facewright.actions.look import Looked
from facewright.cli.prepare import contents


def shown(looked: Looked) -> Text:
    """Where the sheet is, and what the store holds."""
    lines = [f"look at this: {looked.sheet}", contents(looked), *looked.remarks]
    return Text("\n".join(lines))

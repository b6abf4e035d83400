"""How an audit is shown."""

from rich.console import Group
from rich.text import Text

from facewright.actions.audit import Audited


def shown(found: Audited) -> Group:
    """The verdict, and where the closest pairs can be looked at."""
    where = (
        f"the {len(found.audit.pairs)} closest pairs: {found.sheet}\n"
        "generated left, photo right (m: mirrored); the number is the distance over that to "
        "other photos, copies are below 0.5. It shows photos: not for publication."
    )
    return Group(found.audit, Text(where if found.sheet else "no sheet of pairs: --out FILE.png"))

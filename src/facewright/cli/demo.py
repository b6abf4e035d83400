"""How the results of the demo are shown."""

from importlib.util import find_spec

from rich.console import Group
from rich.text import Text

from facewright.actions.demo import Demonstrated
from facewright.cli.evaluate import scores


def shown(made: Demonstrated) -> Group:
    """The verdict, the scores, the files, and what to type next."""
    found = made.diagnosed.diagnosis
    return Group(
        f"done in {made.seconds / 60:.1f} minutes",
        Text(f"the doctor:      {found.verdict}: {found.message}"),
        *(Text(f"the score:       {line}") for line in scores(made.scores)),
        Text(f"generated faces: {made.sheet}"),
        Text(f"report, curves:  {made.page}"),
        "next: facewright prepare PHOTOS --out stores/mine --size 28"
        + (" --crop face" if find_spec("retinaface") else ""),
    )

"""How an audit is shown."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from facewright.actions.audit import Audited
from facewright.metrics.audit_result import Audit, SpaceAudit, Verdict

COLOURS: dict[Verdict, str] = {
    "copies found": "red",
    "no sign of copying": "green",
    "cannot tell": "yellow",
}

NEXT: dict[Verdict, str] = {
    "copies found": (
        "What to do: look at the sheet of pairs. Do not publish the model or its images: they "
        "show people from your photos. Then drop near copies (facewright prepare --dedupe near), "
        "train on more photos or for a shorter time, and audit again."
    ),
    "no sign of copying": (
        "This is no proof. Look at the sheet of pairs all the same: rarer copies, and copies "
        "that were shifted, cropped or redrawn, can escape every test here."
    ),
    "cannot tell": (
        "What to do: look at the sheet of pairs. More generated images (--count) and more "
        "held-out photos (facewright prepare --val-fraction) make the tests sharper."
    ),
}


def shown(found: Audited) -> Group:
    """The verdict, and where the closest pairs can be looked at."""
    where = (
        f"the {len(found.audit.pairs)} closest pairs: {found.sheet}\n"
        "generated left, photo right (m: mirrored); the number is the distance over that to "
        "other photos, copies are below 0.5. It shows photos: not for publication."
    )
    return Group(
        _evidence(found.audit), Text(where if found.sheet else "no sheet of pairs: --out FILE.png")
    )


def _evidence(found: Audit) -> Group:
    counts = (
        f"{found.n_fake:,} generated images against {found.n_train:,} training photos; "
        f"{found.n_val:,} held-out photos show what is normal"
    )
    return Group(
        Text(found.verdict, style=f"bold {COLOURS[found.verdict]}"),
        *map(Text, found.reasons),
        Text(),
        Text(counts, style="dim"),
        *(_table(name, space) for name, space in found.spaces.items()),
        Text(),
        Text(NEXT[found.verdict]),
    )


def _table(name: str, space: SpaceAudit) -> Table:
    """The evidence of one space."""
    table = Table(title=f"\nIn {name}", title_justify="left", title_style="bold", box=None)
    table.add_column("")
    table.add_column("generated", justify="right")
    table.add_column("held out", justify="right")
    table.add_column("copying shows as")
    shares = {
        "far closer to one photo than to others": (space.calibrated, "more than held out"),
        "among the closest of all": (space.closest_tail, "more than held out"),
        "authentic": (space.authenticity, "less than held out"),
    }
    for row, (share, sign) in shares.items():
        table.add_row(row, f"{share.fake.value:.1%}", f"{share.val.value:.1%}", sign)
    average = space.copying.average.value
    table.add_row("data-copying test C_T", f"{average:.1f}", "0.0", "below -3, if not blurred")
    for share, ratio in space.quantile_ratios.items():
        value = "-" if ratio is None else f"{ratio.value:.2f}"
        table.add_row(f"distance to nearest, closest {share:.0%}", value, "1.00", "well below 1")
    return table

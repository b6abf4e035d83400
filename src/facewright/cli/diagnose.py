"""How the doctor's verdict is shown."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from facewright.actions.diagnose import Diagnosed
from facewright.doctor.checks import CHECKS
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.finding import Finding


def shown(diagnosed: Diagnosed) -> Group:
    """The verdict, every finding, and what each check answers at the end."""
    found = diagnosed.diagnosis
    said = f": {found.message}, at {found.images_seen:,} {diagnosed.unit}"
    notes = [
        f"changed at {row['images_seen']:,} images: {', '.join(row['changed'])}"
        for row in diagnosed.remedies
    ]
    if diagnosed.log:
        columns = (f"{kind} is '{name}'" for kind, name in diagnosed.log.columns.items())
        notes += [f"columns: {', '.join(columns)}", f"game: {diagnosed.log.history.game.name}"]
    notes += [_paragraph(finding, diagnosed.unit) for finding in found.findings]
    return Group(Text.assemble((found.verdict, "bold"), said), *map(Text, notes), _table(found))


def _paragraph(finding: Finding, unit: str) -> str:
    state = "" if finding.active else f", gone after {finding.images_seen:,}"
    looks = "1 look" if finding.looks == 1 else f"{finding.looks} looks in a row"
    is_problem = finding.grade == "problem"
    name, advice = (finding.verdict, "try:  ") if is_problem else ("to watch", "helps:")
    return (
        f"\n{finding.code} {name}, since {finding.first_seen_images:,} {unit}{state}\n"
        f"  seen:   {finding.message} ({looks})\n"
        f"  {advice}  {finding.remedy}\n"
        f"  source: {finding.source}"
    )


def _table(found: Diagnosis) -> Table:
    table = Table("check", "asks", "answer", title="\nAll checks, at the end", title_justify="left")
    for check in CHECKS:
        assessment = found.assessments.get(check.code)
        if assessment is not None:
            words = "" if assessment.level == "ok" else f"{assessment.level}: "
            table.add_row(check.code, check.title, Text(f"{words}{assessment.message}"))
    return table

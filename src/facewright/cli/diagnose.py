"""How the doctor's verdict is shown."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from facewright.actions.diagnose import Diagnosed
from facewright.doctor.checks import CHECKS
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.finding import Finding


def shown(diagnosed: Diagnosed) -> Group:
    """The verdict, every finding, and what each check answers at the end."""
    found = diagnosed.diagnosis
    said = f": {found.message}, at {found.images_seen:,} images"
    changed = [
        f"changed at {row['images_seen']:,} images: {', '.join(row['changed'])}"
        for row in diagnosed.remedies
    ]
    parts: list[RenderableType] = [Text.assemble((found.verdict, "bold"), said)]
    parts += [Text(line) for line in (*changed, *map(_paragraph, found.findings))]
    return Group(*parts, _table(found))


def _paragraph(finding: Finding) -> str:
    state = "" if finding.active else f", gone after {finding.images_seen:,}"
    looks = "1 look" if finding.looks == 1 else f"{finding.looks} looks in a row"
    is_problem = finding.grade == "problem"
    name, advice = (finding.verdict, "try:  ") if is_problem else ("to watch", "helps:")
    return (
        f"\n{finding.code} {name}, since {finding.first_seen_images:,} images{state}\n"
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

"""`facewright diagnose`: what is wrong with a training, and what to do about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Group
from rich.table import Table

from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.diagnose import diagnose as examine
from facewright.doctor.finding import Finding
from facewright.doctor.recorded import history_of
from facewright.doctor.table import CHECKS
from facewright.records.history import RunHistory


@dataclass(frozen=True)
class Diagnosed:
    """The verdict on a run."""

    run: Path
    diagnosis: Diagnosis
    remedies: list[dict[str, Any]]
    """Settings that were changed on the way."""

    @property
    def exit_status(self) -> int:
        """1 when a problem was found."""
        return int(self.diagnosis.grade == "problem")

    def as_json(self) -> dict[str, Any]:
        """The verdict with all findings."""
        return {"run": str(self.run), **self.diagnosis.as_json(), "remedies": self.remedies}

    def __rich__(self) -> Group:
        found = self.diagnosis
        head = f"[bold]{found.verdict}[/bold]: {found.message}, at {found.images_seen:,} images"
        changed = [
            f"changed at {row['images_seen']:,} images: {', '.join(row['changed'])}"
            for row in self.remedies
        ]
        parts: list[Any] = [head, *changed, *map(_paragraph, found.findings), _table(found)]
        return Group(*parts)


def diagnose(run: Annotated[Path, tyro.conf.Positional]) -> Diagnosed:
    """Look for known failures in a training: verdict, evidence, since when, remedy.

    The run may still be training. The checks are those that watch a training live.
    Exit status: 0 nothing is wrong (or something is to be watched, or nothing gets better any
    more, or it is too early to tell); 1 a problem was found.

    Args:
        run: run folder.

    Raises:
        RunError: no run there, or its records are damaged.
    """
    history = RunHistory.read(run)
    return Diagnosed(run, examine(history_of(history)), history.remedies)


def _paragraph(finding: Finding) -> str:
    state = "" if finding.active else f", gone after {finding.images_seen:,}"
    is_problem = finding.grade == "problem"
    name, advice = (finding.verdict, "try:  ") if is_problem else ("to watch", "helps:")
    return (
        f"\n{finding.code} {name}, since {finding.first_seen_images:,} images{state}\n"
        f"  seen:   {finding.message} ({finding.looks} looks in a row)\n"
        f"  {advice}  {finding.remedy}\n"
        f"  source: {finding.source}"
    )


def _table(found: Diagnosis) -> Table:
    table = Table("check", "asks", "answer", title="\nAll checks, at the end", title_justify="left")
    for check in CHECKS:
        opinion = found.opinions.get(check.code)
        if opinion is not None:
            words = "" if opinion.level == "ok" else f"{opinion.level}: "
            table.add_row(check.code, check.title, f"{words}{opinion.message}")
    return table

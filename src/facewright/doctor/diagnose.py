"""From what is known of a training to a verdict: the same live and afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from facewright.doctor.checks import CHECKS, OF_OTHER_LOOPS
from facewright.doctor.finding import HARMLESS, Assessment, Check, Finding, Grade, Level, Verdict
from facewright.doctor.history import SHORT, History

GRACE_STEPS = 200
"""Steps in which only numbers that are not finite count: every training begins oddly."""
MOMENTS = SHORT
"""Steps between two moments where no snapshots were taken, at least."""
MOST_MOMENTS = 2_000
"""Of which there are no more, however long the training."""
NOT_WITHOUT = frozenset({"MC01", "NC02"})
"""Checks without which no training can be called healthy."""
IN_A_ROW = 2
"""Moments at which a check must see a problem before it counts, or something to watch."""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, if anything.

    Args:
        verdict: of the problem that is there now and explains the others, or `healthy`;
            `not-applicable` when there is too little to go by.
        message: the verdict in a sentence.
        findings: all problems and all that was to be watched, also those that have passed; of
            the most serious check first.
        assessments: of every check at the last moment, by code.
        images_seen: at that moment.
    """

    verdict: Verdict
    message: str
    findings: Sequence[Finding]
    assessments: dict[str, Assessment]
    images_seen: int

    @property
    def grade(self) -> Grade:
        """How bad it is: `watch` is worth knowing, and no problem."""
        if self.verdict not in HARMLESS:
            return "problem"
        watched = any(finding.active for finding in self.findings)
        return "watch" if watched or self.verdict != "healthy" else "ok"

    def as_json(self) -> dict[str, Any]:
        """The fields of contract.md, and what could not be told."""
        return {
            "verdict": self.verdict,
            "grade": self.grade,
            "message": self.message,
            "findings": [finding.as_json() for finding in self.findings],
            "cannot_tell": {
                code: assessment.message
                for code, assessment in self.assessments.items()
                if assessment.level == "cannot tell"
            },
            "images_seen": self.images_seen,
        }


class Examination:
    """Every check at every moment, one moment after the other.

    Args:
        checks: the most serious first.
    """

    def __init__(self, checks: Sequence[Check] = CHECKS) -> None:
        self.checks = checks
        self._assessments: dict[str, list[Assessment]] = {check.code: [] for check in checks}
        self._times: dict[str, list[int]] = {check.code: [] for check in checks}
        self._looks: list[int] = []
        self._n_steps = self._images_seen = 0
        self._has_looked = False

    def look(self, moment: History, *, only_at_once: bool = False) -> None:
        """Let the checks look at the last moment of a history.

        Args:
            moment: all that is known by then.
            only_at_once: no new snapshot is there, so that checks that must see a problem
                twice would see the same thing again.
        """
        self._n_steps, self._images_seen = moment.n_steps, moment.images_seen
        self._has_looked = bool(moment.snapshots)
        if not only_at_once:
            self._looks.append(moment.images_seen)
        for check in self.checks:
            if only_at_once and not check.at_once:
                continue
            reason = "" if check.at_once else _too_early(moment)
            assessment = Assessment("cannot tell", reason) if reason else check.examine(moment)
            self._assessments[check.code].append(assessment)
            self._times[check.code].append(moment.images_seen)

    def findings(self) -> list[Finding]:
        """All problems so far and all that was to be watched, of the most serious check first."""
        return [finding for check in self.checks for finding in self._stretches(check)]

    def diagnosis(self) -> Diagnosis:
        """What is to be thought of it all."""
        findings = self.findings()
        last = {code: trail[-1] for code, trail in self._assessments.items() if trail}
        active = [finding for finding in findings if finding.active]
        # A plateau is a verdict that does no harm; other things to watch give none.
        cause = self._cause([f for f in active if f.grade == "problem" or f.verdict in HARMLESS])
        once = [check.verdict for check in self.checks if _is_problem(last.get(check.code))]
        if cause:
            verdict, message = cause.verdict, cause.message
        elif self._n_steps < GRACE_STEPS:
            verdict = "not-applicable"
            message = f"{self._n_steps} steps are too few to judge; {GRACE_STEPS} are needed"
        elif {code for code, o in last.items() if o.level == "cannot tell"} >= NOT_WITHOUT:
            verdict = "not-applicable"
            message = "the losses show no failure; too few looks at the images to say more"
            if not self._has_looked:
                message = (
                    "the losses show no failure; they cannot show whether images repeat "
                    "themselves, get better or are any good"
                )
            if once:
                message = (
                    f"too few looks to judge: only the last look saw {once[0]}, and a finding "
                    "needs two"
                )
        else:
            verdict, message = "healthy", "no known failure is there"
            if once:
                message = (
                    f"no known failure is confirmed: only the last look saw {once[0]}, and a "
                    "finding needs two looks in a row"
                )
            for finding in active:
                message += f"; to watch: {finding.message}"
        return Diagnosis(verdict, message, findings, last, self._images_seen)

    def _cause(self, active: Sequence[Finding]) -> Finding | None:
        """Which of the problems that are there now explains the others?

        Numbers that run away, whenever they began to. Otherwise the one that began first, as
        what comes later is likely to follow from it; of those that began within two looks of
        each other, which is how well beginnings are known, the most serious.

        Args:
            active: problems, the most serious first.
        """
        urgent = {check.code for check in self.checks if check.at_once}
        begun = min((found.first_seen_images for found in active), default=0)
        looks = [time for time in self._looks if time > begun][:IN_A_ROW]
        soon = max([begun, *looks])
        together = (f for f in active if f.code in urgent or f.first_seen_images <= soon)
        return next(together, None)

    def _stretches(self, check: Check) -> Iterator[Finding]:
        """One finding for each stretch of moments at which the check saw the same."""
        trail, times = self._assessments[check.code], self._times[check.code]
        needed = 1 if check.at_once else IN_A_ROW
        end = 0
        for level, stretch in groupby(_lasting([o.level for o in trail], needed)):
            begin, end = end, end + len(list(stretch))
            if level not in ("problem", "watch") or end - begin < needed:
                continue
            last = [one for one in trail[begin:end] if one.level == level][-1]
            yield Finding(
                code=check.code,
                verdict=last.verdict or check.verdict,
                message=last.message,
                evidence=last.evidence,
                first_seen_images=times[begin],
                images_seen=times[end - 1],
                looks=end - begin,
                active=end == len(trail),
                remedy=check.remedy,
                source=check.source,
                grade="watch" if level == "watch" or check.verdict in HARMLESS else "problem",
            )


def _too_early(moment: History) -> str:
    """Why nothing can be said yet; "" if something can."""
    if moment.n_steps < GRACE_STEPS:
        return f"fewer than {GRACE_STEPS} steps"
    return "the generator is held" if 0 < moment.images_seen <= moment.held_images else ""


def _lasting(levels: Sequence[Level], needed: int) -> list[Level]:
    """The same, in which a problem that did not last is something to watch."""
    lasting, begin = list(levels), 0
    for end in range(1, len(levels) + 1):
        if end < len(levels) and levels[end] == levels[begin]:
            continue
        if levels[begin] == "problem" and end - begin < needed:
            for place in range(begin, end):
                lasting[place] = "watch"
        begin = end
    return lasting


def _is_problem(assessment: Assessment | None) -> bool:
    return assessment is not None and assessment.level == "problem"


def examination_of(history: History, checks: Sequence[Check] = CHECKS) -> Examination:
    """Every check at every moment of a history, as if the doctor had been there.

    Args:
        history: all that is known; of another program's loop more is asked.
        checks: the most serious first.
    """
    examination = Examination(checks if history.is_ours else (*OF_OTHER_LOOPS, *checks))
    times = [snapshot.images_seen for snapshot in history.snapshots] or _moments(history)
    end = history.images_seen
    # Numbers that are not finite count at once, wherever they begin; the last steps do too.
    breaks = [seen for seen in history.breaks() if seen not in times and seen < end]
    for images_seen in sorted([*times, *breaks]):
        examination.look(history.until(images_seen), only_at_once=images_seen in breaks)
    if history.n_steps and (not times or times[-1] < end):
        examination.look(history, only_at_once=bool(times))
    return examination


def _moments(history: History) -> list[int]:
    """The images seen after each so many steps, where nobody took snapshots."""
    every = max(MOMENTS, history.n_steps // MOST_MOMENTS)
    rounds = history.steps["step"] // every
    return [int(seen) for seen in history.steps["images_seen"][np.diff(rounds, prepend=0) > 0]]


def diagnose(history: History, checks: Sequence[Check] = CHECKS) -> Diagnosis:
    """What is wrong with this training?

    Every check looks at every moment; what it sees twice in a row is a finding, which began
    at the first of the two.

    Args:
        history: all that is known.
        checks: the most serious first.
    """
    return examination_of(history, checks).diagnosis()

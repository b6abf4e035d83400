"""What the doctor says about a run, in the form in which reports show it."""

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facewright.data.store import Store
from facewright.doctor import thresholds as at
from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.finding import HARMLESS, Finding, Verdict
from facewright.doctor.history import History
from facewright.doctor.recorded import history_of
from facewright.doctor.reference import LOOKED_AT
from facewright.doctor.remedies import REMEDIES
from facewright.doctor.table import CHECKS
from facewright.errors import FacewrightError
from facewright.records.history import RunHistory
from facewright.reporting.consultation import Consultation, Limit, Problem, Trial

MOST_TRIALS = 3
"""Commands offered against one problem."""

SEEN = (
    "images_seen",
    "diversity",
    "nearest_ratio",
    "coverage",
    "seen_above_held_out",
    "support",
    "steepness",
    "js_bits",
)
"""Numbers of a snapshot that are shown as they are."""


def consult(run: RunHistory) -> Consultation:
    """What is wrong with a run, since when, how sure, and what to do about it?"""
    history = history_of(run)
    found = diagnose(history)
    about = (f for f in found.findings if f.active and f.verdict == found.verdict)
    present = next(about, None)
    # One thing at a time: commands only against the problem that the verdict is about.
    problems = [
        _problem(finding, _trials(run, finding.verdict) if finding is present else ())
        for finding in found.findings
    ]
    known = {problem.code for problem in problems}
    problems += [_noted(row) for row in run.findings if row["code"] not in known]
    return Consultation(
        verdict=found.verdict,
        message=found.message,
        kind=found.grade,
        images_seen=found.images_seen,
        problems=problems,
        untold=_untold(found),
        looks=_looks(history, _pairs(run)),
        limits=_limits(history, _pairs(run)),
    )


def _problem(finding: Finding, trials: Sequence[Trial]) -> Problem:
    return Problem(
        code=finding.code,
        title=_titles()[finding.code],
        verdict=finding.verdict,
        message=finding.message,
        evidence=finding.evidence,
        since=finding.first_seen_images,
        last_seen=finding.images_seen,
        active=finding.active,
        serious=finding.grade == "problem",
        looks=finding.looks,
        remedy=finding.remedy,
        source=finding.source,
        trials=trials,
    )


def _noted(row: Mapping[str, Any]) -> Problem:
    """A problem that was noticed while the run trained, and is not seen afterwards."""
    since = row["first_seen_images"]
    return Problem(
        code=row["code"],
        title=_titles().get(row["code"], "Noticed while it trained"),
        verdict=row["verdict"],
        message=row["message"],
        evidence=row["evidence"],
        since=since,
        last_seen=row.get("images_seen", since),
        active=False,
        # Rows of earlier versions have no grade.
        serious=row.get("grade", "problem") == "problem" and row["verdict"] not in HARMLESS,
        looks=0,
        remedy=row["remedy"],
        source=row["source"],
    )


def _titles() -> dict[str, str]:
    return {check.code: check.title for check in CHECKS}


def _untold(found: Diagnosis) -> dict[str, str]:
    titles = _titles()
    return {
        titles[code]: opinion.message
        for code, opinion in found.opinions.items()
        if opinion.level == "cannot tell"
    }


def _trials(run: RunHistory, verdict: Verdict) -> list[Trial]:
    """Commands that train again with one setting changed; none if the photos are gone."""
    known = run.environment["store"].get("path")
    if known is None:
        return []
    try:
        size = max(Store.open(known).shape[1:])
    except FacewrightError:
        return []
    changes = [(remedy, remedy.change(run.config, size)) for remedy in REMEDIES.get(verdict, ())]
    trials = [
        Trial(
            remedy.sentence,
            _command(run, known, remedy.code, "--set", *(f"{k}={v}" for k, v in values.items())),
            remedy.source,
        )
        for remedy, values in changes
        if values
    ]
    mending = _command(run, known, "mended", "--on-problem", "mend")
    return [*trials[:MOST_TRIALS], Trial("or let training try these itself", mending)]


def _command(run: RunHistory, store: str, code: str, *more: str) -> str:
    folder = run.folder
    out = folder.path.with_name(f"{folder.path.name}-{code}")
    words = ["facewright", "train", "--recipe", folder.config, "--data", store, "--out", out]
    return shlex.join([*map(str, words), *more])


def _pairs(run: RunHistory) -> int:
    """Pairs of generated images in a snapshot: more different images cannot be counted."""
    return math.comb(min(run.environment["store"].get("val", LOOKED_AT), LOOKED_AT), 2)


def _looks(history: History, pairs: int) -> dict[str, np.ndarray]:
    columns = {name: [getattr(s, name) for s in history.snapshots] for name in SEEN}
    columns["drift_rate"] = [history.drift_rate(look) for look in range(len(history.snapshots))]
    # numpy turns None into NaN, which is what a number that could not be had should be.
    looks = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    looks["support"] = np.minimum(looks["support"], pairs)
    return looks


def _limits(history: History, pairs: int) -> dict[str, list[Limit]]:
    enough = min(history.n_train / 2, at.SUPPORT)
    return {
        "diversity": [Limit("photos", 1.0, kind="ok")],
        "nearest_ratio": [Limit("nearest pairs of a generator that repeats itself", at.NEAREST)],
        "support": [
            Limit("not one copy", pairs, kind="ok"),
            Limit("repeats itself below", enough),
        ],
        "coverage": [Limit("photos cover other photos", 0.97, kind="ok")],
        "drift_rate": [
            Limit("has set", at.CRAWLING, kind="watch"),
            Limit("nothing moves", at.STALLED),
        ],
        "seen_above_held_out": [
            Limit("fair", 0.5, kind="ok"),
            Limit("begins to know its photos", at.SEEN_ABOVE, kind="watch"),
        ],
        "steepness": [Limit("nothing arrives", at.STEEPNESS)],
        "js_bits": [Limit("no doubt", at.JS_FAR)],
    }

"""The page's first words: how the training went, what was wrong and what to do about it."""

from collections.abc import Sequence
from typing import Any

from facewright.doctor.checks import TITLES
from facewright.doctor.diagnose import Diagnosis
from facewright.doctor.finding import Finding
from facewright.doctor.remedies import SuggestedRun, suggested_runs
from facewright.errors import quoted
from facewright.records.run_history import RunHistory, Sheet
from facewright.reporting import meanings
from facewright.reporting.markup import Html, folded, joined, pairs, safe


def verdict(history: RunHistory, found: Diagnosis, n_looks: int) -> Html:
    """The verdict as a reader without any knowledge needs it.

    Args:
        history: of the run.
        found: what the doctor thinks of it.
        n_looks: how often the doctor looked closely.
    """
    active = [finding for finding in found.findings if finding.active]
    first = _present(found)
    lines = [_since(first), _sure(first, n_looks)] if first else [_basis(found, n_looks)]
    if history.status in ("killed", "interrupted"):
        lines.append(
            Html(
                f"The run was {history.status} before its end; it goes on with "
                f"<code>facewright resume {safe(quoted(history.folder.path))}</code>"
            )
        )
    headline = _in_words(found.verdict)
    if first:
        title = _title(first)
        headline += f": {title[:1].lower()}{title[1:]}"
    more = (
        Html("<p><a href='#findings'>What was seen, and what to try, as commands</a></p>")
        if active
        else ""
    )
    return Html(
        f"<section class='verdict {found.grade}'>"
        f"<p class='tag'>The doctor's verdict after {found.images_seen:,} images</p>"
        f"<p class='headline'>{safe(headline)}</p>"
        f"<p class='message'>{safe(_sentence(found.message))}</p>"
        f"{joined(Html(f'<p>{safe(line)}</p>') for line in lines)}{more}</section>"
    )


def findings(history: RunHistory, found: Diagnosis, n_looks: int, sheets: Sequence[Sheet]) -> Html:
    """All problems, what could not be told, and what was changed on the way.

    Args:
        history: of the run.
        found: what the doctor thinks of it.
        n_looks: how often the doctor looked closely.
        sheets: that are in the page's timeline; its script shows the one at the onset.
    """
    # One thing at a time: commands only against the problem that the verdict is about.
    first = _present(found)
    there, passed = [], []
    for finding in found.findings:
        trials = suggested_runs(history, finding.verdict) if finding is first else []
        part = _finding(finding, n_looks, trials, sheets)
        (there if finding.active else passed).append(part)
    parts = there or [Html("<p class='none'>No finding at the end.</p>")]
    if passed:
        parts.append(folded(f"What came and went ({len(passed)})", joined(passed)))
    untold = {
        TITLES.get(code, code): assessment.message
        for code, assessment in found.assessments.items()
        if assessment.level == "cannot tell"
    }
    if untold:
        reasons = joined(
            Html(f"<li><b>{safe(title)}?</b> {safe(_sentence(reason))}</li>")
            for title, reason in untold.items()
        )
        parts.append(folded(f"What could not be told ({len(untold)})", Html(f"<ul>{reasons}</ul>")))
    if history.remedies:
        changes = joined(map(_change, history.remedies))
        parts.append(
            Html(f"<section class='aside'><h3>Changed on the way</h3><ol>{changes}</ol></section>")
        )
    return Html(f"<div id='findings'>{joined(parts)}</div>")


def _present(found: Diagnosis) -> Finding | None:
    """The finding that the verdict is about."""
    about = (f for f in found.findings if f.active and f.verdict == found.verdict)
    return next(about, None)


def _title(finding: Finding) -> str:
    """Of the check that saw it; it may have been one of an earlier version."""
    return TITLES.get(finding.code, "Noticed while it trained")


def _finding(
    finding: Finding, n_looks: int, trials: Sequence[SuggestedRun], sheets: Sequence[Sheet]
) -> Html:
    is_problem = finding.grade == "problem"
    tag = f"{finding.code} · {_in_words(finding.verdict) if is_problem else 'To watch'}"
    kind = finding.grade if finding.active else "passed"
    advice = "Try:" if is_problem else "What would help:"
    numbers = meanings.of_evidence(finding.evidence)
    return Html(
        f"<section class='finding {kind}'><div class='words'>"
        f"<p class='tag'>{safe(tag)}</p><h3>{safe(_title(finding))}</h3>"
        f"<p class='message'>{safe(_sentence(finding.message))}</p>"
        f"<p>{safe(_since(finding))} {safe(_sure(finding, n_looks))}</p>"
        f"{pairs(numbers) if numbers else ''}"
        f"<p class='remedy'><b>{advice}</b> {safe(finding.remedy)}</p>{joined(map(_trial, trials))}"
        f"<p class='hint'>Source of the rule: {safe(finding.source)}</p></div>"
        f"{_onset(finding, sheets)}</section>"
    )


def _onset(finding: Finding, sheets: Sequence[Sheet]) -> Html:
    """Place for the samples of the moment, which the script takes from the timeline."""
    if not sheets:
        return Html("")
    began = finding.first_seen_images
    sheet = min(sheets, key=lambda sheet: abs(sheet.images_seen - began))
    return Html(
        f"<figure class='onset' data-images='{sheet.images_seen}'>"
        f"<figcaption class='hint'><a href='#timeline'>Samples after "
        f"{sheet.images_seen:,} images</a>, the nearest to where it began</figcaption></figure>"
    )


def _trial(trial: SuggestedRun) -> Html:
    return Html(
        f"<p class='trial'>{safe(_sentence(trial.sentence))} "
        f"<small>{safe(trial.source)}</small></p><pre>{safe(trial.command)}</pre>"
    )


def _change(row: dict[str, Any]) -> Html:
    """One line of `remedies.jsonl`."""
    why = "By hand."
    if "remedy" in row:
        noticed = f"{_in_words(row['verdict'])}, noticed after {row['failed_at_images']:,} images"
        why = f"{_sentence(row['reason'])} Against: {noticed}."
    changed = joined(Html(f"<code>{safe(change)}</code>") for change in row["changed"])
    return Html(
        f"<li>Went on from {row['images_seen']:,} images with {changed} "
        f"<small>{safe(why)}</small></li>"
    )


def _since(finding: Finding) -> str:
    began, last = finding.first_seen_images, finding.images_seen
    if finding.active:
        return f"Since {began:,} images."
    if began == last:
        return f"Noticed at {began:,} images, and not again."
    return f"From {began:,} to {last:,} images; then it was gone."


def _sure(finding: Finding, n_looks: int) -> str:
    """How often it was seen, which is how sure one can be."""
    if not (finding.looks and n_looks):
        return "Seen in the record of the steps."
    if finding.looks == 1:
        return f"Seen once; the doctor looked {_times(n_looks)} in all."
    return f"Seen {finding.looks} times in a row; the doctor looked {_times(n_looks)} in all."


def _basis(found: Diagnosis, n_looks: int) -> str:
    passed = sum(finding.grade == "problem" and not finding.active for finding in found.findings)
    before = f" {passed} problems had come and gone." if passed > 1 else ""
    if passed == 1:
        before = " One problem had come and gone."
    if not n_looks:
        return (
            "The doctor took no close look while it trained (it ended before the first one, or "
            "looks were switched off), so only what follows from losses and gradients can be "
            f"told.{before}"
        )
    return f"The doctor looked closely {_times(n_looks)}.{before}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _in_words(verdict: str) -> str:
    """A verdict as a heading: "Mode collapse" for `mode-collapse`."""
    return verdict.replace("-", " ").capitalize()


def _sentence(text: str) -> str:
    # The name of a recorded number stays as it is.
    if "_" not in text.partition(" ")[0]:
        text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "?", "!")) else f"{text}."

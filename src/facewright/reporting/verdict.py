"""The page's first words: how the training went, what was wrong and what to do about it."""

from collections.abc import Sequence
from typing import Any

from facewright.records.history import RunHistory, Sheet
from facewright.reporting import meanings
from facewright.reporting.consultation import Consultation, Problem, Trial, in_words
from facewright.reporting.markup import Html, folded, joined, pairs, safe


def verdict(history: RunHistory, said: Consultation) -> Html:
    """The verdict as a reader without any knowledge needs it."""
    active = [problem for problem in said.problems if problem.active]
    first = next((problem for problem in active if problem.verdict == said.verdict), None)
    lines = [_since(first), _sure(first, said)] if first else [_basis(said)]
    if history.status in ("killed", "interrupted"):
        lines.append(
            Html(
                f"The run was {history.status} before its end; it goes on with "
                f"<code>facewright resume {safe(history.folder.path)}</code>"
            )
        )
    headline = in_words(said.verdict)
    if first:
        headline += f": {first.title[:1].lower()}{first.title[1:]}"
    more = (
        Html("<p><a href='#findings'>What was seen, and what to try, as commands</a></p>")
        if active
        else ""
    )
    return Html(
        f"<section class='verdict {said.kind}'>"
        f"<p class='tag'>The doctor's verdict after {said.images_seen:,} images</p>"
        f"<p class='headline'>{safe(headline)}</p>"
        f"<p class='message'>{safe(_sentence(said.message))}</p>"
        f"{joined(Html(f'<p>{safe(line)}</p>') for line in lines)}{more}</section>"
    )


def findings(history: RunHistory, said: Consultation, sheets: Sequence[Sheet]) -> Html:
    """All problems, what could not be told, and what was changed on the way.

    Args:
        history: of the run.
        said: what the doctor thinks of it.
        sheets: that are in the page's timeline; its script shows the one at the onset.
    """
    there = [_finding(problem, said, sheets) for problem in said.problems if problem.active]
    passed = [_finding(problem, said, sheets) for problem in said.problems if not problem.active]
    parts = there or [Html("<p class='none'>No finding at the end.</p>")]
    if passed:
        parts.append(folded(f"What came and went ({len(passed)})", joined(passed)))
    if said.untold:
        reasons = joined(
            Html(f"<li><b>{safe(title)}?</b> {safe(_sentence(reason))}</li>")
            for title, reason in said.untold.items()
        )
        parts.append(
            folded(f"What could not be told ({len(said.untold)})", Html(f"<ul>{reasons}</ul>"))
        )
    if history.remedies:
        changes = joined(map(_change, history.remedies))
        parts.append(
            Html(f"<section class='aside'><h3>Changed on the way</h3><ol>{changes}</ol></section>")
        )
    return Html(f"<div id='findings'>{joined(parts)}</div>")


def _finding(problem: Problem, said: Consultation, sheets: Sequence[Sheet]) -> Html:
    tag = f"{problem.code} · {in_words(problem.verdict) if problem.serious else 'To watch'}"
    advice = "Try:" if problem.serious else "What would help:"
    trials = joined(map(_trial, problem.trials))
    numbers = meanings.of_evidence(problem.evidence)
    return Html(
        f"<section class='finding {_kind(problem)}'><div class='words'>"
        f"<p class='tag'>{safe(tag)}</p><h3>{safe(problem.title)}</h3>"
        f"<p class='message'>{safe(_sentence(problem.message))}</p>"
        f"<p>{safe(_since(problem))} {safe(_sure(problem, said))}</p>"
        f"{pairs(numbers) if numbers else ''}"
        f"<p class='remedy'><b>{advice}</b> {safe(problem.remedy)}</p>{trials}"
        f"<p class='hint'>Source of the rule: {safe(problem.source)}</p></div>"
        f"{_onset(problem, sheets)}</section>"
    )


def _onset(problem: Problem, sheets: Sequence[Sheet]) -> Html:
    """Place for the samples of the moment, which the script takes from the timeline."""
    if not sheets:
        return Html("")
    sheet = min(sheets, key=lambda sheet: abs(sheet.images_seen - problem.since))
    return Html(
        f"<figure class='onset' data-images='{sheet.images_seen}'>"
        f"<figcaption class='hint'><a href='#timeline'>Samples after "
        f"{sheet.images_seen:,} images</a>, the nearest to where it began</figcaption></figure>"
    )


def _trial(trial: Trial) -> Html:
    return Html(
        f"<p class='trial'>{safe(_sentence(trial.sentence))} "
        f"<small>{safe(trial.source)}</small></p><pre>{safe(trial.command)}</pre>"
    )


def _change(row: dict[str, Any]) -> Html:
    """One line of `remedies.jsonl`."""
    why = "By hand."
    if "remedy" in row:
        noticed = f"{in_words(row['verdict'])}, noticed after {row['failed_at_images']:,} images"
        why = f"{_sentence(row['reason'])} Against: {noticed}."
    changed = joined(Html(f"<code>{safe(change)}</code>") for change in row["changed"])
    return Html(
        f"<li>Went on from {row['images_seen']:,} images with {changed} "
        f"<small>{safe(why)}</small></li>"
    )


def _since(problem: Problem) -> str:
    if problem.active:
        return f"Since {problem.since:,} images."
    if problem.since == problem.last_seen:
        return f"Noticed at {problem.since:,} images, and not again."
    return f"From {problem.since:,} to {problem.last_seen:,} images; then it was gone."


def _sure(problem: Problem, said: Consultation) -> str:
    """How often it was seen, which is how sure one can be."""
    if not (problem.looks and said.n_looks):
        return "Seen in the record of the steps."
    if problem.looks == 1:
        return f"Seen once; the doctor looked {said.n_looks} times in all."
    return f"Seen {problem.looks} times in a row; the doctor looked {said.n_looks} times in all."


def _basis(said: Consultation) -> str:
    passed = sum(problem.serious for problem in said.problems)
    before = f" {passed} problems had come and gone." if passed > 1 else ""
    if passed == 1:
        before = " One problem had come and gone."
    if not said.n_looks:
        return (
            "The doctor took no close look while it trained (it ended before the first one, or "
            f"wanted none), so only what follows from losses and gradients can be told.{before}"
        )
    return f"The doctor looked closely {said.n_looks} times.{before}"


def _kind(problem: Problem) -> str:
    if not problem.active:
        return "passed"
    return "problem" if problem.serious else "watch"


def _sentence(text: str) -> str:
    text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "?", "!")) else f"{text}."

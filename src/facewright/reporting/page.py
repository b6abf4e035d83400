"""The page: everything that a run recorded, in one file that needs nothing else."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from facewright.doctor.diagnose import Diagnosis, diagnose
from facewright.doctor.finding import Finding
from facewright.doctor.recorded import history_of
from facewright.records.record import write_atomically
from facewright.records.run_history import RunHistory
from facewright.reporting import sections
from facewright.reporting.charts import Chart, Draws, charts, metric_charts
from facewright.reporting.curves import PLOT, svg
from facewright.reporting.looks import Looks, look_charts
from facewright.reporting.markup import Html, joined, safe
from facewright.reporting.timeline import Film, timeline
from facewright.reporting.verdict import findings, verdict


def write_report(history: RunHistory, path: Path, draws: Draws) -> None:
    """Write the report of a run.

    The page loads nothing from anywhere, and its content security policy keeps it so:
    only its own script runs, whatever a run has recorded.

    Args:
        history: the run, finished or not.
        path: an HTML file, replaced as a whole.
        draws: where the losses of the run's game sit at a draw.
    """
    write_atomically(path, page(history, draws, *examined(history)))


def examined(history: RunHistory) -> tuple[Diagnosis, Looks]:
    """What the doctor thinks of a run, and what it saw.

    Among the findings are those that were noticed while the run trained and are not seen
    afterwards.
    """
    known = history_of(history)
    found = diagnose(known)
    seen = {finding.code for finding in found.findings}
    noticed = [Finding.from_json(row) for row in history.findings if row["code"] not in seen]
    passed = [replace(finding, active=False, looks=0) for finding in noticed]
    return replace(found, findings=[*found.findings, *passed]), Looks.of(known)


def page(history: RunHistory, draws: Draws, found: Diagnosis, looks: Looks) -> str:
    """The report of a run as HTML."""
    drawn = {
        "Curves": charts(history, draws),
        "What the doctor saw": look_charts(looks),
        "Quality": metric_charts(history.metrics),
    }
    end = float(history.images_seen) or 1.0
    script = _asset("page.js")
    return Template(_asset("page.html")).substitute(
        name=safe(history.name),
        status=safe(history.status),
        subtitle=safe(sections.subtitle(history)),
        style=_asset("style.css"),
        sections=_sections(history, found, looks.count, _figures(drawn, found.findings, end)),
        footer=safe(_footer(history)),
        curves=_points([chart for shown in drawn.values() for chart in shown], end),
        script=script,
        script_hash=_hash(script),
    )


def _sections(
    history: RunHistory, found: Diagnosis, n_looks: int, figures: Mapping[str, Html]
) -> Html:
    film = Film.of(history)
    parts = [
        ("Samples through training", timeline(history, film)),
        ("Findings", findings(history, found, n_looks, film.sheets)),
        ("Curves", figures["Curves"] or _no_steps()),
        ("What the doctor saw", figures["What the doctor saw"] or _no_looks()),
        ("Quality", joined([figures["Quality"], sections.metrics(history)])),
        ("Settings", sections.settings(history.config)),
        ("Photos, machine, software", sections.environment(history)),
        ("Sessions", sections.sessions(history)),
        ("Checkpoints", sections.kept_checkpoints(history)),
    ]
    bodies = [Html(f"<section><h2>{safe(title)}</h2>{body}</section>") for title, body in parts]
    return joined([verdict(history, found, n_looks), sections.cards(history), *bodies])


def _figures(
    drawn: Mapping[str, list[Chart]], marks: Sequence[Finding], end: float
) -> dict[str, Html]:
    """The charts of each section, side by side; empty where there are none."""
    bodies = {
        title: joined(_figure(chart, end, marks) for chart in shown)
        for title, shown in drawn.items()
    }
    return {
        title: Html(f"<div class='charts'>{body}</div>") if body else Html("")
        for title, body in bodies.items()
    }


def _figure(chart: Chart, end: float, marks: Sequence[Finding]) -> Html:
    curves = joined(
        Html(f"<li style='--role:var(--{line.role})'>{safe(line.label)} <output></output></li>")
        for line in chart.lines
    )
    return Html(
        f"<figure class='chart' id='chart-{chart.name}'><h3>{safe(chart.title)}</h3>"
        f"<ul class='legend'>{curves}</ul>"
        f"<div class='plot'>{svg(chart, end, marks)}<i class='cursor' hidden></i></div>"
        f"{_reference_list(chart)}"
        f"<figcaption class='hint'>{safe(_hint(chart))}</figcaption></figure>"
    )


def _hint(chart: Chart) -> str:
    if any(len(line.band.broken) for line in chart.lines):
        return f"{chart.hint} Crosses: values that were not finite."
    return chart.hint


def _reference_list(chart: Chart) -> Html:
    if not chart.references:
        return Html("")
    items = joined(
        Html(f"<li style='--role:var(--{to.role})'>{safe(to.label)} {safe(to.value)}</li>")
        for to in chart.references
    )
    return Html(f"<ul class='legend references'>{items}</ul>")


def _points(shown: list[Chart], end: float) -> Html:
    """The curves' points for the page's script, as JSON that cannot close its element."""
    lines = {
        chart.name: [
            {"x": _rounded(line.band.x), "y": _rounded(line.band.mid)} for line in chart.lines
        ]
        for chart in shown
    }
    left, _, width, _ = PLOT
    content = {"left": left, "width": width, "end": end, "charts": lines}
    return Html(json.dumps(content, allow_nan=False).replace("<", "\\u003c"))


def _rounded(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def _no_steps() -> Html:
    return Html("<p class='none'>No step has been recorded yet.</p>")


def _no_looks() -> Html:
    return Html("<p class='none'>No look of the doctor's was recorded while this run trained.</p>")


def _footer(history: RunHistory) -> str:
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Written {written} from {history.n_steps:,} recorded steps."


def _asset(name: str) -> str:
    return resources.files("facewright.reporting").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """How a content security policy names the one script that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

"""The parts of the page that are words and numbers."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from facewright.config import Config
from facewright.records import checkpoints
from facewright.records.run_history import RunHistory, newest_metrics
from facewright.reporting.markup import Html, folded, joined, pairs, safe, table
from facewright.reporting.meanings import of_metric
from facewright.reporting.words import duration, number, short_count

DASH = Html("&ndash;")
"""Stands where nothing was recorded."""


def subtitle(history: RunHistory) -> str:
    """Recipe, networks, game and day of a run, as far as they are known."""
    config = history.config
    started = history.sessions[0]["started"][:10] if history.sessions else ""
    origin = f"begun with {history.init_from['name']}" if history.init_from else ""
    networks, game = f"{config.model.name} networks", f"{config.loss.game} game"
    parts = [history.recipe, origin, networks, game, started]
    return " · ".join(part for part in parts if part)


def cards(history: RunHistory) -> Html:
    """How far, how long, how fast, on what."""
    seen, planned, cost = history.images_seen, history.config.train.images, history.cost
    share = min(1.0, seen / planned) if planned else 1.0
    bar = Html(f"<span class='bar'><i style='width:{share:.1%}'></i></span>")
    sessions = len(history.sessions)
    tiles = [
        _card("Images seen", short_count(seen), f"{share:.0%} of {planned:,}", bar),
        _card(
            "Training time",
            duration(cost.seconds),
            "in one session" if sessions == 1 else f"in {sessions} sessions",
        ),
        _card("Speed", f"{cost.images_per_second:,.0f} / s", "images, on average"),
    ]
    if history.sessions:
        session = history.sessions[-1]
        tiles.append(_card("Machine", _processor(session), _resources(session), kind="text"))
    return Html(f"<div class='cards'>{joined(tiles)}</div>")


def metrics(history: RunHistory) -> Html:
    """The newest value of each metric, with what makes it comparable."""
    if not history.metrics:
        return Html("<p class='none'>No metric has been measured.</p>")
    head = [
        "Metric",
        "Value",
        "95 % interval",
        "Photos score",
        "Images seen",
        "Real",
        "Generated",
        "Features",
    ]
    rows = [
        [
            name,
            row["value"],
            _interval(row.get("interval")),
            _or_dash(row.get("floor")),
            _or_dash(row.get("images_seen")),
            _or_dash(row.get("n_real")),
            _or_dash(row.get("n_fake")),
            _or_dash(row.get("features")),
        ]
        for name, row in newest_metrics(history.metrics).items()
    ]
    return joined([table("Metrics", head, rows), _how_to_read([str(name) for name, *_ in rows])])


def _how_to_read(names: Sequence[str]) -> Html:
    known = [(name, of_metric(name)) for name in names if of_metric(name)]
    if not known:
        return Html("")
    lines = joined(Html(f"<li><b>{safe(name)}</b> {safe(words)}</li>") for name, words in known)
    return folded("How to read these numbers", Html(f"<ul>{lines}</ul>"))


def settings(config: Config) -> Html:
    """Every setting; those that differ from the default are marked."""
    defaults = dataclasses.asdict(Config())
    blocks = []
    for section, values in dataclasses.asdict(config).items():
        items = [(key, _setting(value, defaults[section][key])) for key, value in values.items()]
        blocks.append(Html(f"<div><h3>{safe(section)}</h3>{pairs(items)}</div>"))
    return Html(f"<div class='columns'>{joined(blocks)}</div>")


def environment(history: RunHistory) -> Html:
    """Photos, machine and software, of the newest session."""
    blocks = [("Photos", _flat(history.environment["store"]))]
    if history.sessions:
        session = history.sessions[-1]
        machine = {
            "processor": session["cpu"],
            "cores": session["cores"],
            "threads": session["threads"],
            "memory": f"{session['memory_gib']} GiB",
            "GPUs": ", ".join(session["gpus"]) or "none",
            "system": session["os"],
        }
        software = {"Python": session["python"], **session["versions"]}
        software["commit"] = (session["git"] or "not a checkout")[:12]
        blocks += [("Machine", machine), ("Software", software)]
    if not any(content for _, content in blocks):
        return Html("<p class='none'>Nothing was noted.</p>")
    columns = joined(
        Html(f"<div><h3>{safe(title)}</h3>{pairs(content.items())}</div>")
        for title, content in blocks
        if content
    )
    return Html(f"<div class='columns'>{columns}</div>")


def sessions(history: RunHistory) -> Html:
    """Each time that training was started or resumed."""
    head = ["Session", "Started (UTC)", "Ended", "Images", "Time", "Machine", "Command"]
    rows = [
        [
            str(index),
            _moment(session["started"]),
            _status(history.status if session is history.sessions[-1] else session["status"]),
            _span(session),
            "not noted" if session["seconds"] is None else duration(session["seconds"]),
            f"{_processor(session)}, {session['threads']} threads",
            Html(f"<code>{safe(session['command'])}</code>"),
        ]
        for index, session in enumerate(history.sessions, start=1)
    ]
    return table("Sessions", head, rows) if rows else Html("<p class='none'>None was noted.</p>")


def kept_checkpoints(history: RunHistory) -> Html:
    """The moments that can be gone back to."""
    if not history.checkpoints:
        return Html("<p class='none'>None has been kept.</p>")
    best = checkpoints.best(history.folder.checkpoints)
    rows = [
        [
            checkpoint.path.name + (" (best)" if best and checkpoint.path == best.path else ""),
            checkpoint.state["images_seen"],
            checkpoint.state["step"],
            duration(checkpoint.state["seconds"]),
            _or_dash(checkpoint.state.get("score")),
        ]
        for checkpoint in history.checkpoints
    ]
    return table("Checkpoints", ["Checkpoint", "Images seen", "Step", "Time", "Score"], rows)


def _card(title: str, value: str, below: str, extra: Html | None = None, kind: str = "") -> Html:
    return Html(
        f"<section class='card {kind}'><h2>{safe(title)}</h2><strong>{safe(value)}</strong>"
        f"<span class='hint'>{safe(below)}</span>{extra or ''}</section>"
    )


def _setting(value: object, default: object) -> Html:
    if value == default:
        return safe(value)
    return Html(f"<mark>{safe(value)}</mark> <small>default {safe(default)}</small>")


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, object]:
    """Nested tables as one: {"counts": {"train": 9}} becomes {"counts train": 9}."""
    flat: dict[str, object] = {}
    for key, value in content.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        flat |= _flat(value, f"{name} ") if isinstance(value, dict) else {name: value}
    return flat


def _processor(session: dict[str, Any]) -> str:
    return ", ".join(session["gpus"]) or session["cpu"]


def _resources(session: dict[str, Any]) -> str:
    return f"{session['cores']} cores, {session['memory_gib']} GiB of memory"


def _moment(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _status(status: str) -> Html:
    return Html(f"<span class='{safe(status)}'>{safe(status)}</span>")


def _span(session: dict[str, Any]) -> str:
    end = session["images_to"]
    return f"{session['images_from']:,} to {'?' if end is None else f'{end:,}'}"


def _interval(interval: list[float | None] | None) -> str:
    """Both ends; earlier versions recorded an open end as null."""
    if not interval:
        return DASH
    return " to ".join("∞" if end is None else number(end) for end in interval)


def _or_dash(value: object) -> object:
    return DASH if value is None else value

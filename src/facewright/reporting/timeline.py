"""The sample sheets of a run as a film to scrub through."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from facewright.records.run_history import RunHistory, Sheet
from facewright.reporting.markup import Html, joined, safe
from facewright.reporting.words import duration, short_count

MOST_SHEETS = 60
MOST_BYTES = 24_000_000
"""Of all sheets together: a page of this size still opens at once and can be mailed."""


@dataclass(frozen=True)
class _Frame:
    sheet: Sheet
    size: tuple[int, int]


@dataclass(frozen=True)
class Film:
    """The sheets that fit into one page.

    Args:
        frames: oldest first.
        notes: which sheets were left out, and why.
    """

    frames: Sequence[_Frame]
    notes: str

    @classmethod
    def of(cls, history: RunHistory) -> "Film":
        """Those of a run."""
        readable = [frame for sheet in history.sheets if (frame := _frame(sheet))]
        shown = _thinned(readable) if readable else []
        return cls(shown, _notes(len(history.sheets), len(readable), len(shown)))

    @property
    def sheets(self) -> list[Sheet]:
        """What each frame shows."""
        return [frame.sheet for frame in self.frames]


def timeline(history: RunHistory, film: Film) -> Html:
    """A stage, a slider and a strip of all sheets; a sentence where there are none.

    Without JavaScript the strip shows every sheet and the stage the newest.
    """
    shown, notes = film.frames, film.notes
    if not shown:
        return Html("<p class='none'>No samples have been drawn yet.</p>")
    strip = joined(_strip_item(frame, _caption(history, frame.sheet)) for frame in shown)
    newest = shown[-1]
    last = len(shown) - 1
    return Html(
        f"<div class='timeline' id='timeline'>"
        f"<figure>{_image(newest, identity='stage')}</figure>"
        f"<div class='side'>"
        f"<output id='caption' for='moment'>{safe(_caption(history, newest.sheet))}</output>"
        f"<div class='controls' hidden><button id='play' type='button'>Play</button>"
        f"<input id='moment' type='range' min='0' max='{last}' value='{last}' "
        f"aria-label='Moment of training'></div>"
        f"<p class='hint'>Every sheet shows the same latents. "
        f"Arrow keys move through training. {safe(notes)}</p>"
        f"<ol class='strip'>{strip}</ol></div></div>"
    )


def _frame(sheet: Sheet) -> _Frame | None:
    try:
        with Image.open(sheet.path) as image:
            return _Frame(sheet, image.size)
    except OSError:
        return None


def _thinned(frames: list[_Frame]) -> list[_Frame]:
    """Evenly spread sheets, the first and the newest among them, that fit into one page."""
    average = np.mean([frame.sheet.path.stat().st_size for frame in frames])
    count = max(2, min(MOST_SHEETS, int(MOST_BYTES // average)))
    if count >= len(frames):
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, count).round().astype(int)]


def _notes(n_sheets: int, n_readable: int, n_shown: int) -> str:
    notes = []
    if n_shown < n_readable:
        notes.append(f"Shown are {n_shown} of {n_readable} sheets.")
    if n_readable < n_sheets:
        notes.append(f"{n_sheets - n_readable} damaged sheets are left out.")
    return " ".join(notes)


def _caption(history: RunHistory, sheet: Sheet) -> str:
    """When a sheet was drawn: images, step and training time."""
    words = f"{sheet.images_seen:,} images seen"
    row = int(np.searchsorted(history.steps["images_seen"], sheet.images_seen))
    if sheet.images_seen == 0 or row >= history.n_steps:
        return words
    step, seconds = history.steps["step"][row], history.steps["seconds"][row]
    return f"{words} · step {step:,.0f} · {duration(seconds)}"


def _strip_item(frame: _Frame, caption: str) -> Html:
    images_seen = frame.sheet.images_seen
    return Html(
        f"<li><button type='button' data-images='{images_seen}' title='{safe(caption)}'>"
        f"<span class='crop'>{_image(frame)}</span>"
        f"<span class='label'>{safe(short_count(images_seen))}</span></button></li>"
    )


def _image(frame: _Frame, identity: str = "") -> Html:
    content = base64.b64encode(frame.sheet.path.read_bytes()).decode()
    width, height = frame.size
    name = f"id='{identity}' " if identity else ""
    return Html(
        f"<img {name}src='data:image/png;base64,{content}' width='{width}' height='{height}' "
        f"alt='Generated samples after {frame.sheet.images_seen:,} images seen'>"
    )

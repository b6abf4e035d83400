"""How an exported model is announced."""

import shlex

from rich.text import Text

from facewright.actions.export import Exported
from facewright.shipping.card_page import words_for


def shown(made: Exported) -> Text:
    """The files, the verdicts in the card, and what to type next."""
    card, place = made.bundle.about.card, shlex.quote(str(made.bundle.path))
    lines = [
        f"{made.bundle.path}: {made.size / 1e6:.2f} MB, {card.training.images_seen:,} images "
        f"seen; the doctor: {card.doctor.verdict}; the audit: {card.audit.verdict}",
        f"its card: {made.page}",
        *([f"labels to request: {words_for(made.labels)}"] if made.labels else []),
        f"next: facewright generate {place} --out faces.png --grid",
    ]
    return Text("\n".join(lines))

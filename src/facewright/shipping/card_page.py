"""The model card as a page of Markdown."""

import shlex
from collections.abc import Iterable, Sequence

from facewright.conditions import Label
from facewright.models.bundle import SUFFIX
from facewright.models.card import Attribute, Card, Guesses, Opinion, Score
from facewright.text import in_markdown, printable

FORCED = (
    "> **Exported against the advice of the memorisation audit, or without one.** Whoever exported "
    "this model said so on purpose."
)

NOT_GUESSED = "Of generated images nothing was measured."
GUESSED = (
    "Guesses are those of a logistic regression on features of our own network, trained on the "
    "labels of the training photos. It errs, as its share of right answers on held-out photos "
    "says: compare what it says of generated images with what it says of held-out photos, not "
    "with the labels. Where it is no better than always naming the commonest value, its guesses "
    "are left out."
)
NAMED = 12
"""Classes that are listed by name; of more only the number is given."""
GUESSES = ("held-out photos, guessed", "generated images, guessed", "right (always commonest)")


def markdown(card: Card, *, labels: Sequence[Label] = (), bundled: bool = False) -> str:
    """The whole card, for people.

    Args:
        card: of the model.
        labels: that can be requested of it.
        bundled: whether the model comes with Facewright, and so is known by its name alone.
    """
    photos, training = card.photos, card.training
    parts = [
        f"# {in_markdown(card.name)}",
        *([FORCED] if card.forced else []),
        f"A generator of {_size(photos.size)} face images, trained by Facewright "
        f"{in_markdown(card.facewright)}. {_command(card.name, bundled)} draws some.",
        *([_asked(labels)] if labels else []),
        "## What it is for",
        in_markdown(card.intended_use),
        "## Terms",
        in_markdown(card.terms),
        "## What it was trained on",
        _table(
            ("source", photos.source),
            ("photos trained on", f"{photos.train:,}"),
            ("photos held out", f"{photos.held_out:,}"),
            ("crop", photos.crop),
            ("size", _size(photos.size)),
            ("content hash of the store", _code(photos.content_hash[:16])),
        ),
        "## How it was trained",
        _table(
            ("recipe", training.recipe or "not noted"),
            ("game", training.game),
            *([("begun with", training.begun_with)] if training.begun_with else []),
            ("images seen", f"{training.images_seen:,}"),
            ("time", f"{training.seconds / 60:,.1f} minutes"),
            ("machine", training.machine),
            *(("changed on the way", _code(change)) for change in training.amended),
        ),
        f"**The doctor's verdict: {_opinion(card.doctor)}",
        "## How good it is",
        _scores(card.scores),
        "## Did it memorise its photos?",
        f"**{_opinion(card.audit)}",
        "## Balance of attributes",
        _attributes(card.attributes),
        "## Limits",
        "\n".join(f"- {in_markdown(limit)}" for limit in card.limits),
    ]
    return "\n\n".join(parts) + "\n"


def words_for(labels: Sequence[Label]) -> str:
    """Each label by name, with the first of the words that it knows."""
    return "; ".join(f"{label.name} ({_some(label.words)})" for label in labels)


def _command(name: str, bundled: bool) -> str:
    """What draws faces, and where that works."""
    if bundled:
        return _code(f"facewright generate {name} --out faces.png --grid")
    file = shlex.quote(f"{name}{SUFFIX}")
    command = _code(f"facewright generate {file} --out faces.png --grid")
    return f"{command}, in the folder of that file,"


def _asked(labels: Sequence[Label]) -> str:
    """Which labels it knows, how to ask for one, and what the file says of the photos' labels."""
    request = shlex.quote(f"{labels[0].name}={labels[0].words[0]}")
    return (
        f"It can be asked for labels: {in_markdown(words_for(labels))}. For example with "
        f"{_code(f'--label {request}')}. "
        "Labels that are not asked for are drawn as often as photos with the others have them: how "
        "many of the training photos have which labels together is in the file."
    )


def _some(words: Sequence[str]) -> str:
    more = len(words) - NAMED
    return ", ".join(words[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _scores(scores: Sequence[Score]) -> str:
    if not scores:
        return "Nothing was measured."
    head = ("metric", "value", "95 % interval", "photos score", "photos", "images", "features")
    rows = [
        (
            score.name,
            _number(score.value),
            f"{_number(score.interval[0])} to {_number(score.interval[1])}"
            if score.interval
            else "",
            _number(score.floor) if score.floor is not None else "",
            f"{score.n_real:,} ({score.against})" if score.n_real else "",
            f"{score.n_fake:,}",
            score.features,
        )
        for score in scores
    ]
    return _columns(head, rows)


def _attributes(attributes: Sequence[Attribute]) -> str:
    if not attributes:
        return "Not known: the photos have no labels."
    head = ("attribute", "value", "training photos, by label")
    rows = []
    for one in attributes:
        for value, share in one.train.items():
            if value == "no" and one.train.keys() == {"no", "yes"}:
                continue  # the rest
            guesses = _guesses(one.guesses, value) if one.guesses else ("", "", "")
            rows.append((one.name, value, f"{share:.1%}", *guesses))
    if any(one.guesses for one in attributes):
        return f"{GUESSED}\n\n{_columns((*head, *GUESSES), rows)}"
    return f"{NOT_GUESSED}\n\n{_columns(head, (row[: len(head)] for row in rows))}"


def _opinion(said: Opinion) -> str:
    """The verdict, to be set in bold, and why."""
    return f"{in_markdown(said.verdict)}.** {in_markdown(' '.join(said.reasons))}"


def _guesses(said: Guesses, value: str) -> tuple[str, str, str]:
    right = f"{said.accuracy:.1%} ({said.chance:.1%})"
    if said.accuracy <= said.chance:
        return "", "", right
    return f"{said.held_out[value]:.1%}", f"{said.generated[value]:.1%}", right


def _number(value: float | None) -> str:
    return "∞" if value is None else f"{value:.4g}"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _table(*rows: tuple[str, str]) -> str:
    return _columns(("", ""), rows)


def _columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


class _Code(str):
    """Text that stands between backticks already."""

    __slots__ = ()


def _code(text: str) -> _Code:
    return _Code(f"`{printable(text).replace('`', chr(39))}`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|") if isinstance(text, _Code) else in_markdown(text)

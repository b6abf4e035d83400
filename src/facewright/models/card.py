"""The model card as data: what a model is, what it came from, and what was found out about it.

Source: Mitchell et al. 2019, arXiv:1810.03993, for what a card should say.
"""

from dataclasses import dataclass

INTENDED_USE = (
    "Teaching and research on generative models: looking at what such a model learns, measuring "
    "it, training on its images. Not for the identification of persons, not for making images of "
    "particular persons, and not for passing its images off as photographs. Images that leave "
    "your hands should be marked as generated."
)


@dataclass(frozen=True)
class Photos:
    """What the model was trained on.

    Args:
        source: kind and name, for example "celeba (celeba-10k.zip)".
        licence: what the store's manifest says of the terms.
        train: photos that it was trained on.
        held_out: photos of the same source that it was not.
        size: (height, width) in pixels.
        crop: name of the part of a photo that was kept.
        content_hash: of the store.
    """

    source: str
    licence: str
    train: int
    held_out: int
    size: tuple[int, int]
    crop: str
    content_hash: str


@dataclass(frozen=True)
class Training:
    """How it was trained.

    Args:
        recipe: what the settings started from; "" if nobody noted it.
        game: the losses.
        images_seen: real images shown to the discriminator.
        seconds: of training up to there.
        machine: that it took them on.
        amended: settings that were changed on the way, as "section.key: before -> after".
        begun_with: another model whose weights it began with; "" if it began with none.
    """

    recipe: str
    game: str
    images_seen: int
    seconds: float
    machine: str
    amended: tuple[str, ...] = ()
    begun_with: str = ""


@dataclass(frozen=True)
class Score:
    """One measured number; the fields are those of `metrics.evaluate.MetricResult`.

    Args:
        name: of the metric.
        value: `None` if it was not finite.
        interval: 95 %; an open end is `None`.
        floor: what photos score against photos.
        n_real: photos compared with.
        n_fake: generated images.
        features: identity of the extractor.
        against: which photos.
    """

    name: str
    value: float | None
    interval: tuple[float | None, float | None] | None
    floor: float | None
    n_real: int
    n_fake: int
    features: str
    against: str


@dataclass(frozen=True)
class Opinion:
    """A verdict in a few words, and why.

    Args:
        verdict: for example "healthy" or "no sign of copying".
        reasons: a sentence each.
    """

    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Guesses:
    """How often each value of an attribute occurs, as a classifier guesses.

    Args:
        held_out: shares among the held-out photos; they show the classifier's bias.
        generated: shares among generated images; compare them with `held_out`.
        accuracy: share of held-out photos that the classifier gets right.
        chance: the same for always guessing the commonest value.
    """

    held_out: dict[str, float]
    generated: dict[str, float]
    accuracy: float
    chance: float


@dataclass(frozen=True)
class Attribute:
    """How often each value of an attribute occurs, as shares that add up to 1.

    Args:
        name: of the label.
        meaning: unit or origin of the label.
        train: among the training photos, by their labels.
        guesses: about photos and generated images; `None` if nobody asked, or none are possible.
    """

    name: str
    meaning: str
    train: dict[str, float]
    guesses: Guesses | None = None


@dataclass(frozen=True)
class Card:
    """What a user of the model should know.

    Args:
        name: of the model.
        facewright: version that wrote it.
        photos: what it was trained on.
        training: how.
        doctor: what the doctor thinks of the training.
        audit: whether it memorised its photos.
        forced: exported although the audit advised against it, or could not be made.
        scores: measured quality.
        attributes: what is known of the balance.
        terms: under which it may be used.
        limits: what it cannot do, a sentence each.
        intended_use: what it is for, and what not.
    """

    name: str
    facewright: str
    photos: Photos
    training: Training
    doctor: Opinion
    audit: Opinion
    forced: bool
    scores: tuple[Score, ...]
    attributes: tuple[Attribute, ...]
    terms: str
    limits: tuple[str, ...]
    intended_use: str = INTENDED_USE

"""A trained generator in one file, with its model card beside it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from facewright.actions.audit import audit_images
from facewright.actions.evaluate import measure_images, requested
from facewright.actions.events import OnEvent, ignore
from facewright.actions.features import Features
from facewright.choices import Choice
from facewright.conditions import Label
from facewright.data.store import Store, refuse_without_held_out
from facewright.errors import DataError, FacewrightError, quoted
from facewright.metrics.metric_request import Request
from facewright.models import bundle
from facewright.models.bundle import SUFFIX, About, Bundle, Networks
from facewright.models.bundled import is_bundled
from facewright.models.card import Attribute, Card, Opinion
from facewright.models.open_model import Model, of_bundle, open_model
from facewright.networks.device import resolve_precision
from facewright.records.record import write_atomically
from facewright.records.run_history import RunHistory
from facewright.sampling.image_source import MODEL_COUNT, GeneratedImages
from facewright.sampling.sample import sample
from facewright.shipping.attribute_balance import measured_balance
from facewright.shipping.card_page import markdown
from facewright.shipping.first_card import NOT_AUDITED, first_card, scores

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exported:
    """What was written."""

    bundle: Bundle
    page: Path

    @property
    def size(self) -> int:
        """Bytes of the bundle."""
        return self.bundle.path.stat().st_size

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labels that can be requested of the model."""
        return self.bundle.about.conditioning.labels

    def as_json(self) -> dict[str, Any]:
        """The files, and the verdicts in the card."""
        card = self.bundle.about.card
        return {
            "bundle": str(self.bundle.path),
            "card": str(self.page),
            "bytes": self.size,
            "sha256": self.bundle.sha256,
            "images_seen": card.training.images_seen,
            "labels": {label.name: list(label.words) for label in self.labels},
            "doctor": card.doctor.verdict,
            "audit": card.audit.verdict,
            "forced": card.forced,
        }


def export(
    run: Path,
    *,
    out: Path,
    checkpoint: Choice = "best",
    data: Path | None = None,
    metrics: str | None = None,
    count: int | None = None,
    attributes: bool = False,
    with_discriminator: bool = False,
    force: bool = False,
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Exported:
    """Export a trained generator as one file, with a model card beside it.

    The file is a bundle: NAME.safetensors holds the EMA of the generator in half precision, what
    is needed to build it (of a model with labels also how many training photos have which of them
    together), and the card as data; nothing in it is code. NAME.md is the card for
    people: photos and their terms, cost, quality, the doctor's verdict, whether photos were
    memorised, the balance of attributes, limits. The memorisation audit is always made; if it
    finds copies, nothing is exported.

    Examples:
        facewright export runs/mine --out mine.safetensors
        facewright export runs/mine --out mine.safetensors --data stores/mine --attributes

    Args:
        run: run folder.
        out: NAME.safetensors; the stem is the model's name.
        checkpoint: the one with the best score on held-out photos, or the newest.
        data: the store that the run was trained on, if it has moved. When given, the quality is
            measured now, on the exported weights; otherwise the card has what the run's
            metrics.jsonl says of this checkpoint.
        metrics: what to measure now, as for `facewright evaluate`.
        count: images for the audit and for measuring; 10,000 if not said.
        attributes: also guess how often each label of the store occurs among generated images.
        with_discriminator: keep the discriminator too, for somebody who wants to train on.
        force: export although the audit finds copies, or cannot be made; the card says so.
        seed: of the latents and of everything random in the metrics.
        on_event: hears how far features have come.

    Raises:
        DataError: the store is not at hand, or another one.
        FacewrightError: the audit found copies, or could not be made.
    """
    if out.suffix != SUFFIX:
        raise FacewrightError(
            f"--out {out}", expected=f"NAME{SUFFIX}", fix=f"--out {quoted(out.with_suffix(SUFFIX))}"
        )
    history = RunHistory.read(run)
    store = _store_of(history, data)
    computed = Features(store, on_event)
    requests = requested(computed, metrics)
    model = open_model(run, checkpoint)
    assert model.checkpoint is not None
    networks = {"generator": model.networks["ema"]}
    if with_discriminator:
        networks["discriminator"] = model.networks["discriminator"]
    card = first_card(out.stem, history, model.checkpoint, store)
    # Judged as it will be: the draft has the very weights of the file that is written last.
    with TemporaryDirectory() as folder:
        draft = Path(folder) / out.name
        _write(draft, model, card, networks)
        images = _drawn(of_bundle(bundle.read(draft)), count, seed)
    card = _audited(card, images, computed, force=force, seed=seed)
    if data is not None or metrics is not None:
        precision = resolve_precision("auto", torch.device("cpu"))
        card = _measured(card, images, Features(store, on_event, precision), requests, seed)
    if attributes:
        card = replace(card, attributes=_balance(images, computed))
    _write(out, model, card, networks)
    page, labels = out.with_suffix(".md"), model.conditioning.labels
    try:
        write_atomically(page, markdown(card, labels=labels, bundled=is_bundled(out)))
    except OSError:  # no bundle without its card
        out.unlink()
        raise
    return Exported(bundle.read(out), page)


def _drawn(model: Model, count: int | None, seed: int) -> GeneratedImages:
    """What the audit, the metrics and the guesses about attributes look at: drawn once."""
    pixels = sample(model, count=count or MODEL_COUNT, seed=seed)
    return GeneratedImages(model.name, pixels, model)


def _write(path: Path, model: Model, card: Card, networks: Networks) -> None:
    about = About(model.architecture, model.shape, card, model.conditioning)
    bundle.write(path, about, networks)


def _store_of(history: RunHistory, data: Path | None) -> Store:
    """The store that a run was trained on.

    Raises:
        DataError: it is not there, or has other photos.
    """
    run, known = history.folder.path, history.environment["store"]
    path = data or Path(known.get("path", ""))
    if data is None and not path.is_dir():
        raise DataError(
            f"{run} was trained on {path}, which is not there",
            expected="the photos, because the card speaks of them",
            fix=f"facewright export {quoted(run)} --data STORE ...",
        )
    store = Store.open(path)
    if known.get("content_hash") not in (None, store.content_hash):
        raise DataError(
            f"{run} was not trained on {store.path}",
            expected=f"a store of content {known['content_hash'][:12]}",
            fix=f"--data {known['path']}",
        )
    return store


def _audited(
    card: Card, images: GeneratedImages, computed: Features, *, force: bool, seed: int
) -> Card:
    """The card with the audit's verdict.

    Raises:
        FacewrightError: copies were found, or nobody can tell, and nobody insists.
    """
    try:
        refuse_without_held_out(computed.store)
        found = audit_images(images, computed, seed=seed)
    except FacewrightError as error:
        if not force:
            raise FacewrightError(
                f"no audit: {error.what}",
                expected=error.expected,
                fix=f"{error.fix or '--data STORE'}; or --force, and the card will say so",
            ) from None
        reasons = (*NOT_AUDITED.reasons, f"{error.what}.")
        return replace(card, audit=Opinion(NOT_AUDITED.verdict, reasons), forced=True)
    copies = found.verdict == "copies found"
    if copies and not force:
        raise FacewrightError(
            f"the audit of {card.name}: {found.verdict}. {' '.join(found.reasons)}",
            expected="a generator that invents faces",
            fix=f"look at the pairs: facewright audit RUN --data {quoted(computed.store.path)}; or "
            "--force, and the card will say so",
        )
    facts = (
        f"{found.n_fake:,} generated images against {found.n_train:,} training photos; "
        f"{found.n_val:,} held-out photos show what is normal."
    )
    return replace(card, audit=Opinion(found.verdict, (*found.reasons, facts)), forced=copies)


def _balance(images: GeneratedImages, computed: Features) -> tuple[Attribute, ...]:
    """How often each label of the store occurs, among photos and by guess among the images."""
    if not computed.store.manifest["labels"]:
        return ()
    extractor = computed.usual_extractor
    sets = (computed.train, computed.val, computed.of(images.name, images.pixels))
    train, val, generated = (one.features(extractor) for one in sets)
    return measured_balance(computed.store, train, val, generated)


def _measured(
    card: Card,
    images: GeneratedImages,
    computed: Features,
    requests: Sequence[Request],
    seed: int,
) -> Card:
    """The card with the quality as it is now, measured as at the end of a training.

    Raises:
        FacewrightError: none of the numbers can be had.
    """
    measured, _ = measure_images(images, computed, requests, seed=seed)
    if not measured.evaluation.results:
        raise measured.evaluation.refused[0].error
    for refused in measured.refusals():
        log.warning("not in the card: %s: %s", refused["name"], refused["reason"])
    return replace(card, scores=scores(measured.rows()))

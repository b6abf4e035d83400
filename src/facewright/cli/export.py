"""`facewright export`: a trained generator in one file, with its model card beside it."""

import logging
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import tyro
from rich.text import Text
from torch import nn

from facewright.cli.attributes import measured_balance
from facewright.cli.audit import audit
from facewright.cli.card import NOT_AUDITED, first_card, scores
from facewright.cli.evaluate import evaluate
from facewright.cli.players import Players, chosen_checkpoint, players_of
from facewright.cli.subject import MODEL_COUNT
from facewright.conditions import Label
from facewright.data.store import Store
from facewright.errors import DataError, FacewrightError
from facewright.models import bundle
from facewright.models.bundle import SUFFIX, About, Bundle
from facewright.models.bundled import is_bundled
from facewright.models.card import Card, Opinion
from facewright.networks.device import resolve_precision
from facewright.records.checkpoints import Which
from facewright.records.record import write_atomically
from facewright.records.run_history import RunHistory
from facewright.sampling.sample import load_generator, sample
from facewright.shipping.card_page import markdown, words_for

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
    def _labels(self) -> tuple[Label, ...]:
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
            "labels": {label.name: list(label.words) for label in self._labels},
            "doctor": card.doctor.verdict,
            "audit": card.audit.verdict,
            "forced": card.forced,
        }

    def __rich__(self) -> Text:
        card, place = self.bundle.about.card, shlex.quote(str(self.bundle.path))
        lines = [
            f"{self.bundle.path}: {self.size / 1e6:.2f} MB, {card.training.images_seen:,} images "
            f"seen; the doctor: {card.doctor.verdict}; the audit: {card.audit.verdict}",
            f"its card: {self.page}",
            *([f"it can be asked for: {words_for(self._labels)}"] if self._labels else []),
            f"next: facewright generate {place} --out faces.png --grid",
        ]
        return Text("\n".join(lines))


def export(
    run: Annotated[Path, tyro.conf.Positional],
    *,
    out: Path,
    checkpoint: Which = "best",
    data: Path | None = None,
    metrics: str | None = None,
    count: int | None = None,
    attributes: bool = False,
    with_discriminator: bool = False,
    force: bool = False,
    seed: int = 0,
) -> Exported:
    """Export a trained generator as one file, with a model card beside it.

    The file is a bundle: NAME.safetensors holds the averaged generator in half precision, what
    is needed to build it (of a model with labels also how many training photos have which of them
    together), and the card as data; nothing in it is code. NAME.md is the card for
    people: photos and their terms, cost, quality, the doctor's verdict, whether photos were
    memorised, the balance of attributes, limits. The memorisation audit is always made; if it
    finds copies, nothing is exported.

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

    Raises:
        DataError: the store is not at hand, or another one.
        FacewrightError: the audit found copies, or could not be made.
    """
    if out.suffix != SUFFIX:
        raise FacewrightError(
            f"--out {out}", expected=f"NAME{SUFFIX}", fix=f"--out {out.with_suffix(SUFFIX)}"
        )
    history = RunHistory.read(run)
    store = _store_of(history, data)
    players = players_of(chosen_checkpoint(run, checkpoint))
    networks = {"generator": players.averaged.network}
    if with_discriminator:
        networks["discriminator"] = players.discriminator
    card = first_card(out.stem, history, players.checkpoint, store)
    # Judged as it will be: the draft has the very weights of the file that is written last.
    with TemporaryDirectory() as folder:
        draft = Path(folder) / out.name
        _write(draft, players, card, networks)
        card = _audited(card, draft, store, count=count, force=force, seed=seed)
        if data is not None or metrics is not None:
            card = _measured(card, draft, store, metrics=metrics, count=count, seed=seed)
        if attributes:
            pixels = sample(load_generator(draft), count=count or MODEL_COUNT, seed=seed)
            card = replace(card, attributes=measured_balance(store, pixels))
    _write(out, players, card, networks)
    page = out.with_suffix(".md")
    labels = players.conditioning.labels
    write_atomically(page, markdown(card, labels=labels, bundled=is_bundled(out)))
    return Exported(bundle.read(out), page)


def _write(path: Path, players: Players, card: Card, networks: dict[str, nn.Module]) -> None:
    shape = tuple(players.checkpoint.state["shape"])
    weights = {name: network.state_dict() for name, network in networks.items()}
    bundle.write(path, About(players.config.model, shape, card, players.conditioning), weights)


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
            fix=f"facewright export {run} --data STORE ...",
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
    card: Card, draft: Path, store: Store, *, count: int | None, force: bool, seed: int
) -> Card:
    """The card with the audit's verdict.

    Raises:
        FacewrightError: copies were found, or nobody can tell, and nobody insists.
    """
    try:
        found = audit(draft, data=store.path, count=count, seed=seed).audit
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
            fix=f"look at the pairs: facewright audit RUN --data {store.path}; or --force, and the "
            "card will say so",
        )
    facts = (
        f"{found.n_fake:,} generated images against {found.n_train:,} training photos; "
        f"{found.n_val:,} held-out photos show what is normal."
    )
    return replace(card, audit=Opinion(found.verdict, (*found.reasons, facts)), forced=copies)


def _measured(
    card: Card, draft: Path, store: Store, *, metrics: str | None, count: int | None, seed: int
) -> Card:
    """The card with the quality as it is now, measured as at the end of a training."""
    precision = resolve_precision("auto", torch.device("cpu"))
    found = evaluate(
        draft, data=store.path, metrics=metrics, count=count, precision=precision, seed=seed
    ).as_json()
    for refused in found["refused"]:
        log.warning("not in the card: %s: %s", refused["name"], refused["reason"])
    return replace(card, scores=scores(found["metrics"]))

"""What a run's records say of its model, as a model card."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from facewright import __version__
from facewright.data.store import Store
from facewright.doctor.diagnose import diagnose
from facewright.doctor.recorded import history_of
from facewright.json_form import restored
from facewright.models.card import Card, Opinion, Photos, Score, Training
from facewright.records.checkpoints import Checkpoint
from facewright.records.run_history import RunHistory, newest_metrics
from facewright.shipping.attribute_balance import balance

TERMS = "The terms of the photos hold for this model and for its images: "

NOT_AUDITED = Opinion("not audited", ("Nobody has looked for training photos among its images.",))


def first_card(name: str, run: RunHistory, checkpoint: Checkpoint, store: Store) -> Card:
    """The card of a checkpoint before anything was measured for it.

    Args:
        name: of the model.
        run: its records: cost, scores and the doctor's verdict at this moment are taken from them.
        checkpoint: the moment.
        store: that the run was trained on.
    """
    seen = checkpoint.state["images_seen"]
    photos = _photos(store)
    return Card(
        name=name,
        facewright=__version__,
        photos=photos,
        training=Training(
            recipe=run.recipe,
            game=checkpoint.state["config"]["loss"]["game"],
            images_seen=seen,
            seconds=round(checkpoint.state["seconds"], 1),
            machine="; ".join(dict.fromkeys(map(_machine, run.sessions))),
            amended=tuple(
                change
                for row in run.remedies
                if row["images_seen"] < seen
                for change in row["changed"]
            ),
            begun_with=_origin(run.init_from),
        ),
        doctor=_doctor(run, seen),
        audit=NOT_AUDITED,
        forced=False,
        scores=scores(
            newest_metrics([row for row in run.metrics if row.get("images_seen") == seen]).values()
        ),
        attributes=balance(store),
        terms=_terms(photos, run.init_from),
        limits=_limits(photos, run.init_from),
    )


def scores(rows: Iterable[Mapping[str, Any]]) -> tuple[Score, ...]:
    """Rows of `metrics.jsonl`, or of `evaluate`, as a card has them."""
    return tuple(
        Score(
            name=row["name"],
            value=row["value"] if math.isfinite(row["value"]) else None,
            interval=_interval(row),
            floor=row.get("floor"),
            n_real=row["n_real"],
            n_fake=row["n_fake"],
            features=row["features"],
            against=row.get("against", ""),
        )
        for row in map(restored, rows)
    )


def _interval(row: Mapping[str, Any]) -> tuple[float | None, float | None] | None:
    """As a card has it: an open end is `None`."""
    if not row.get("interval"):
        return None
    low, high = (end if end is not None and math.isfinite(end) else None for end in row["interval"])
    return low, high


def _photos(store: Store) -> Photos:
    source = store.manifest.get("source", {"kind": "unknown", "name": "unknown"})
    return Photos(
        source=f"{source['kind']} ({source['name']})",
        licence=store.manifest.get("licence", "not stated"),
        train=len(store.train),
        held_out=len(store.val),
        size=(store.shape[1], store.shape[2]),
        crop=store.crop,
        content_hash=store.content_hash,
    )


def _machine(session: Mapping[str, Any]) -> str:
    with_gpus = f", {', '.join(session['gpus'])}" if session["gpus"] else ", no GPU"
    return f"{session['cores']} cores of {session['cpu']}{with_gpus}"


def _doctor(run: RunHistory, images_seen: int) -> Opinion:
    """The verdict as it was at this moment: what went wrong later does not concern the model."""
    found = diagnose(history_of(run).until(images_seen))
    came = tuple(
        f"{finding.verdict} from {finding.first_seen_images:,} images, and then no more."
        for finding in found.findings
        if not finding.active and finding.grade == "problem"
    )
    return Opinion(
        found.verdict, (f"{found.message[:1].upper()}{found.message[1:].rstrip('.')}.", *came)
    )


def _origin(donor: Mapping[str, Any]) -> str:
    if not donor:
        return ""
    return f"{donor['name']} ({donor['images_seen']:,} images, sha256 {donor['sha256'][:12]})"


def _terms(photos: Photos, donor: Mapping[str, Any]) -> str:
    """Those of the photos, and of the model that it began with."""
    own = f"{TERMS}{photos.licence.rstrip('.')}."
    if not donor:
        return own
    known = donor.get("terms") or "they are not noted here: see how that model was trained."
    known = "they are the same." if known == own else known.removeprefix(TERMS)
    return f"{own} So do those of {donor['name']}, with whose weights it began: {known}"


def _limits(photos: Photos, donor: Mapping[str, Any]) -> tuple[str, ...]:
    height, width = photos.size
    return (
        *_of_the_donor(donor),
        f"It draws faces of {height}x{width} pixels, framed like those it was trained on (crop "
        f"{photos.crop}). It cannot be asked for a person.",
        f"It knows {photos.train:,} photos of one source. Whom these show seldom or never, it "
        "draws seldom, badly or never.",
        "The numbers above hold for these photos, this crop and this size, and for one training "
        "with one seed.",
        "The audit finds copies from a certain share on. It is no proof that there is none.",
        "The weights are kept in half precision, which moves some pixels by one step of 255. "
        "Scores taken from the run's records were measured before that.",
    )


def _of_the_donor(donor: Mapping[str, Any]) -> Iterator[str]:
    if donor:
        yield (
            f"It began with the weights of {donor['name']}. Photos that it had learned from before "
            "are looked for by the audit only where this run trained on them, too."
        )

"""A run that begins with another model's weights: which model, and what was taken."""

import logging
from pathlib import Path
from typing import Any

from rich.console import Console

from facewright.models import bundle
from facewright.models.bundle import Bundle
from facewright.models.bundled import bundle_path, refuse_unknown
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder
from facewright.training.donor import Donor

log = logging.getLogger(__name__)

NAMED = 4
"""Tensors that are named; of more the number is told."""

WORDS = {
    "reshaped": "left, as they have another shape",
    "elsewhere": "left, as they stand in a row that is built differently",
    "new": "left, as the model has none",
    "unused": "of the model, not used",
}
"""What each list of a match means."""


def donor_of(model: Path) -> Donor:
    """The model that `--init-from` names.

    Args:
        model: run folder, of which the newest checkpoint counts; one of its checkpoints; or a
            bundle or the name of a bundled model, whose one generator is an average.

    Raises:
        RunError: no model there.
        CheckpointError: no usable checkpoint.
        BundleError: a bundle that is damaged or foreign.
    """
    refuse_unknown(model)
    if path := bundle_path(model):
        return _of_bundle(bundle.read(path))
    if (model / "state.json").is_file():
        return Donor.of(checkpoints.read(model))
    chosen, damaged = checkpoints.sound(RunFolder.open(model).checkpoints)
    for sentence in damaged:
        log.warning("%s; using %s", sentence, chosen.path.name)
    return Donor.of(chosen)


def _of_bundle(read: Bundle) -> Donor:
    about = read.about
    return Donor(
        name=read.path.stem,
        path=read.path.resolve(),
        model=about.model,
        shape=about.shape,
        networks=read.networks,
        sha256=read.sha256,
        images_seen=about.card.training.images_seen,
        terms=about.card.terms,
        told=about.conditioning,
    )


def tell_beginning(folder: RunFolder) -> None:
    """Say, on standard error, what a new run has taken from another model."""
    report = checkpoints.read(folder.init).state
    donor = report["init_from"]
    lines = [
        f"begins with {donor['path']} ({donor['images_seen']:,} images, "
        f"sha256 {donor['sha256'][:12]}); all of it: {folder.init / 'state.json'}",
        *(f"  {difference}" for difference in report["differences"]),
    ]
    for network, match in report["networks"].items():
        lines += _lines(network, match)
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print("\n".join(lines))


def _lines(network: str, match: dict[str, Any]) -> list[str]:
    name = "average" if network == "ema" else network
    head = f"  {name}: {match['layers_taken']} of {match['layers']} layers taken"
    return [
        f"{head} ({len(match['taken'])} tensors)",
        *(f"    {words}: {_some(match[key])}" for key, words in WORDS.items() if match[key]),
    ]


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")

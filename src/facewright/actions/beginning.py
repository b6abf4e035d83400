"""What a run has taken from the model with whose weights it began, in words."""

from typing import Any

from facewright import settings
from facewright.config import TrainConfig
from facewright.records import checkpoints
from facewright.records.run_folder import RunFolder

NAMED = 4
"""Tensors that are listed by name; of more only the number is given."""

WORDS = {
    "reshaped": "left, as they have another shape",
    "elsewhere": "left, as they stand in a row that is built differently",
    "new": "left, as the model has none",
    "unused": "of the model, not used",
}
"""What each list of a match means."""


def in_words(folder: RunFolder) -> str:
    """Which model it was, and what became of each of its networks."""
    report = checkpoints.read(folder.init).state
    donor = report["init_from"]
    lines = [
        f"begins with {donor['path']} ({donor['images_seen']:,} images, "
        f"sha256 {donor['sha256'][:12]}); all of it: {folder.init / 'state.json'}",
        *(f"  {difference}" for difference in report["differences"]),
    ]
    for network, match in report["networks"].items():
        lines += _lines(network, match)
    if not report["networks"]["discriminator"]["layers_taken"]:
        lines.append(_untaught(settings.read(folder.config).train))
    return "\n".join(lines)


def _untaught(train: TrainConfig) -> str:
    """What becomes of a trained generator beside a discriminator that knows nothing."""
    begins = "the discriminator begins with random weights"
    if train.hold_generator:
        return f"  {begins} and learns alone for {train.hold_generator:,} images"
    some = max(1, train.images // 10)
    return (
        f"  {begins}, and its first verdicts may undo what the generator has learned: "
        f"--set train.hold_generator={some} lets it learn alone for so many images first"
    )


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

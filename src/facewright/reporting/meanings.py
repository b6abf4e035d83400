"""Names of measured numbers as sentences."""

import math
from collections.abc import Mapping
from typing import Any

from facewright.reporting.words import number

METRICS = {
    "js_bits": "Bits by which a fresh discriminator tells photos from generated images: 0 at "
    "the equilibrium, 1 when they cannot be confused. The number to watch.",
    "duality_gap": "What both players together could still gain. It does not go to 0 even for "
    "good generators; watch js_bits.",
    "regret_d": "What the discriminator could still gain by learning on. Large: the generator "
    "is not really being tested.",
    "regret_g": "What the generator could still gain against today's discriminator. Rises "
    "when the discriminator is easy to cheat, so high is not always bad.",
    "fid": "Distance between the features of photos and of generated images. Lower is better.",
    "fd": "Distance between the features of photos and of generated images. Lower is better.",
    "kid": "Distance between the features, fair also for few images. Lower is better.",
    "precision": "Share of generated images that look like some photo. Higher is better.",
    "recall": "Share of photos that the generator could have drawn. Higher is better.",
    "density": "How many photos are around a generated image. Near 1 is best.",
    "coverage": "Share of photos that have a generated image beside them. Higher is better; "
    "a fall means that kinds of photos are lost.",
    "vendi": "How many truly different images there are. Best where photos are.",
    "swd": "Distance between the pixels' distributions. Lower is better.",
}
"""By the name without its features; metrics that are not here are described by their facts."""

EVIDENCE = {
    "d_loss": "discriminator's loss",
    "g_loss": "generator's loss",
    "real_logit": "mean logit on photos",
    "fake_logit": "mean logit on generated images",
    "d_penalty": "penalties in the discriminator's loss",
    "d_grad_norm": "length of the discriminator's gradient",
    "g_grad_norm": "length of the generator's gradient",
    "support": "different images there seem to be",
    "label_support": "different images of one label",
    "nearest_ratio": "distance to the most similar generated image (photos: 1)",
    "coverage": "share of photos with a generated image close by",
    "drift_per_100_steps": "movement of images in 100 steps at the rates set (two photos: 1)",
    "limit": "limit",
    "steepness": "gradient that reaches a generated image",
    "level": "size of the discriminator's verdicts",
    "gradient_over_median": "gradients over their usual length",
    "d_loss_over_draw": "discriminator's loss over that of a draw",
    "reversed_share": "share of steps with generated images rated above photos",
    "gap_in_spreads": "photos rated above generated images by, in standard deviations",
    "js_bits": "bits by which a linear classifier tells them apart",
    "seen_above_held_out": "share of pairs with the training photo above (fair: 0.5)",
    "by_heart": "excess of training photos over held-out ones, in leads over generated images",
    "distance_over_best": "distance to held-out photos over the least there was",
    "turns": "changes of the lead",
    "wander": "difference between the extremes of the lead, in standard deviations",
    "gain": "relative gain of late",
    "over_images": "images over which that was measured",
    "scores": "scored checkpoints",
}
"""What the numbers behind a finding are called."""


def of_metric(name: str) -> str:
    """How to read a metric, in a sentence; empty for one that is not known here."""
    base = name.partition("@")[0]
    return METRICS.get(base, METRICS.get(base.partition("_")[0], ""))


def of_evidence(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The numbers behind a finding, with what each one is."""
    return [
        (EVIDENCE.get(name, name.replace("_", " ")), _shown(name, value))
        for name, value in evidence.items()
        if value is not None
    ]


def _shown(name: str, value: Any) -> str:
    endless = name == "support" and value == math.inf
    return "more than can be counted" if endless else number(value)

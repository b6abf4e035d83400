"""A bundle of a tiny network that nobody has trained."""

from dataclasses import replace
from pathlib import Path

import torch

from facewright.config import ModelConfig
from facewright.models import bundle
from facewright.models.bundle import About
from facewright.models.card import (
    Attribute,
    Card,
    Guesses,
    Opinion,
    Photos,
    Score,
    Training,
)
from facewright.networks.build import build_generator

MODEL = ModelConfig(width=4, z_dim=8)
SHAPE = (3, 16, 16)

CARD = Card(
    name="tiny",
    facewright="0.1.0",
    photos=Photos("celeba (x.zip)", "research only", 900, 100, (16, 16), "celeba-108", "abc" * 20),
    training=Training("drawn-32", "hinge", 12_800, 90.0, "2 cores of a CPU", ("loss.r1: 0 -> 1",)),
    doctor=Opinion("healthy", ("No known failure is there.",)),
    audit=Opinion("no sign of copying", ("Copies would have been noticed from about 2% on.",)),
    forced=False,
    scores=(
        Score("fid", 26.25, (25.5, 26.9), 2.25, 900, 10_000, "inception/legacy@123", "train"),
        Score("modes", None, None, None, 0, 10_000, "pixels", "train"),
    ),
    attributes=(
        Attribute(
            "gender",
            "as labelled",
            {"male": 0.4, "female": 0.6},
            Guesses({"male": 0.35, "female": 0.65}, {"male": 0.1, "female": 0.9}, 0.95, 0.6),
        ),
        Attribute(
            "Blurry",
            "",
            {"no": 0.75, "yes": 0.25},
            Guesses({"no": 1.0, "yes": 0.0}, {"no": 0.125, "yes": 0.875}, 0.75, 0.75),
        ),
    ),
    terms="research only holds for this model, too.",
    limits=("It draws small faces.",),
)

ABOUT = About(MODEL, SHAPE, CARD)


def networks(seed: int = 0, conditions: int = 0) -> dict[str, dict[str, torch.Tensor]]:
    """First weights, made coarse enough that half precision would show."""
    rng = torch.Generator().manual_seed(seed)
    return {"generator": build_generator(MODEL, SHAPE, rng, conditions).state_dict()}


def write_bundle(path: Path, *, seed: int = 0, **changes: object) -> Path:
    """A bundle whose card or settings may differ from the example."""
    about = replace(ABOUT, **changes)
    bundle.write(path, about, networks(seed, about.conditioning.size))
    return path

"""One look at both players: a dozen numbers that the losses do not show."""

import base64
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facewright.doctor.borrowed import borrowed
from facewright.doctor.reference import Reference, mean_pair, shrunk, without_self
from facewright.losses.adversarial import Game
from facewright.rng import rng_for, seed_for

ANCHORS = 64
"""Latents that every snapshot draws again, to see how far their images have moved."""
STEEPNESS = 256
"""Images for which the gradient that reaches the generator is measured."""
NEIGHBOURS = 5
"""A photo is covered when a generated image is nearer than its fifth neighbour."""


Latents = Callable[[int, torch.Generator], Tensor]
"""Draws so many latents, with this source of random numbers."""


@dataclass(frozen=True)
class Snapshot:
    """Both players at one moment, seen in the mode in which they train.

    Distances are between images shrunk to at most 16 pixels a side. `None` means that the
    number could not be had.
    """

    step: int
    images_seen: int
    drift: float | None
    """How far the images of fixed latents moved since the snapshot before, over the mean
    distance of two photos. 0: nothing moves any more; about 1: as good as new images."""
    drift_steps: int | None
    """Steps since the snapshot before."""
    nearest_ratio: float
    """Median distance of a generated image to the next one, over that of photos."""
    support: float | None
    """How many different images there seem to be: pairs over pairs of copies. Infinite
    when no two are copies; `None` when photos have copies themselves."""
    diversity: float
    """Mean distance of two generated images, over that of photos."""
    coverage: float
    """Share of held-out photos with a generated image nearer than their fifth neighbour;
    0.97 for photos against photos."""
    distance: float
    """Energy distance of generated images and held-out photos, over the photos' spread."""
    steepness: float
    """Length of the gradient of the generator's loss at one of its images, on average."""
    real_logit: float
    """Mean verdict on photos that it trains on."""
    real_logit_std: float
    held_out_logit: float
    """Mean verdict on photos that it never saw."""
    fake_logit: float
    fake_logit_std: float
    seen_above_held_out: float
    """Share of pairs in which the training photo has the higher verdict; 0.5 if the
    discriminator has learned nothing by heart."""
    anchors: str
    """The fixed latents' images, shrunk, as base64 of bytes: the next snapshot needs them,
    also when the run was resumed in between."""
    js_bits: float | None = None
    """Distance from equilibrium by a fresh judge, where one was asked."""

    def as_json(self) -> dict[str, Any]:
        """For `snapshots.jsonl`; JSON knows no infinity."""
        row = dataclasses.asdict(self)
        return {name: _finite(value) for name, value in row.items()}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Snapshot":
        """What `as_json` wrote."""
        known = {field.name for field in dataclasses.fields(cls)}
        numbers = {name: _number(value) for name, value in row.items() if name in known}
        return cls(**numbers)


def _finite(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _number(value: Any) -> Any:
    return float(value) if value in ("nan", "inf", "-inf") else value


@torch.no_grad()
def take_snapshot(
    generator: nn.Module,
    discriminator: nn.Module,
    reference: Reference,
    latents: Latents,
    *,
    game: Game,
    before: Snapshot | None,
    step: int,
    images_seen: int,
) -> Snapshot:
    """Look at both players.

    Args:
        generator: latents to images in the range of the photos.
        discriminator: images to logits, of any shape that has one number per image.
        reference: the photos.
        latents: draws what the generator starts from.
        game: says what the generator is after.
        before: the snapshot before this one, if there was one.
        step: of the run.
        images_seen: by the discriminator.
    """
    device = next(generator.parameters()).device
    count = len(reference.held_out)
    with borrowed(generator, discriminator, seed=seed_for(0, step, "doctor")):
        fake = generator(latents(count, rng_for(0, step, "doctor/fresh")).to(device))
        fixed = generator(latents(ANCHORS, rng_for(0, 0, "doctor/anchors")).to(device))
        # In one batch, so that batch norm treats photos seen and not seen alike.
        photos = torch.cat([reference.seen, reference.held_out]).to(device)
        seen, held_out = (
            discriminator(photos)
            .flatten()
            .cpu()
            .split([len(reference.seen), len(reference.held_out)])
        )
        fakes = discriminator(fake).flatten().cpu()
        some, real = fake[:STEEPNESS], photos[:STEEPNESS]
        steepness = _steepness(discriminator, real[: len(some)], some[: len(real)], game)
    anchors = _bytes(shrunk(fixed), reference)
    return Snapshot(
        step=step,
        images_seen=images_seen,
        drift=_drift(before.anchors, anchors, reference) if before else None,
        drift_steps=step - before.step if before else None,
        **_among(shrunk(fake), reference),
        steepness=steepness,
        real_logit=float(seen.mean()),
        real_logit_std=float(seen.std()),
        held_out_logit=float(held_out.mean()),
        fake_logit=float(fakes.mean()),
        fake_logit_std=float(fakes.std()),
        seen_above_held_out=_share_above(seen, held_out),
        anchors=base64.b64encode(anchors.tobytes()).decode(),
    )


def _among(fake: Tensor, reference: Reference) -> dict[str, Any]:
    """What the distances among generated images, and to photos, say."""
    own = without_self(torch.cdist(fake, fake))
    across = torch.cdist(reference.small, fake)
    radii = reference.distances.kthvalue(NEIGHBOURS, dim=1).values
    spread = reference.spread
    nearest = float(own.min(dim=1).values.median() / reference.nearest.median())
    return {
        "nearest_ratio": nearest,
        "support": _support(own, reference.copy_distance),
        "diversity": mean_pair(own) / spread,
        "coverage": float((across.min(dim=1).values < radii).float().mean()),
        "distance": 2 * float(across.double().mean()) / spread - mean_pair(own) / spread - 1,
    }


def _support(own: Tensor, copy_distance: float) -> float | None:
    """Pairs over pairs of copies (Arora et al. 2018, arXiv:1706.08224)."""
    if copy_distance == 0:
        return None
    copies = int((own < copy_distance).sum()) / 2
    return math.comb(len(own), 2) / copies if copies else math.inf


@torch.enable_grad()
def _steepness(discriminator: nn.Module, real: Tensor, fake: Tensor, game: Game) -> float:
    fake = fake.detach().requires_grad_(True)
    losses = game.g_loss(discriminator(real).flatten().detach(), discriminator(fake).flatten())
    (gradient,) = torch.autograd.grad(losses.sum(), fake)
    return float(gradient.flatten(1).norm(dim=1).mean())


def _share_above(seen: Tensor, held_out: Tensor) -> float:
    """P[seen > held out], ties counted half."""
    difference = seen[:, None] - held_out[None, :]
    return float((difference.sign().mean() + 1) / 2)


def _bytes(small: Tensor, reference: Reference) -> np.ndarray:
    low, high = float(reference.small.min()), float(reference.small.max())
    scaled = (small.nan_to_num() - low) * (255 / (high - low))
    return scaled.round().clamp(0, 255).to(torch.uint8).numpy()


def _drift(before: str, anchors: np.ndarray, reference: Reference) -> float:
    earlier = np.frombuffer(base64.b64decode(before), np.uint8).reshape(anchors.shape)
    moved = np.linalg.norm(anchors.astype(float) - earlier.astype(float), axis=1).mean()
    low, high = float(reference.small.min()), float(reference.small.max())
    return float(moved) * (high - low) / 255 / reference.spread

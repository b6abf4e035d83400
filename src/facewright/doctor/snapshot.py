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
from facewright.doctor.linear_judge import linear_js_bits
from facewright.doctor.reference import ReferencePhotos, mean_pair, shrunk, without_self
from facewright.errors import ConfigError
from facewright.images import at_once
from facewright.json_form import plain, restored
from facewright.networks.conditional import conditioned
from facewright.objective.adversarial import Game
from facewright.ranks import share_above
from facewright.records.record import DAMAGED
from facewright.rng import rng_for, seed_for
from facewright.schema import Number, WholeNumber, parsed

ANCHORS = 16
"""Latents that every snapshot draws again, to see how far their images have moved."""
LEAST_BATCH = 8
STEEPNESS = 128
"""Images for which the gradient that reaches the generator is measured."""
NEIGHBOURS = 5
"""A photo is covered when a generated image is nearer than its fifth neighbour."""
OF_ONE_LABEL = 10
"""Images of the same labels in a look, from which on it can be told whether they differ."""


Latents = Callable[[int, torch.Generator], Tensor]
"""Draws so many latents, with this source of random numbers."""


@dataclass(frozen=True)
class Snapshot:
    """Both players at one moment, seen in the mode in which they train.

    Distances are between images shrunk to at most 16 pixels a side. `None` means that the
    number could not be had.
    """

    step: WholeNumber
    images_seen: WholeNumber
    drift: Number | None
    """How far the images of fixed latents moved since the snapshot before, over the mean
    distance of two photos. 0: nothing moves any more; about 1: as good as new images."""
    drift_steps: WholeNumber | None
    """Steps since the snapshot before."""
    nearest_ratio: Number
    """Median distance of a generated image to the next one, over that of photos."""
    support: Number | None
    """How many different images there seem to be: pairs over pairs of copies. Infinite
    when no two are copies; `None` when photos have copies themselves."""
    diversity: Number
    """Mean distance of two generated images, over that of photos."""
    coverage: Number
    """Share of held-out photos with a generated image nearer than their fifth neighbour;
    0.97 for photos against photos."""
    distance: Number
    """Energy distance of generated images and held-out photos, over the mean distance of two
    photos."""
    steepness: Number
    """Length of the gradient of the generator's loss at one of its images, on average."""
    real_logit: Number
    """Mean verdict on photos that it trains on."""
    real_logit_std: Number
    held_out_logit: Number
    """Mean verdict on photos that it never saw."""
    fake_logit: Number
    fake_logit_std: Number
    seen_above_held_out: Number
    """Share of pairs in which the training photo has the higher verdict; 0.5 if the
    discriminator has learned nothing by heart."""
    anchors: str
    """The fixed latents' images, shrunk, as base64 of bytes: the next snapshot needs them,
    also when the run was resumed in between."""
    label_support: Number | None = None
    """The least `support` among images of the same labels; `None` without labels, or where no
    look has enough of any."""
    js_bits: Number | None = None
    """Bits by which a linear classifier of shrunk images tells photos from generated ones."""

    def as_json(self) -> dict[str, Any]:
        """For `snapshots.jsonl`."""
        return plain(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Snapshot":
        """What `as_json` wrote, by this version or a later one.

        Raises:
            RunError: something else.
        """
        known = {field.name for field in dataclasses.fields(cls)} & row.keys()
        found = {name: restored(row[name]) for name in known}
        return parsed(cls, found, "snapshots.jsonl", DAMAGED)


def take_snapshot(
    generator: nn.Module,
    discriminator: nn.Module,
    reference: ReferencePhotos,
    latents: Latents,
    *,
    game: Game,
    before: Snapshot | None,
    batch: int,
    step: int,
    images_seen: int,
) -> Snapshot:
    """Look at both players.

    Args:
        generator: latents to images in the range of the photos.
        discriminator: images to logits; several for one image are averaged.
        reference: the photos.
        latents: draws what the generator starts from.
        game: says what the generator is after.
        before: the snapshot before this one, if there was one.
        batch: images of each kind that the discriminator sees at once in training.
        step: of the run.
        images_seen: by the discriminator.

    Raises:
        ConfigError: the discriminator does not return a tensor.
    """
    weight = next(generator.parameters())
    batch = max(batch, LEAST_BATCH)
    with borrowed(generator, discriminator, seed=seed_for(0, step, "doctor")):
        z = latents(len(reference.held_out), rng_for(0, step, "doctor/fresh")).to(weight)
        fixed_z = latents(ANCHORS, rng_for(0, 0, "doctor/anchors")).to(weight)
        # Each generated image has the labels of the held-out photo that it stands beside.
        conditions = reference.held_out_conditions.to(weight)
        with torch.no_grad():
            at_a_time = max(batch, at_once(reference.held_out.shape[1:]))
            fake = drawn(generator, z, conditions, at_a_time)
            fixed = conditioned(generator, conditions[:ANCHORS])(fixed_z)
            seen, held_out = _both_kinds(discriminator, reference, batch, weight, step)
            parts = zip(fake.split(batch), conditions.split(batch), strict=True)
            fakes = torch.cat([verdicts(conditioned(discriminator, c), part) for part, c in parts])
        real = reference.held_out.to(weight)
        rows = (real, fake[:STEEPNESS], conditions)
        steepness = _steepness(discriminator, rows, game, batch)
    fakes = fakes.cpu()
    anchors = _bytes(shrunk(fixed), reference)
    return Snapshot(
        step=step,
        images_seen=images_seen,
        drift=_drift(before.anchors, anchors, reference) if before else None,
        drift_steps=step - before.step if before else None,
        **_among(shrunk(fake), conditions.cpu(), reference),
        steepness=steepness,
        real_logit=float(seen.mean()),
        real_logit_std=float(seen.std()),
        held_out_logit=float(held_out.mean()),
        fake_logit=float(fakes.mean()),
        fake_logit_std=float(fakes.std()),
        seen_above_held_out=float(share_above(seen, held_out)),
        anchors=base64.b64encode(anchors.tobytes()).decode(),
    )


def drawn(generator: nn.Module, z: Tensor, conditions: Tensor, batch: int) -> Tensor:
    """The images that a generator makes of latents and their conditions, some at a time."""
    parts = zip(z.split(batch), conditions.split(batch), strict=True)
    return torch.cat([conditioned(generator, given)(part) for part, given in parts])


def verdicts(discriminator: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """(N,) one number for each image, also where the discriminator rates parts of it.

    Raises:
        ConfigError: it does not return a tensor.
    """
    said = discriminator(images)
    if not isinstance(said, Tensor):
        raise ConfigError(
            f"a discriminator that returns a {type(said).__name__}",
            expected="a tensor with one number, or some, for each image",
            fix="a small module that calls it and returns its verdict",
        )
    return one_each(said)


def one_each(said: Tensor) -> Tensor:
    """(N, ...) to (N,) float: the mean of what was said of each image."""
    return said.float().reshape(len(said), -1).mean(dim=1)


def _both_kinds(
    discriminator: nn.Module, reference: ReferencePhotos, batch: int, weight: Tensor, step: int
) -> tuple[Tensor, Tensor]:
    """Verdicts on photos seen and held out, mixed in each batch as batch norm has to see them.

    Other photos at each look: the same ones would be rated higher by chance at all of them.
    """
    kinds = [pool.drawn(step) for pool in (reference.train, reference.val)]
    photos, conditions = (torch.cat(parts) for parts in zip(*kinds, strict=True))
    order = torch.randperm(len(photos), generator=rng_for(0, 0, "doctor/mix"), device="cpu")
    # Equal parts: a small rest would be normalised by itself.
    parts = order.tensor_split(max(1, round(len(order) / batch)))
    said = []
    for part in parts:
        rate = conditioned(discriminator, conditions[part].to(weight))
        said.append(verdicts(rate, photos[part].to(weight)).cpu())
    said = torch.cat(said)
    back = torch.empty_like(said)
    back[order] = said
    seen = len(kinds[0][0])
    return back[:seen], back[seen:]


def _among(fake: Tensor, conditions: Tensor, reference: ReferencePhotos) -> dict[str, Any]:
    """What the distances among generated images, and to photos, say."""
    own = without_self(torch.cdist(fake, fake))
    across = torch.cdist(reference.small, fake)
    radii = reference.distances.kthvalue(NEIGHBOURS, dim=1).values
    mean_distance = reference.mean_distance
    energy = 2 * float(across.double().mean()) / mean_distance - mean_pair(own) / mean_distance
    nearest = float(own.min(dim=1).values.median() / reference.nearest.median())
    return {
        "nearest_ratio": nearest,
        "support": _support(own, reference.copy_distance),
        "label_support": _label_support(own, conditions, reference.copy_distance),
        "diversity": mean_pair(own) / mean_distance,
        "coverage": float((across.min(dim=1).values < radii).float().mean()),
        "distance": energy - 1,
        "js_bits": linear_js_bits(reference.small, fake),
    }


def _support(own: Tensor, copy_distance: float) -> float | None:
    """Pairs over pairs of copies (Arora et al. 2018, arXiv:1706.08224)."""
    if copy_distance == 0:
        return None
    copies = int((own < copy_distance).sum()) / 2
    return math.comb(len(own), 2) / copies if copies else math.inf


def _label_support(own: Tensor, conditions: Tensor, copy_distance: float) -> float | None:
    """The least support within the images of one condition."""
    if conditions.shape[1] == 0:
        return None
    _, kinds, counts = conditions.unique(dim=0, return_inverse=True, return_counts=True)
    rows = (torch.nonzero(kinds == kind)[:, 0] for kind in torch.nonzero(counts >= OF_ONE_LABEL))
    found = (_support(own[some][:, some], copy_distance) for some in rows)
    return min((support for support in found if support is not None), default=None)


def _steepness(
    discriminator: nn.Module, rows: tuple[Tensor, Tensor, Tensor], game: Game, batch: int
) -> float:
    """Of photos, generated images and the conditions of both: as many of each as there are."""
    lengths = []
    count = min(map(len, rows))
    parts = zip(*(part[:count].split(batch) for part in rows), strict=True)
    for photos, images, conditions in parts:
        rate = conditioned(discriminator, conditions)
        images = images.detach().requires_grad_(True)
        real_logits = torch.zeros(len(photos)).to(images)
        if game.g_sees_real:
            with torch.no_grad():
                real_logits = verdicts(rate, photos)
        losses = game.g_loss(real_logits, verdicts(rate, images))
        (gradient,) = torch.autograd.grad(losses.sum(), images)
        lengths.append(gradient.flatten(1).float().norm(dim=1))
    return float(torch.cat(lengths).mean())


def _bytes(small: Tensor, reference: ReferencePhotos) -> np.ndarray:
    low, high = float(reference.small.min()), float(reference.small.max())
    scaled = (small.nan_to_num() - low) * (255 / (high - low))
    return scaled.round().clamp(0, 255).to(torch.uint8).numpy()


def _drift(before: str, anchors: np.ndarray, reference: ReferencePhotos) -> float | None:
    try:
        earlier = np.frombuffer(base64.b64decode(before), np.uint8).reshape(anchors.shape)
    except ValueError:  # no images, or of photos of another size
        return None
    moved = np.linalg.norm(anchors.astype(float) - earlier.astype(float), axis=1).mean()
    low, high = float(reference.small.min()), float(reference.small.max())
    return float(moved) * (high - low) / 255 / reference.mean_distance

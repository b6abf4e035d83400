"""Is a training really what its label says? Judged by what the doctor never looks at.

Quality comes from networks that know digits or faces, on photos and generated images that
the doctor has not seen; the kind of failure from how it was induced, and from the weights.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.failures.recipe import Recipe
from benchmarks.failures.training import (
    STORES,
    Z_DIM,
    Discriminator,
    kept_steps,
    networks_of,
    photos_of,
)
from facewright.data.store import Store
from facewright.images import to_model_range, to_pixels
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.frechet import frechet_distance
from facewright.networks.device import resolve_precision
from facewright.rng import rng_for

FAKES = 400
CROPS = {"celeba": "celeba-108", "utk": "none"}


@dataclass(frozen=True)
class Facts:
    """What was measured of a training afterwards.

    Args:
        distance: Fréchet distance of 400 generated images to photos, in the middle and at the end.
        different: generated images that are no near copy of another one, of 400.
        by_heart: verdicts on training photos minus those on unseen ones, in standard deviations.
        change: of the generator's weights between the first and the last kept moment.
        finite: are all weights finite?
    """

    distance: dict[int, float]
    different: int
    by_heart: float
    change: float
    finite: bool


def facts(recipe: Recipe, seed: int, stores: Path, folder: Path) -> Facts:
    """Measure, or read what was measured before."""
    path = folder / "facts.json"
    if not path.exists():
        measured = asdict(_measure(recipe, seed, stores, folder))
        path.write_text(json.dumps(measured), encoding="utf-8")
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["distance"] = {int(step): value for step, value in stored["distance"].items()}
    return Facts(**stored)


@torch.no_grad()
def _measure(recipe: Recipe, seed: int, stores: Path, folder: Path) -> Facts:
    train, held_out = photos_of(recipe, stores, seed)
    shape = (train.shape[3], train.shape[1], train.shape[2])
    generator, discriminator = networks_of(recipe, shape, seed)
    paths = [(step, folder / f"{step}.pt") for step in (kept_steps(recipe)[0], recipe.steps)]
    states = [(step, path) for step, path in paths if path.exists()]
    distance, vectors, pixels = {}, [], np.zeros((0, *train.shape[1:]), np.uint8)
    for step, path in states:
        weights = torch.load(path, weights_only=True)
        generator.load_state_dict(weights["g"])
        discriminator.load_state_dict(weights["d"])
        for player in (generator, discriminator):
            player.fault = recipe.fault if step >= recipe.fault.at else player.fault
        vectors.append(torch.cat([w.flatten() for w in generator.parameters()]))
        if not vectors[-1].isfinite().all():
            return Facts(distance, 0, 0.0, np.inf, finite=False)
        pixels = to_pixels(generator(torch.randn(FAKES, Z_DIM, generator=rng_for(seed, 1, "o"))))
        distance[step] = _distance(recipe.data, str(stores), pixels)
    if not states:
        return Facts({}, 0, 0.0, np.inf, finite=False)
    change = float((vectors[-1] - vectors[0]).norm() / vectors[0].norm())
    by_heart = _by_heart(discriminator, train, held_out)
    return Facts(distance, _different(pixels), by_heart, change, finite=True)


def _by_heart(discriminator: Discriminator, train: np.ndarray, held_out: np.ndarray) -> float:
    """Cohen's d of the verdicts on the last photos; the doctor draws its own at random."""
    seen = discriminator(to_model_range(train[-1000:]))
    unseen = discriminator(to_model_range(held_out[-1000:]))
    return float((seen.mean() - unseen.mean()) / unseen.std())


def _different(pixels: np.ndarray) -> int:
    """How many images are left when near copies count once?"""
    flat = torch.from_numpy(pixels.reshape(len(pixels), -1)).double() / 255
    near = torch.cdist(flat, flat) / flat.shape[1] ** 0.5 < 0.01
    return int((near.float().argmax(dim=1) == torch.arange(len(flat))).sum())


def _distance(data: str, stores: str, pixels: np.ndarray) -> float:
    extractor = _extractor(data)
    return float(frechet_distance(_photos(data, stores), extractor(pixels)).value)


@cache
def _photos(data: str, stores: str) -> Tensor:
    pixels = Store.open(Path(stores) / STORES[data]).train
    return _extractor(data)(pixels[:: len(pixels) // 1000][:1000])


@cache
def _extractor(data: str):
    if data == "mnist":
        return build_extractor("digits", "fp32")
    # Emulated bf16 takes a minute a training.
    precision = resolve_precision("auto", torch.device("cpu"))
    return build_extractor("face", precision, crop=CROPS[data])

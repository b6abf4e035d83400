"""Below how many held-out photos do live scores take noise for faces?

    python -m benchmarks.few_held_out --data stores/celeba28 stores/utk28

Draws so many held-out photos and as many images again and again, as a training does when it
scores a checkpoint, and prints coverage (k = 5) and the Fréchet distance in face features of:
photos trained on, a bundled model's faces, and images that show no face. A score tells them apart
where all but 5 % of the faces' draws are better than all but 5 % of those without a face.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from facewright.cache import cache_folder
from facewright.data.store import Store
from facewright.metrics.coverage import neighbourhoods
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.frechet import frechet_distance
from facewright.models.open_model import open_model
from facewright.planning.recipes import read_recipe
from facewright.rng import rng_for
from facewright.sampling.sample import sample
from facewright.training.ema_statistics import generated
from facewright.training.state import fresh_state

MOST = 1_000
"""Images of each kind that draws are made from."""

TAIL = 0.05
"""Of the draws, on either side, that may be mistaken."""


def impostors(photos: np.ndarray) -> dict[str, np.ndarray]:
    """(N, H, W, C) uint8 images without a face, by what they are."""
    rng = np.random.default_rng(0)
    few = torch.from_numpy(rng.integers(256, size=(len(photos), photos.shape[3], 4, 4))).float()
    smooth = interpolate(few, size=photos.shape[1:3], mode="bicubic").clamp(0, 255)
    pixels = photos.reshape(len(photos), -1, photos.shape[3])
    return {
        "noise": rng.integers(256, size=photos.shape, dtype=np.uint8),
        "gray noise": np.clip(rng.normal(128, 10, size=photos.shape), 0, 255).astype(np.uint8),
        "smooth noise": smooth.permute(0, 2, 3, 1).byte().numpy(),
        "shuffled pixels": rng.permuted(pixels, axis=1).reshape(photos.shape),
        "the mean face": np.clip(
            photos.mean(axis=0, keepdims=True) + rng.normal(0, 2, size=photos.shape), 0, 255
        ).astype(np.uint8),
        "untrained": untrained(photos),
    }


def untrained(photos: np.ndarray) -> np.ndarray:
    """What the generator of `fast-28` or `fast-64` draws before its first step."""
    shape = photos.shape[3], photos.shape[1], photos.shape[2]
    config = read_recipe("fast-28" if photos.shape[1] < 48 else "fast-64")
    state = fresh_state(config, shape, torch.device("cpu"))
    z = torch.randn(len(photos), config.model.z_dim, generator=rng_for(0, 0, "latents"))
    return generated(state, z, torch.zeros(len(photos), 0), shape)


def draws(photos: Tensor, images: Tensor, count: int, times: int) -> dict[str, np.ndarray]:
    """(times,) scores of so many images against as many photos, by name."""
    rng = np.random.default_rng(count)
    found: dict[str, list[float]] = {"coverage": [], "fd": []}
    for _ in range(times):
        real, fake = (
            one[torch.from_numpy(rng.choice(len(one), count, replace=False))]
            for one in (photos, images)
        )
        found["coverage"].append(neighbourhoods(real, fake).coverage.value)
        found["fd"].append(frechet_distance(real, fake).value)
    return {name: np.array(values) for name, values in found.items()}


def separate(faces: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> dict[str, bool]:
    """For each score: are nearly all draws of faces better than nearly all of the others?"""
    return {
        "coverage": bool(
            np.quantile(faces["coverage"], TAIL) > np.quantile(others["coverage"], 1 - TAIL)
        ),
        "fd": bool(np.quantile(faces["fd"], 1 - TAIL) < np.quantile(others["fd"], TAIL)),
    }


def main() -> None:
    """Read the command line, and print a line for each count and kind of image."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--model", default="faces-28")
    parser.add_argument("--counts", nargs="+", type=int, default=[8, 16, 26, 50, 75, 100, 150, 200])
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    made = sample(open_model(Path(options.model)), count=MOST, seed=0)
    for data in options.data:
        store = Store.open(data)
        extractor = build_extractor("face", crop=store.crop)
        kept = FeatureCache(cache_folder("features"))
        held_out, trained_on = (
            kept.features(np.ascontiguousarray(side[:MOST]), extractor)
            for side in (store.val, store.train)
        )
        kinds = {"photos": trained_on, options.model: kept.features(made, extractor)}
        for name, images in impostors(np.asarray(store.val[:MOST])).items():
            kinds[name] = kept.features(images, extractor)
        for count in options.counts:
            if count > len(held_out):
                continue
            found = {
                name: draws(held_out, features, count, options.times)
                for name, features in kinds.items()
            }
            for name, scores in found.items():
                line = [f"{data.name} {count:>5} {name:16}"]
                for score, values in scores.items():
                    low, middle, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL])
                    line.append(f"{score} {middle:.3f} ({low:.3f} to {high:.3f})")
                if name not in ("photos", options.model):
                    told = separate(found[options.model], scores)
                    line += [f"{one} {'tells' if yes else 'FAILS'}" for one, yes in told.items()]
                print("  ".join(line), flush=True)


if __name__ == "__main__":
    main()

"""How often does a conditional generator obey its conditions?

    python -m benchmarks.conditional --store STORE --recipe RECIPE --out RUN [--images N]

Trains on labels of the store, unless the run exists already; what was interrupted goes on. Then
asks for each value of each label. A classifier of our own, trained on labelled photos, says
whether it sees what was asked for: a logistic regression on the features of the face network.

It errs too: beside the generator's rate stands that of held-out photos which have the label, the
most that can be expected, and that of images drawn without asking for it, which is what a
generator gets that does not listen. The classifier weighs both values the same, so that a rare
label is not seen too rarely.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.trained import train
from facewright.cache import cache_folder
from facewright.conditions import Label
from facewright.data.store import Store
from facewright.metrics.domain import usual_features
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.frechet import frechet_distance
from facewright.models.open_model import Model, open_model
from facewright.sampling.sample import sample, with_labels

LABELS = ("Male", "Smiling")


class Eyes:
    """Classifiers that have learned the labels from photos.

    Args:
        store: with the labels.
        extractor: of the features that they look at.
        labels: to be learned.
    """

    def __init__(self, store: Store, extractor: Extractor, labels: Sequence[Label]) -> None:
        self.extractor = extractor
        kept = FeatureCache(cache_folder("features"))
        train, self.held_out = (
            kept.features(np.asarray(p), extractor).numpy() for p in (store.train, store.val)
        )
        assert store.labels is not None
        names = [column["name"] for column in store.manifest["labels"]]
        values = store.labels[:, [names.index(label.name) for label in labels]]
        self.truth = values[len(train) :]
        self.classifiers = [_learned(train, values[: len(train), k]) for k in range(len(labels))]

    def seen(self, features: np.ndarray, place: int) -> np.ndarray:
        """(N,) values of a label that the classifier sees."""
        return self.classifiers[place].predict(features)

    def photos(self, place: int, value: float) -> tuple[int, int]:
        """Held-out photos with this value that the classifier sees it on, of all such photos."""
        (chosen,) = np.nonzero(self.truth[:, place] == value)
        if not len(chosen):
            return 0, 0
        return int((self.seen(self.held_out[chosen], place) == value).sum()), len(chosen)

    def distance(self, features: np.ndarray, place: int, value: float) -> float:
        """Fréchet distance of images to the held-out photos with this value."""
        photos = self.held_out[self.truth[:, place] == value]
        return frechet_distance(torch.from_numpy(photos), torch.from_numpy(features)).value


def _learned(features: np.ndarray, values: np.ndarray) -> Pipeline:
    known = ~np.isnan(values)
    regression = LogisticRegression(max_iter=2000, C=0.1, class_weight="balanced")
    return make_pipeline(StandardScaler(), regression).fit(features[known], values[known])


def obedience(generator: Model, eyes: Eyes, *, count: int, seed: int) -> list[dict[str, Any]]:
    """One row for each value of each label.

    Args:
        generator: to be asked.
        eyes: that look.
        count: images for each value.
        seed: of the latents, the same for each value.
    """
    unasked = eyes.extractor(sample(generator, count=count, seed=seed)).numpy()
    rows = []
    for place, label in enumerate(generator.conditioning.labels):
        for value, word in enumerate(label.words):
            asked = with_labels(generator, [f"{label.name}={word}"])
            features = eyes.extractor(sample(asked, count=count, seed=seed)).numpy()
            obeyed = int((eyes.seen(features, place) == value).sum())
            without = int((eyes.seen(unasked, place) == value).sum())
            rows.append(
                {
                    "label": f"{label.name}={word}",
                    "obeyed": _rate(obeyed, count),
                    "photos": _rate(*eyes.photos(place, value)),
                    "unasked": _rate(without, count),
                    "distance": eyes.distance(features, place, value),
                    "unasked_distance": eyes.distance(unasked, place, value),
                }
            )
    return rows


def _rate(hits: int, count: int) -> dict[str, Any]:
    return {"rate": hits / count if count else None, "interval": wilson(hits, count), "n": count}


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); all of [0, 1] where nothing was counted."""
    if not count:
        return 0.0, 1.0
    z, share = float(ndtri(0.975)), hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = share * (1 - share) / count + (z / (2 * count)) ** 2
    half = z * math.sqrt(spread) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    columns = ("obeyed", "photos", "unasked")
    head = (
        "asked for", "images obey", "photos so labelled", "images not asked",
        "FD to these photos", "FD of images not asked",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [_words(row[name]) for name in columns]
        cells += [f"{row[name]:.4f}" for name in ("distance", "unasked_distance")]
        lines.append(f"| {row['label']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _words(found: dict[str, Any]) -> str:
    if not found["n"]:
        return "none"
    low, high = found["interval"]
    return f"{found['rate']:.3f} ({low:.3f} to {high:.3f}, n = {found['n']:,})"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    parser.add_argument("--labels", nargs="+", default=list(LABELS))
    parser.add_argument("--images", type=int, help="to train on; the recipe's number if not given")
    parser.add_argument("--count", type=int, default=1000, help="images for each value")
    parser.add_argument("--seed", type=int, default=1, help="of the latents")
    parser.add_argument("--set", nargs="*", default=[], help="more settings")
    options = parser.parse_args()
    changes = [f"data.labels={json.dumps(options.labels)}", *options.set]
    train(options.out, options.recipe, options.store, *changes, images=options.images)
    store, generator = Store.open(options.store), open_model(options.out)
    extractor = build_extractor(usual_features(store.train), "fp32", crop=store.crop)
    eyes = Eyes(store, extractor, generator.conditioning.labels)
    rows = obedience(generator, eyes, count=options.count, seed=options.seed)
    found = {"checkpoint": generator.path.name, "features": extractor.identity, "rows": rows}
    (options.out / "obedience.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()

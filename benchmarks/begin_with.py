"""Few photos: is it better to begin with a bundled model, and with its generator held at first?

    python -m benchmarks.begin_with --data stores/utk28 --out runs/begin   # hours; resumable

Trains on some photos of a store from nothing, with the weights of a bundled model, whose
discriminator does not ship, and with those and the generator held until a new discriminator has
learned alone. Prints fd@face against the held-out photos, which are the same for all runs, at each
checkpoint and at the best: one line for each run, then mean and standard deviation over seeds.
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import facewright
from benchmarks.few_photos import some_of
from facewright.data.store import Store
from facewright.planning.recipes import read_recipe
from facewright.planning.shorter import schedule_for
from facewright.records import record
from facewright.records.rows import MetricRow
from facewright.records.run_folder import RunFolder

Way = tuple[str | None, float]
"""The model to begin with, and for which share of the run the generator is held."""

WAYS: Mapping[str, Way] = {
    "from nothing": (None, 0.0),
    "begun": ("model", 0.0),
    "begun, held 5 %": ("model", 0.05),
    "begun, held 20 %": ("model", 0.2),
}


def train(
    run: Path, recipe: str, data: Path, way: Way, model: Path, images: int, seed: int
) -> None:
    """Train one run to its end, or go on with it.

    Raises:
        SystemExit: it did not reach its end.
    """
    begins, share = way
    if run.exists():
        ended = facewright.resume(run)
    else:
        lines = (
            "record.final_samples=0",
            "record.equilibrium_images=0",
            f"record.checkpoint_images={max(1, images // 10)}",
            f"train.hold_generator={round(share * images)}",
            *schedule_for(read_recipe(recipe), images),
        )
        ended = facewright.train(
            recipe=recipe,
            data=data,
            out=run,
            images=images,
            seed=seed,
            init_from=model if begins else None,
            set=(lines,),
        )
    if ended.outcome.status != "finished":
        raise SystemExit(f"{run}: {ended.outcome.status}")


def distances(run: Path) -> dict[int, float]:
    """fd@face against the held-out photos at each checkpoint, by images seen."""
    rows = record.read(RunFolder(run).metrics, MetricRow)
    return {row["images_seen"]: row["value"] for row in rows if row["name"] == "fd@face"}


def main() -> None:
    """Read the command line, and print one line for each run as it ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="fast-28")
    parser.add_argument("--model", type=Path, default=Path("faces-28"))
    parser.add_argument("--counts", nargs="+", type=int, default=[100, 500, 2_000])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args()
    store = Store.open(options.data)
    for count in options.counts:
        data = some_of(store, count, options.out / f"photos-{count}")
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for seed in options.seeds:
            for name in options.ways:
                run = options.out / f"{count}-{name.replace(' ', '-').replace(',', '')}-{seed}"
                train(run, options.recipe, data, WAYS[name], options.model, options.images, seed)
                along = distances(run)
                end, best = along[max(along)], min(along.values())
                found[name].append((end, best))
                path = " ".join(f"{seen // 1000}k:{value:.4f}" for seen, value in along.items())
                doctor = facewright.diagnose(run).diagnosis.verdict
                print(f"{count:>6,} {name:17} seed {seed} {doctor}: {path}", flush=True)
        for name, values in found.items():
            for which, numbers in zip(("end", "best"), zip(*values, strict=True), strict=True):
                scatter = statistics.stdev(numbers) if len(numbers) > 1 else 0.0
                mean = statistics.mean(numbers)
                print(f"{count:>6,} {name:17} {which:4} {mean:.4f} ({scatter:.4f})", flush=True)


if __name__ == "__main__":
    main()

"""What is each ingredient of `fast-28` worth?

    python -m benchmarks.ablation --data stores/celeba28 --out runs/ablation   # hours; resumable

Takes one ingredient out of the recipe, or puts one in, trains on as many images with the same
seeds as the recipe as it is, and prints FID as each training ends; then the difference that each
makes, by seeds. What an image costs with and without each, `train_speed` says. FID of few faces
reads higher than that of many: numbers are for each other, not for the recipe's header. Each
number of images is a study of its own, as rates fall over a whole run: give it its own folder.
"""

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path

import facewright
from benchmarks.train_speed import INGREDIENTS
from benchmarks.trained import train

RECIPE = "fast-28"
AS_IT_IS = "as it is"
SHARED = (
    "no layer at full size",
    "full colour",
    "no noise",
    "batch norm in the generator only",
    "batches of 64",
    "relativistic",
    "R1 + R2, antithetic noise",
    "distortions",
)
"""Those whose cost is measured by `train_speed`; distortions there are not adaptive."""
CHANGES: Mapping[str, tuple[str, ...]] = {
    AS_IT_IS: (),
    **{name: INGREDIENTS[name] for name in SHARED},
    "no distortions": ("augment.adaptive=false",),
    "no average": ("train.ema_images=0",),
    "constant rates": ("schedule.images=0", "schedule.after=0", "schedule.lr_to=1"),
    "rates of the classic": ("optimiser.lr_g=2e-4", "optimiser.lr_d=2e-4"),
}


def fid(run: Path, data: Path, count: int) -> float:
    """Of the averaged generator at the end, against all training photos."""
    found = facewright.evaluate(run, data=data, metrics="fid", count=count, precision="bf16")
    (value,) = (row["value"] for one in found.measured for row in one.rows())
    return value


def compare(found: Mapping[str, Mapping[int, float]]) -> None:
    """Print the mean over seeds, and how far it is from the recipe's, with the range over seeds."""
    base = found.get(AS_IT_IS, {})
    for name, by_seed in found.items():
        line = f"{name:26} FID {statistics.mean(by_seed.values()):6.2f}"
        if name != AS_IT_IS and base:
            apart = [fid - base[seed] for seed, fid in by_seed.items()]
            line += f"   {statistics.mean(apart):+.2f} ({min(apart):+.2f} to {max(apart):+.2f})"
        print(line)


def main() -> None:
    """Read the command line, train, measure, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=CHANGES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--fakes", type=int, default=2_000)
    options = parser.parse_args()
    print(f"{options.images:,} images, FID of {options.fakes:,} faces")
    found: dict[str, dict[int, float]] = {name: {} for name in options.changes}
    for seed in options.seeds:
        for name in options.changes:
            run = options.out / f"{name.replace(' ', '-')}-{seed}"
            lines = ("record.equilibrium_images=0", *CHANGES[name])
            train(run, RECIPE, options.data, *lines, seed=seed, images=options.images)
            found[name][seed] = fid(run, options.data, options.fakes)
            print(f"{name:26} seed {seed}  FID {found[name][seed]:6.2f}", flush=True)
    compare(found)


if __name__ == "__main__":
    main()

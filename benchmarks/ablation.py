"""What is each ingredient of `fast-28` worth?

    python -m benchmarks.ablation --data stores/celeba28 --out runs/ablation   # hours; resumable

Takes one ingredient out of the recipe, or puts one in, trains with the same seeds as the recipe as
it is, and prints FID as each training ends; then the difference that each makes, by seeds.
"""

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path

import facewright
from benchmarks.train_speed import INGREDIENTS, spread
from benchmarks.trained import train

RECIPE = "fast-28"
AS_IT_IS = "as it is"
CHANGES: Mapping[str, tuple[str, ...]] = {
    AS_IT_IS: (),
    "no layer at full size": INGREDIENTS["no layer at full size"],
    "full colour": INGREDIENTS["full colour"],
    "no noise": INGREDIENTS["no noise"],
    "batch norm in both": INGREDIENTS["batch norm in both"],
    "batches of 64": INGREDIENTS["batches of 64"],
    "rates of the classic": ("optimiser.lr_g=2e-4", "optimiser.lr_d=2e-4"),
    "relativistic": INGREDIENTS["relativistic"],
    "R1 + R2, antithetic noise": INGREDIENTS["R1 + R2, antithetic noise"],
    "distortions": INGREDIENTS["distortions"],
}


def fid(run: Path, data: Path, count: int) -> float:
    """Of the averaged generator at the end, against all training photos."""
    found = facewright.evaluate(run, data=data, metrics="fid", count=count, precision="bf16")
    (value,) = (row["value"] for one in found.measured for row in one.rows())
    return value


def compare(found: Mapping[str, Mapping[int, float]]) -> None:
    """Print the mean over seeds, and how much more or less it is, seed by seed."""
    base = found.get(AS_IT_IS, {})
    for name, by_seed in found.items():
        line = f"{name:26} FID {statistics.mean(by_seed.values()):6.2f}"
        if name != AS_IT_IS and base:
            line += f"   more: {spread([fid - base[seed] for seed, fid in by_seed.items()], 2)}"
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
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--fakes", type=int, default=2_000)
    options = parser.parse_args()
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

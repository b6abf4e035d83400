"""How good are a recipe's faces after so many minutes?

    python -m benchmarks.time_to_quality --data stores/celeba28 --out runs/quality \
        --recipes classic-celeba28 fast-28 --seeds 0 1 2      # hours; resumable

Minutes are those of the training loop with all that looks on (doctor, scores, sheets,
checkpoints), without the FID, which is measured afterwards. Nothing else may be busy on the
machine. FID is that of 10,000 faces of the averaged generator against all training photos. The
recipe named first is the one that the others are compared with.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from benchmarks.trained import Point, measured, train

Curves = Mapping[str, Mapping[int, Sequence[Point]]]
"""Recipe -> seed -> curve."""


def first_at(curve: Sequence[Point], fid: float) -> float | None:
    """Seconds until a curve first reaches a FID; `None` if it never does."""
    return next((point.seconds for point in curve if point.fid <= fid), None)


def compare(curves: Curves) -> None:
    """Print every point, and each recipe beside the first."""
    for recipe, seeds in curves.items():
        for seed, curve in seeds.items():
            for p in curve:
                print(
                    f"{recipe:20} {seed} {p.images:>10,} images {p.seconds / 60:6.2f} min "
                    f"FID {p.fid:6.2f} ({p.low:.2f} to {p.high:.2f})"
                )
    reference, *others = curves
    goal = statistics.mean(curve[-1].fid for curve in curves[reference].values())
    time = statistics.mean(curve[-1].seconds for curve in curves[reference].values())
    print(f"{reference}: FID {goal:.2f} after {time / 60:.1f} min")
    for recipe in others:
        for seed, curve in curves[recipe].items():
            reached = first_at(curve, goal)
            share = "never" if reached is None else f"after {reached / time:.2f} of its time"
            there = [point for point in curve if point.seconds <= time]
            equal = _at_equal_time(there[-1], time, goal) if there else "no checkpoint in that time"
            print(f"{recipe}, seed {seed}: that FID {share}; {equal}")


def _at_equal_time(last: Point, time: float, goal: float) -> str:
    return (
        f"after {last.seconds / time:.2f} of its time "
        f"FID {last.fid:.2f}, {last.fid / goal:.2f} times as much"
    )


def draw(curves: Curves, path: Path) -> None:
    """FID over minutes, one line for each seed."""
    figure, axes = plt.subplots(figsize=(7, 4.5), constrained_layout=True)
    for number, (recipe, seeds) in enumerate(curves.items()):
        for place, curve in enumerate(seeds.values()):
            minutes = [point.seconds / 60 for point in curve]
            axes.plot(
                minutes,
                [point.fid for point in curve],
                "o-",
                color=f"C{number}",
                markersize=3,
                linewidth=1.2,
                label=recipe if place == 0 else None,
            )
    axes.set(xscale="log", yscale="log", xlabel="minutes of the run", ylabel="FID")
    axes.minorticks_off()
    low, high = axes.get_ylim()
    ticks = [tick for tick in (5, 10, 15, 20, 30, 50, 100, 200) if low <= tick <= high]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    low, high = axes.get_xlim()
    ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=["classic-celeba28", "fast-28"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--every", type=int, default=90_000)
    options = parser.parse_args()
    kept = (f"record.checkpoint_images={options.every}", "record.keep_last=999")
    curves: dict[str, dict[int, list[Point]]] = {}
    for recipe in options.recipes:
        for seed in options.seeds:
            run = options.out / f"{recipe}-{seed}"
            train(run, recipe, options.data, *kept, seed=seed)
            curves.setdefault(recipe, {})[seed] = measured(run, options.data)
    compare(curves)
    draw(curves, options.out / "time-to-quality.png")


if __name__ == "__main__":
    main()

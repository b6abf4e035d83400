"""Draw the figure of FID over minutes for docs/results.md, from the curves that `plan` reads.

    python -m scripts.quality_figure

Minutes are those of trainings alone on the two cores of the machine of all numbers.
"""

from pathlib import Path

from benchmarks.time_to_quality import Point, draw

from facewright.planning.measured import read_table

DATA = "CelebA-28"
SPEED = {"classic-celeba28": 1073, "fast-28": 500}
"""Images a second, measured side by side (docs/experiments/recipes.md)."""
FIGURE = Path("docs/images/time-to-quality.png")


def main() -> None:
    """Draw it."""
    curves = {
        entry.name: {
            0: [
                Point(p.images, p.images / SPEED[entry.name], p.fid, p.low, p.high)
                for p in curve.points
            ]
        }
        for entry in read_table().recipes
        for curve in entry.curves
        if curve.data == DATA and entry.name in SPEED
    }
    draw(curves, FIGURE)
    print(FIGURE)


if __name__ == "__main__":
    main()

"""Photos, and generated images, below which a score would take noise for faces.

Source: docs/experiments/metrics.md, "Below how many held-out photos is noise a face?", measured by
benchmarks/few_held_out.py.
"""

COVERAGE = 100
"""Of each kind, for coverage with k = 5, and what else counts neighbours."""

DISTANCE = 26
"""Of each kind, for the distances that a training in progress is scored by."""

LEAST = {
    **dict.fromkeys(("precision", "recall", "density", "coverage"), COVERAGE),
    **dict.fromkeys(("fd", "fid", "fid_clean", "kid"), DISTANCE),
}
"""By the name of a metric, without its features."""


def is_enough(metric: str, *counts: int | None) -> bool:
    """Does a metric mean something on so many images?

    Args:
        metric: its name, with or without "@features".
        counts: of photos and of generated images; `None` where nobody noted how many.
    """
    least = LEAST.get(metric.partition("@")[0], 0)
    return all(count is None or count >= least for count in counts)

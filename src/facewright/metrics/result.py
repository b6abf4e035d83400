"""A number and everything it takes to compare it with another one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricResult:
    """One metric of one set of generated images.

    Args:
        name: for example "fid"; with "@extractor" where the name alone does not say it.
        value: the number.
        interval: 95 %, over what chance in the samples may have done.
        floor: what photos score against other photos (for a metric of one set: what photos
            score) at the same sample sizes; no generator is expected to do better.
        lower_is_better: `None` when closest to the floor is best.
        n_real: photos compared with.
        n_fake: generated images.
        features: identity of the extractor, or "pixels".
        seconds: that it took, features included where it was the first to need them.
        note: what one must know to read it; "" if nothing.
        floor_n: sizes of the two sets of photos that the floor was measured on.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    floor: float | None
    lower_is_better: bool | None
    n_real: int
    n_fake: int
    features: str
    seconds: float
    note: str = ""
    floor_n: tuple[int, int] | None = None

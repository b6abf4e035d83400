"""What a metric is: a row of data with a function, and what that function is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from facewright.metrics.estimate import Estimate
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.image_set import View


@dataclass(frozen=True)
class LatentGenerator:
    """A generator for metrics that need more than its images.

    Args:
        network: maps (B, z_dim) latents to (B, C, H, W) images in [-1, 1], each from its own.
        z_dim: length of a latent vector.
    """

    network: Callable[[Tensor], Tensor]
    z_dim: int


@dataclass(frozen=True)
class MetricInputs:
    """What a metric is computed from.

    Args:
        real: the photos to compare with.
        fake: the generated images.
        held_out: photos that were not trained on.
        extractor: of features; `None` for metrics that need none.
        generator: that made `fake`; `None` where only images are known.
        seed: of everything random.
    """

    real: View
    fake: View
    held_out: View
    extractor: Extractor | None
    generator: LatentGenerator | None
    seed: int

    @property
    def features(self) -> tuple[Tensor, Tensor]:
        """(N, F) of the photos and (M, F) of the generated images."""
        assert self.extractor is not None
        return self.real.features(self.extractor), self.fake.features(self.extractor)


FloorAt = Callable[[float, int, int, int, int], float]
Measure = Callable[[MetricInputs], Mapping[str, Estimate]]


@dataclass(frozen=True)
class Metric:
    """Numbers that come out of one computation.

    Args:
        names: of the numbers, as `--metrics` and the results spell them.
        title: in full.
        about: the function that computes it; its docstring explains it.
        measure: computes all of them.
        features: the extractor it is defined with; "any" lets the caller choose; "" when
            it needs none.
        lower_is_better: `None` when closest to the photos' own value is best.
        compares: with photos; else it describes the generated images alone.
        has_floor: whether photos can be measured in place of the generated images.
        equally_many: takes as many photos as generated images, drawn at random.
        at_least: images of each kind; of fewer it says nothing, and is refused before features
            are computed or weights downloaded.
        at_most: images of each kind, drawn at random where there are more: the work grows
            with their square. `None` takes all.
        floor_at: for each number that depends on the sizes by a known law: brings a floor
            measured at one pair of sizes to another one.
        note: what one must know to read it.
    """

    names: tuple[str, ...]
    title: str
    about: Callable[..., object]
    measure: Measure
    features: str = "any"
    lower_is_better: bool | None = True
    compares: bool = True
    has_floor: bool = True
    equally_many: bool = False
    at_least: int = 0
    at_most: int | None = None
    floor_at: Mapping[str, FloorAt] = field(default_factory=dict)
    note: str = ""

"""The extractor that a user names."""

from pathlib import Path
from typing import Literal

from facewright.errors import MetricError, nearest
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.resize import Convention

Precision = Literal["fp32", "bf16"]

RESIZES: dict[str, Convention] = {
    "inception": "legacy",
    "inception-clean": "clean",
    "inception-tensorflow": "tensorflow",
}
"""How each of the three brings images to its input."""

NAMES = (*RESIZES, "face", "digits", "dinov2:WEIGHTS", "MODEL.onnx")
"""Everything that `build_extractor` understands; the last two name a file of the user's."""


def build_extractor(spec: str, precision: Precision = "fp32", *, crop: str = "none") -> Extractor:
    """The extractor of a name.

    Args:
        spec: one of `NAMES`, with a path in place of the capitals.
        precision: of the arithmetic, where the extractor offers both.
        crop: with which the photos were prepared; the face network wants its own framing.

    Raises:
        MetricError: an unknown name, or weights that are missing or damaged.
        MissingExtraError: it needs an extra.
    """
    # Imported here, because each brings a network of its own.
    name, _, path = spec.partition(":")
    if name in RESIZES:
        from facewright.metrics.extractors.inception import Inception

        return Inception(Path(path) if path else None, resize=RESIZES[name], precision=precision)
    if spec == "face":
        from facewright.metrics.extractors.face import FRAMINGS, Face

        return Face(crop if crop in FRAMINGS else "whole", precision=precision)
    if spec == "digits":
        from facewright.metrics.extractors.digits import Digits

        return Digits()
    if name == "dinov2" and path:
        from facewright.metrics.extractors.dinov2 import DinoV2

        return DinoV2(Path(path))
    if spec.endswith(".onnx"):
        from facewright.metrics.extractors.onnx import Onnx

        return Onnx(Path(spec))
    raise MetricError(f"unknown features '{spec}'", expected=nearest(spec, NAMES))

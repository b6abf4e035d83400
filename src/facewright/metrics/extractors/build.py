"""The extractor that a user names."""

from pathlib import Path
from typing import Literal

from facewright.errors import MetricError, nearest
from facewright.metrics.extractors.base import Extractor

Precision = Literal["fp32", "bf16"]

NAMES = ("inception", "inception-clean", "face", "digits", "dinov2:WEIGHTS", "MODEL.onnx")
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
    if name in ("inception", "inception-clean"):
        from facewright.metrics.extractors.inception import Inception

        resize = "clean" if name == "inception-clean" else "legacy"
        return Inception(Path(path) if path else None, resize=resize, precision=precision)
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

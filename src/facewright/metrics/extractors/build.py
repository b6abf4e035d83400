"""The extractor that a user names."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from facewright.choices import Precision
from facewright.errors import MetricError, nearest
from facewright.metrics.extractors.base import Extractor

if TYPE_CHECKING:
    from facewright.metrics.extractors.inception import Convention

RESIZES: "dict[str, Convention]" = {
    "inception": "legacy",
    "inception-clean": "clean",
    "inception-tensorflow": "tensorflow",
}
"""How each of the three brings images to its input."""

NAMES = (
    *RESIZES,
    "face",
    "digits",
    "dinov2:WEIGHTS",
    "MODEL.onnx[?size=HxW&values=...&output=...]",
)
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
        from facewright.metrics.extractors.face import FRAMINGS, DlibFace

        return DlibFace(crop if crop in FRAMINGS else "whole", precision=precision)
    if spec == "digits":
        from facewright.metrics.extractors.digits import Digits

        return Digits()
    if name == "dinov2" and path:
        from facewright.metrics.extractors.dinov2 import DinoV2

        return DinoV2(Path(path))
    file, _, options = spec.partition("?")
    if file.endswith(".onnx"):
        from facewright.metrics.extractors.onnx import Onnx

        return Onnx(Path(file), **_onnx_options(options))
    raise MetricError(
        f"unknown features '{spec}'", expected=nearest(spec, NAMES), fix=f"--features {NAMES[0]}"
    )


def _onnx_options(text: str) -> dict[str, Any]:
    """What stands behind "?" in MODEL.onnx?size=224x224&values=unit, for `Onnx`."""
    options: dict[str, Any] = dict(parse_qsl(text))
    if unknown := options.keys() - {"size", "values", "output"}:
        raise MetricError(
            f"'{unknown.pop()}' behind an ONNX model",
            expected="size=HxW, values=..., output=...",
            fix="--features MODEL.onnx,size=224x224,values=imagenet",
        )
    if "size" in options:
        height, _, width = options["size"].partition("x")
        if not (height.isdigit() and (width or height).isdigit()):
            raise MetricError(
                f"size={options['size']}",
                expected="for example size=224x224",
                fix="--features MODEL.onnx,size=224x224",
            )
        options["size"] = (int(height), int(width or height))
    return options
